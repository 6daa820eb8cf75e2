import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { archiveOf } from '@watchpost/shared/manifest/package-archive'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unpackPackage } from '../../../edge/inference/unpack-package.js'
import { createDownload, type DownloadRequest } from '../../../edge/models/download.js'
import { createPackageStore, type PackageStore } from '../../../edge/models/package-store.js'
import { agentToken, type Central, sha256Of, startCentral } from '../../central/api/harness.js'
import { until } from '../../helpers/camera-fixture.js'
import { temporaryFolder } from '../../helpers/clips.js'
import { type HttpLink, openHttpLink } from '../../helpers/http-link.js'
import { gridManifest } from '../inference/packages.js'

// Central's own HTTP application, a link that can be cut, and the store the agent has.
let central: Central
let link: HttpLink
let folder: string
let packages: PackageStore

const weights = randomBytes(150_000)
const archive = Buffer.from(
  archiveOf([
    { path: 'manifest.json', bytes: Buffer.from(JSON.stringify(gridManifest(weights, { id: 'water-segmentation' }))) },
    { path: 'model.onnx', bytes: weights },
  ]),
)
const digest = sha256Of(archive)
const half = Math.floor(archive.length / 2)

beforeEach(async () => {
  central = await startCentral()
  const url = await central.app.listen({ host: '127.0.0.1', port: 0 })
  link = await openHttpLink(Number(new URL(url).port))
  folder = temporaryFolder('packages')
  packages = createPackageStore(folder, unpackPackage)
  const reply = await central.app.inject({
    method: 'PUT',
    url: `/api/v1/models/packages/${digest}`,
    headers: { ...(await central.signIn('engineer')), 'content-type': 'application/octet-stream' },
    payload: archive,
  })
  expect(reply.statusCode).toBe(201)
})
afterEach(async () => {
  await link.close()
  await central.stop()
})

/** Begins to fetch, as an agent of its own. */
const fetchIt = (change: Partial<DownloadRequest> = {}) => {
  const seen = { bytes: 0, troubles: [] as (string | null)[] }
  const stopping = new AbortController()
  const download = createDownload({
    url: `http://127.0.0.1:${link.port}`,
    token: agentToken,
    agentId: 'an-cuu-1',
    maxBytes: 1_000_000,
    baseMs: 20,
  })
  const done = download({
    digest,
    part: packages.partOf(digest),
    signal: stopping.signal,
    onProgress: bytes => {
      seen.bytes = bytes
    },
    onTrouble: why => seen.troubles.push(why),
    ...change,
  })
  // Looked at later, or not at all when it is stopped.
  done.catch(() => {})
  return { done, seen, stop: () => stopping.abort() }
}
const sizeOfPart = () => statSync(packages.partOf(digest)).size

describe('fetching a package from central', () => {
  it('goes on from the byte where the link was cut', async () => {
    link.allow(half)
    const { done, seen } = fetchIt()
    await until('half of it', () => seen.bytes === half)
    expect(sizeOfPart()).toBe(half)
    link.allow(Number.POSITIVE_INFINITY)
    link.cut()
    await done
    expect(link.ranges).toEqual([null, `bytes=${half}-`])
    expect(readFileSync(packages.partOf(digest)).equals(archive)).toBe(true)
    expect(seen.troubles).toEqual([null, expect.stringContaining('it goes on from there'), null])
    await packages.unpack(digest)
    expect(readFileSync(join(packages.folderOf(digest), 'model.onnx')).equals(weights)).toBe(true)
    expect(readdirSync(folder)).toEqual([digest])
  })

  it('goes on in a later life of the agent, also when all bytes had come', async () => {
    link.allow(half)
    const first = fetchIt()
    await until('half of it', () => first.seen.bytes === half)
    first.stop()
    await expect(first.done).rejects.toThrow()
    expect(sizeOfPart()).toBe(half)
    link.allow(Number.POSITIVE_INFINITY)
    await fetchIt().done
    // It died before it had looked at them: central has nothing more to give.
    await fetchIt().done
    expect(link.ranges).toEqual([null, `bytes=${half}-`, `bytes=${archive.length}-`])
    expect(readFileSync(packages.partOf(digest)).equals(archive)).toBe(true)
  })

  it('begins again when the bytes were spoilt on the way, be it before the cut', async () => {
    link.allow(half)
    link.spoil(1)
    const { done, seen } = fetchIt()
    await until('half of it', () => seen.bytes === half)
    link.allow(Number.POSITIVE_INFINITY)
    link.cut()
    await done
    expect(link.ranges).toEqual([null, `bytes=${half}-`, null])
    expect(readFileSync(packages.partOf(digest)).equals(archive)).toBe(true)
  })

  it('refuses bytes that are spoilt again and again, and keeps none of them', async () => {
    link.spoil(Number.POSITIVE_INFINITY)
    await expect(fetchIt().done).rejects.toMatchObject({
      name: 'DownloadRefusedError',
      message: expect.stringContaining(`instead of ${digest.slice(0, 12)}`),
    })
    expect(link.ranges).toEqual([null, null])
    expect(existsSync(packages.partOf(digest))).toBe(false)
    await expect(packages.unpack(digest)).rejects.toThrow()
    expect([packages.has(digest), readdirSync(folder)]).toEqual([false, []])
  })

  it('takes no package that central does not have, or that is larger than it may be', async () => {
    await expect(fetchIt({ digest: 'd'.repeat(64) }).done).rejects.toThrow('Central has no package')
    const download = createDownload({
      url: `http://127.0.0.1:${link.port}`,
      token: agentToken,
      agentId: 'an-cuu-1',
      maxBytes: 100_000,
    })
    const request = { digest, part: packages.partOf(digest), onProgress: () => {}, onTrouble: () => {} }
    await expect(download({ ...request, signal: new AbortController().signal })).rejects.toThrow(
      `has ${archive.length} bytes, this agent takes 100000 at most`,
    )
  })
})
