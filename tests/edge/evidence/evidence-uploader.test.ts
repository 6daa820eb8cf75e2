import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createEvidence } from '../../../edge/evidence/evidence.js'
import {
  createEvidenceUploader,
  type EvidenceUploader,
  type EvidenceUploaderOptions,
} from '../../../edge/evidence/evidence-uploader.js'
import { recordLog, until } from '../../helpers/camera-fixture.js'
import { temporaryFolder } from '../../helpers/clips.js'
import { freePort } from '../../helpers/free-port.js'
import { noiseFrame, noon } from './evidence-fixture.js'

interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly hashOfBody: string
}
interface Central {
  readonly received: Received[]
  /** A status, or central's problem with it. */
  answer: (sha256: string, count: number) => number | { readonly problem: number }
  readonly url: string
  readonly close: () => void
}

let central: Central | undefined
let uploader: EvidenceUploader | undefined
afterEach(async () => {
  await uploader?.stop()
  central?.close()
})

/** An HTTP server that stores nothing but what it was asked. */
const startCentral = async (answer: Central['answer'] = () => 201, port = 0): Promise<Central> => {
  const received: Received[] = []
  const counts = new Map<string, number>()
  const server: Server = createServer(async (request, response) => {
    const hash = createHash('sha256')
    for await (const chunk of request) hash.update(chunk)
    const path = request.url ?? ''
    const sha256 = path.split('/').at(-1)!
    counts.set(sha256, (counts.get(sha256) ?? 0) + 1)
    received.push({ method: request.method!, path, headers: request.headers, hashOfBody: hash.digest('hex') })
    const answered = handle.answer(sha256, counts.get(sha256)!)
    const status = typeof answered === 'number' ? answered : answered.problem
    response.writeHead(status)
    response.end(typeof answered === 'number' ? '<html>' : JSON.stringify({ type: 'about:blank', title: 'No', status }))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const handle: Central = {
    received,
    answer,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  central = handle
  return handle
}

type Pace = Pick<EvidenceUploaderOptions, 'baseMs' | 'ceilingMs' | 'fetch'>
/** Longer than any test: what is sent in spite of it did not wait. */
const hourly = { baseMs: 3_600_000, ceilingMs: 3_600_000 }

const agent = async (url: string, dir = temporaryFolder('upload'), pace: Pace = { baseMs: 20, ceilingMs: 100 }) => {
  const log = recordLog()
  const evidence = createEvidence({ dir, quotaMb: 100, jpegQuality: 80, log })
  await evidence.start()
  uploader = createEvidenceUploader({
    url,
    token: 'geheim-token',
    agentId: 'an-cuu-1',
    evidence,
    log,
    ...pace,
  })
  return { evidence, uploader, log, dir }
}

describe('evidence uploader', () => {
  it('puts each picture to its hash with the credentials of the agent, once', async () => {
    const { url, received } = await startCentral()
    const { evidence, uploader } = await agent(url)
    const before = await evidence.snapshot(noiseFrame(1), 'at')
    uploader.start()
    const while_ = await evidence.snapshot(noiseFrame(2, noon + 1000), 'after')
    await until('both to be sent', () => uploader.status().sent === 2)
    expect(evidence.status().pending).toBe(0)
    expect(received.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
      [before, while_].map(({ sha256 }) => `PUT /ingest/v1/evidence/${sha256}`).sort(),
    )
    const put = received.find(({ path }) => path.endsWith(while_.sha256))!
    expect(put.hashOfBody).toBe(while_.sha256)
    expect(put.headers).toMatchObject({
      authorization: 'Bearer geheim-token',
      'content-type': 'image/jpeg',
      'content-length': String(while_.bytes),
      'x-watchpost-agent': 'an-cuu-1',
      'x-watchpost-camera': 'gate',
      'x-watchpost-role': 'after',
      'x-watchpost-taken-at': '2026-10-27T05:00:01.000Z',
    })
    expect(uploader.status()).toEqual({ sent: 2, failures: 0, lastError: null })
  })

  it('waits for a central that is away and resumes, also in a later life of the agent', async () => {
    const first = await startCentral(undefined, await freePort())
    first.close()
    const life = await agent(first.url)
    const { sha256 } = await life.evidence.snapshot(noiseFrame(1), 'at')
    life.uploader.start()
    await until('two failures', () => life.uploader.status().failures >= 2)
    await life.uploader.stop()
    expect(life.evidence.pending()).toEqual([sha256])
    expect(life.log.text()).toContain('Check evidence.url')
    expect(life.log.text()).not.toContain('geheim-token')

    const next = await agent(first.url, life.dir)
    next.uploader.start()
    await until('a failure', () => next.uploader.status().failures >= 1)
    const { received } = await startCentral(() => 200, Number(new URL(first.url).port))
    await until('the picture', () => next.evidence.status().pending === 0)
    expect(received.map(({ hashOfBody }) => hashOfBody)).toEqual([sha256])
    expect(next.uploader.status().lastError).toBeNull()
  })

  it.each([400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 500, 503, 507])('tries again after %i', async status => {
    const { url, received } = await startCentral((_sha256, count) => (count < 3 ? status : 201))
    const { evidence, uploader, log } = await agent(url)
    await evidence.snapshot(noiseFrame(1), 'at')
    uploader.start()
    await until('the picture', () => evidence.status().sent === 1)
    expect(received).toHaveLength(3)
    expect(log.text()).toContain(String(status))
    if (status === 401) expect(log.text()).toContain('evidence.tokenFile')
    if ([404, 405, 413].includes(status)) expect(log.text()).toContain('Check evidence.url')
  })

  it.each([400, 403, 404, 422])('tries again when central itself says %i', async status => {
    const { url, received } = await startCentral((_sha256, count) => (count < 3 ? { problem: status } : 201))
    const { evidence, uploader } = await agent(url)
    await evidence.snapshot(noiseFrame(1), 'at')
    uploader.start()
    await until('the picture', () => evidence.status().sent === 1)
    expect(received).toHaveLength(3)
  })

  it.each([413, 415])('gives a picture up when central says %i of it, and goes on with the others', async status => {
    const { url, received } = await startCentral()
    const { evidence, uploader, log } = await agent(url)
    const bad = await evidence.snapshot(noiseFrame(1), 'at')
    await evidence.snapshot(noiseFrame(2), 'at')
    central!.answer = sha256 => (sha256 === bad.sha256 ? { problem: status } : 201)
    uploader.start()
    await until('both to be settled', () => evidence.status().pending === 0)
    expect(evidence.status()).toMatchObject({ sent: 1, dead: 1 })
    expect(received).toHaveLength(2)
    expect(log.text()).toContain('refuses this picture for good')
  })

  it('keeps a picture that cannot be read just now, and sends it when it can', async () => {
    const { url } = await startCentral()
    const { evidence, uploader, dir } = await agent(url)
    const { sha256 } = await evidence.snapshot(noiseFrame(1), 'at')
    // A link to itself in its place: reading says ELOOP, as it says EMFILE or EIO on a bad day.
    const path = join(dir, sha256.slice(0, 2), `${sha256}.jpg`)
    renameSync(path, `${path}.aside`)
    symlinkSync(path, path)
    uploader.start()
    await until('a failure', () => uploader.status().failures >= 1)
    expect(evidence.pending()).toEqual([sha256])
    rmSync(path)
    renameSync(`${path}.aside`, path)
    await until('the picture', () => evidence.status().sent === 1)
  })

  it('is not held up by one picture that central fails on, and sends the newest first', async () => {
    const { url, received } = await startCentral()
    const { evidence, uploader } = await agent(url)
    const taken = []
    for (let n = 0; n < 4; n++) taken.push(await evidence.snapshot(noiseFrame(n + 1, noon + n * 1000), 'at'))
    const poison = taken[3]!.sha256
    central!.answer = sha256 => (sha256 === poison ? 500 : 201)
    uploader.start()
    await until('all others', () => evidence.status().sent === 3)
    expect(evidence.pending()).toEqual([poison])
    expect(received.slice(0, 4).map(({ hashOfBody }) => hashOfBody)).toEqual(
      [...taken].reverse().map(({ sha256 }) => sha256),
    )
    central!.answer = () => 201
    await until('the last one', () => evidence.status().pending === 0)
  })

  it.each(['refused', 'unreadable'])('sends a new picture at once, however long one that is %s waits', async bad => {
    const { url, received } = await startCentral(() => ({ problem: 403 }))
    const { evidence, uploader, dir } = await agent(url, undefined, {
      ...hourly,
      // One more picture is taken while the first request is under way.
      fetch: async (...request) => {
        if (received.length === 0) await evidence.snapshot(noiseFrame(2), 'at')
        return fetch(...request)
      },
    })
    const { sha256 } = await evidence.snapshot(noiseFrame(1), 'at')
    if (bad === 'unreadable') {
      const path = join(dir, sha256.slice(0, 2), `${sha256}.jpg`)
      rmSync(path)
      symlinkSync(path, path)
    }
    uploader.start()
    await until('the failures', () => uploader.status().failures === (bad === 'refused' ? 2 : 1))
    central!.answer = () => 201
    await evidence.snapshot(noiseFrame(3), 'at')
    await until('the new picture', () => evidence.status().sent >= 1, 10_000)
  })

  it.each([401, 408, 429, 503])('keeps its pause after %i, however many pictures are new', async status => {
    let requests = 0
    const answer = async () => new Response(null, { status: requests++ === 0 ? status : 201 })
    const { evidence, uploader } = await agent('http://central.test', undefined, { fetch: answer, ...hourly })
    await evidence.snapshot(noiseFrame(1), 'at')
    uploader.start()
    await until('the failure', () => uploader.status().failures === 1)
    const { sha256 } = await evidence.snapshot(noiseFrame(2), 'at')
    // Longer than the uploader would need to read and send it.
    for (let n = 0; n < 10; n++) await evidence.openForUpload(sha256)
    expect(requests).toBe(1)
  })
})
