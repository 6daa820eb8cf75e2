import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { validateConfig } from '@watchpost/shared/config/validate-config'
import type { PackageView } from '@watchpost/shared/api/models'
import { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { filesOfArchive } from '@watchpost/shared/manifest/package-archive'
import type { PackagePart, PackageReceipt, PackageStore } from '../package-store.js'

export interface DiskPackagesOptions {
  readonly directory: string
  /** Largest archive accepted. */
  readonly maxBytes: number
  /** Unix milliseconds. */
  readonly clock: () => number
}

/** An upload nobody continued for so long is given up. */
const partKeptMs = 7 * 86_400_000
/** A connection may die without a word: an upload without a byte for so long is ended, and another one may go on. */
const silenceMs = 60_000
const digestPattern = /^[0-9a-f]{64}$/

/** `SHA.wpm` with `SHA.json` beside it (what central says about it); `SHA.part` while it arrives. */
export const openDiskPackages = ({ directory, maxBytes, clock }: DiskPackagesOptions): PackageStore => {
  mkdirSync(directory, { recursive: true })
  const archiveOf = (sha256: string): string => join(directory, `${sha256}.wpm`)
  const viewOf = (sha256: string): string => join(directory, `${sha256}.json`)
  const partOf = (sha256: string): string => join(directory, `${sha256}.part`)
  const views = readViews(directory)
  const receiving = new Set<string>()
  for (const name of readdirSync(directory))
    if (name.endsWith('.part') && clock() - statSync(join(directory, name)).mtimeMs > partKeptMs)
      rmSync(join(directory, name), { force: true })

  const receivedOf = async (sha256: string): Promise<number> =>
    (await stat(partOf(sha256)).catch(() => undefined))?.size ?? 0

  const append = async (
    sha256: string,
    bytes: Readable,
    { from, total }: PackagePart,
  ): Promise<PackageReceipt | undefined> => {
    const file = await open(partOf(sha256), from === 0 ? 'w' : 'r+')
    let at = from
    try {
      const chunks: AsyncIterator<Buffer> = bytes[Symbol.asyncIterator]()
      for (;;) {
        const next = await nextOf(chunks)
        if (next === 'interrupted') return { ok: false, reason: next, received: at }
        if (next === 'silent') return { ok: false, reason: next, received: at, silenceMs }
        if (next.done) break
        const chunk = next.value
        if (at + chunk.length > Math.min(maxBytes, total ?? maxBytes)) return { ok: false, reason: 'too-large' }
        await file.write(chunk, 0, chunk.length, at)
        at += chunk.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    return total !== null && at < total ? { ok: true, created: false, package: null, received: at } : undefined
  }

  const finish = async (sha256: string, by: string): Promise<PackageReceipt> => {
    const actualSha256 = await digestOf(partOf(sha256))
    if (actualSha256 !== sha256) return { ok: false, reason: 'mismatch', actualSha256 }
    const archive = await readFile(partOf(sha256))
    const read = readManifest(archive)
    if (typeof read === 'string') return { ok: false, reason: 'invalid', problem: read }
    const view = describe(read, { sha256, bytes: archive.length, by, at: new Date(clock()).toISOString() })
    await writeFile(`${viewOf(sha256)}.tmp`, JSON.stringify(view))
    await rename(`${viewOf(sha256)}.tmp`, viewOf(sha256))
    await rename(partOf(sha256), archiveOf(sha256))
    const folder = await open(directory)
    await folder.sync().finally(() => folder.close())
    views.set(sha256, view)
    return { ok: true, created: true, package: view }
  }

  const take = async (sha256: string, bytes: Readable, part: PackagePart, by: string): Promise<PackageReceipt> => {
    // A sender may break off before the first read; the read then says so.
    bytes.on('error', () => {})
    const held = views.get(sha256)
    if (held) return { ok: true, created: false, package: held }
    if ((part.total ?? 0) > maxBytes) return { ok: false, reason: 'too-large' }
    const received = await receivedOf(sha256)
    if (part.from > received) return { ok: false, reason: 'offset', received }
    const taken = (await append(sha256, bytes, part)) ?? (await finish(sha256, by))
    const isLost = !taken.ok && !('received' in taken)
    if (isLost) await rm(partOf(sha256), { force: true })
    return taken
  }

  return {
    async receive(sha256, bytes, part, by) {
      if (receiving.has(sha256)) return { ok: false, reason: 'busy' }
      receiving.add(sha256)
      try {
        return await take(sha256, bytes, part, by)
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        if (code === 'ENOSPC' || code === 'EDQUOT') return { ok: false, reason: 'no-space' }
        throw error
      } finally {
        receiving.delete(sha256)
      }
    },
    receivedOf,
    find: sha256 => views.get(sha256),
    list: () => [...views.values()].toSorted((a, b) => (a.uploadedAt < b.uploadedAt ? 1 : -1)),
    open: (sha256, range) => createReadStream(archiveOf(sha256), range),
    close: async () => {},
  }
}

const nextOf = (chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer> | 'interrupted' | 'silent'> => {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<'silent'>(resolve => {
    timer = setTimeout(() => resolve('silent'), silenceMs)
  })
  const next = chunks.next().catch(() => 'interrupted' as const)
  return Promise.race([next, silence]).finally(() => clearTimeout(timer))
}

/** A view without its archive is what a crash between two renames left. */
const readViews = (directory: string): Map<string, PackageView> => {
  const names = new Set(readdirSync(directory))
  const digests = [...names].flatMap(name => (name.endsWith('.wpm') ? [name.slice(0, -4)] : []))
  return new Map(
    digests
      .filter(digest => digestPattern.test(digest) && names.has(`${digest}.json`))
      .map(digest => [digest, JSON.parse(readFileSync(join(directory, `${digest}.json`), 'utf8')) as PackageView]),
  )
}

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** The manifest, or a sentence. Agents check the rest, each by its own rules and trusted keys. */
const readManifest = (archive: Uint8Array): ModelManifest | string => {
  try {
    const manifest = filesOfArchive(archive).find(({ path }) => path === 'manifest.json')!
    const value: unknown = JSON.parse(new TextDecoder().decode(manifest.bytes))
    const { errors } = validateConfig(ModelManifest, value)
    if (errors.length === 0) return value as ModelManifest
    return `manifest.json: ${errors.map(({ path, message }) => `${path} ${message}`).join('; ')}.`
  } catch (error) {
    return (error as Error).message
  }
}

const describe = (
  { id, version, task, runtime, decoder, labels, licence, weights, signature }: ModelManifest,
  { sha256, bytes, by, at }: { sha256: string; bytes: number; by: string; at: string },
): PackageView => ({
  sha256,
  bytes,
  id,
  version,
  task: String(task),
  runtime: String(runtime),
  decoder: String(decoder.name),
  labels: [...labels],
  licence,
  weightsSha256: weights.sha256,
  signedBy: signature?.keyId ?? null,
  uploadedBy: by,
  uploadedAt: at,
})
