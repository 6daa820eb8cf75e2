import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { EvidenceMediaType, Receipt } from '../evidence-store.js'
import { mediaTypeOf, signatureBytes } from '../media-type.js'

interface IntakeOptions {
  readonly incoming: string
  readonly pathOf: (sha256: string) => string
  readonly maxBytes: number
}

type Taken =
  | { readonly ok: true; readonly mediaType: EvidenceMediaType; readonly bytes: number }
  | Extract<Receipt, { ok: false }>

/** Bytes → temporary file, hashed on the way; only what is whole and true gets its name. */
export const createIntake =
  ({ incoming, pathOf, maxBytes }: IntakeOptions) =>
  async (sha256: string, bytes: Readable, { durable }: { readonly durable: boolean }): Promise<Taken> => {
    const temporary = join(incoming, randomUUID())
    let file: FileHandle | undefined
    try {
      file = await open(temporary, 'wx')
      const written = await write(file, bytes, maxBytes)
      if (!written.ok) return written
      if (written.sha256 !== sha256) return { ok: false, reason: 'mismatch', actualSha256: written.sha256 }
      if (durable) await file.sync()
      await file.close()
      await mkdir(dirname(pathOf(sha256)), { recursive: true })
      await rename(temporary, pathOf(sha256))
      if (durable) await sync(dirname(pathOf(sha256)))
      return { ok: true, mediaType: written.mediaType, bytes: written.bytes }
    } catch (error) {
      if (isFull(error)) return { ok: false, reason: 'no-space' }
      throw error
    } finally {
      await file?.close().catch(() => {})
      await rm(temporary, { force: true })
    }
  }

const write = async (file: FileHandle, stream: Readable, maxBytes: number) => {
  const hash = createHash('sha256')
  let bytes = 0
  let head = Buffer.alloc(0)
  let checked = false
  const unsupported = { ok: false, reason: 'unsupported' } as const
  const chunks = stream[Symbol.asyncIterator]()
  for (;;) {
    // A broken connection is the sender's; an error while writing is ours and goes up.
    const next = await chunks.next().catch(() => undefined)
    if (next === undefined) return { ok: false, reason: 'interrupted' } as const
    if (next.done) break
    const chunk = next.value as Buffer
    bytes += chunk.length
    if (bytes > maxBytes) return { ok: false, reason: 'too-large' } as const
    if (!checked) {
      head = Buffer.concat([head, chunk.subarray(0, signatureBytes)])
      checked = head.length >= signatureBytes
      // Refused at the first bytes: nobody fills the disk with something else.
      if (checked && !mediaTypeOf(head)) return unsupported
    }
    hash.update(chunk)
    await file.writeFile(chunk)
  }
  const mediaType = mediaTypeOf(head)
  return mediaType ? ({ ok: true, mediaType, bytes, sha256: hash.digest('hex') } as const) : unsupported
}

const sync = async (path: string): Promise<void> => {
  const directory = await open(path)
  await directory.sync().finally(() => directory.close())
}

/** Makes a file that was written without waiting survive a power cut. */
export const syncFile = async (path: string): Promise<void> => {
  await sync(path)
  await sync(dirname(path))
}

const fullCodes: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'SQLITE_FULL']
export const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && fullCodes.includes(error.code)
