import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { agentToken, type Central, picture, problemOf, record, sha256Of, startCentral } from './harness.js'

let central: Central
beforeEach(async () => {
  central = await startCentral()
})
afterEach(() => central.stop())

const jpeg = (bytes: number): Buffer => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), randomBytes(bytes - 4)])
const mp4 = (): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypisom'), randomBytes(500)])
const get = (url: string, headers: Record<string, string> = {}) => central.app.inject({ method: 'GET', url, headers })

describe('PUT /ingest/v1/evidence/{sha256}', () => {
  it('stores bytes that have the hash of their address, once', async () => {
    const bytes = jpeg(3000)
    const first = await central.upload(bytes)
    expect(first.statusCode).toBe(201)
    expect(first.json()).toEqual({ sha256: sha256Of(bytes), bytes: 3000, mediaType: 'image/jpeg' })
    expect((await central.upload(bytes)).statusCode).toBe(200)
    const session = await central.signIn('viewer')
    const read = await get(`/api/v1/evidence/${sha256Of(bytes)}`, session)
    expect(read.rawPayload.equals(bytes)).toBe(true)
  })

  it('keeps nothing of bytes that have another hash', async () => {
    const wanted = sha256Of(jpeg(10))
    const reply = await central.upload(jpeg(3000), {}, wanted)
    expect(problemOf(reply)).toMatchObject({ status: 422, detail: expect.stringContaining('send the file again') })
    expect(await central.evidence.stored([wanted])).toEqual(new Set())
  })

  it('refuses what is too large, and what is neither JPEG nor MP4 whatever it is called', async () => {
    expect(problemOf(await central.upload(jpeg(500_001)))).toMatchObject({ status: 413 })
    const html = Buffer.from('<html>not a picture</html>')
    expect(problemOf(await central.upload(html, { 'content-type': 'image/jpeg' }))).toMatchObject({ status: 415 })
    expect(problemOf(await central.upload(Buffer.from([0xff])))).toMatchObject({ status: 415 })
  })

  it('believes an agent with its own token only', async () => {
    const bytes = jpeg(100)
    const wrong: Record<string, string>[] = [
      { authorization: 'Bearer wrong' },
      { authorization: '' },
      { 'x-watchpost-agent': 'other-agent' },
      { 'x-watchpost-agent': '' },
    ]
    for (const headers of wrong) {
      expect(problemOf(await central.upload(bytes, headers))).toMatchObject({ status: 401 })
    }
    expect(await central.evidence.stored([sha256Of(bytes)])).toEqual(new Set())
  })

  it('takes pictures of the cameras of an agent’s own site only, and of cameras that no site names', async () => {
    const send = (agent: string, camera: string, bytes = jpeg(100)) =>
      central.upload(bytes, {
        'x-watchpost-agent': agent,
        'x-watchpost-camera': camera,
        'x-watchpost-role': 'snapshot',
      })
    central.world.siteOfAgent = new Map([
      ['an-cuu-1', 'an-cuu'],
      ['kim-long-1', 'kim-long'],
    ])
    const own = jpeg(100)
    expect((await send('an-cuu-1', 'le-loi-1', own)).statusCode).toBe(201)
    const foreign = await send('kim-long-1', 'le-loi-1')
    // 403: the agent keeps the picture and tries again, as after all but 413 and 415.
    expect(problemOf(foreign)).toMatchObject({ status: 403, detail: expect.stringMatching(/"le-loi-1".*"an-cuu"/) })
    expect(problemOf(await send('kim-long-1', 'le-loi-1', own))).toMatchObject({ status: 403 })
    expect((await central.evidence.newestPicture('le-loi-1'))?.sha256).toBe(sha256Of(own))
    expect((await send('kim-long-1', 'not-named-yet')).statusCode).toBe(201)
    // An agent that the city file does not name: its pictures wait, as its messages do.
    central.world.siteOfAgent = new Map()
    expect(problemOf(await send('an-cuu-1', 'le-loi-1'))).toMatchObject({ status: 403 })
  })

  it('names every malformed header', async () => {
    const reply = await central.upload(jpeg(100), { 'x-watchpost-role': 'poster', 'x-watchpost-taken-at': 'yesterday' })
    expect(problemOf(reply).errors?.map(error => error.path)).toEqual(
      expect.arrayContaining(['/headers/x-watchpost-role', '/headers/x-watchpost-taken-at']),
    )
  })

  it('asks for the file again when the disk is full', async () => {
    const full = await startCentral({
      evidence: { ...central.evidence, receive: async () => ({ ok: false, reason: 'no-space' }) },
    })
    expect(problemOf(await full.upload(jpeg(100)))).toMatchObject({
      status: 507,
      detail: expect.stringMatching(/keep the file.*retentionDays/),
    })
    await full.stop()
  })

  it('shows an incident its picture as pending until the bytes arrive', async () => {
    const bytes = await picture()
    const item = {
      sha256: sha256Of(bytes),
      mediaType: 'image/jpeg' as const,
      bytes: bytes.length,
      role: 'at' as const,
      takenAt: '2026-10-27T03:00:00.000Z',
    }
    await central.incidents.apply([record('e1', { evidence: [item] })])
    const session = await central.signIn('viewer')
    const shown = async () => (await get('/api/v1/incidents/e1', session)).json()
    expect(await shown()).toMatchObject({ thumbnailSha256: null, events: [{ evidence: [{ stored: false }] }] })
    expect((await get(`/api/v1/evidence/${item.sha256}`, session)).statusCode).toBe(404)
    await central.upload(bytes, { 'x-watchpost-camera': 'le-loi-1' })
    expect(await shown()).toMatchObject({ thumbnailSha256: item.sha256, events: [{ evidence: [{ stored: true }] }] })
    expect((await get('/api/v1/cameras/le-loi-1', session)).json()).toMatchObject({ snapshot: { sha256: item.sha256 } })
  })

  it('without a tokens file takes pictures from this machine only', async () => {
    const open = await startCentral({ evidenceTokens: undefined as never })
    const send = (remoteAddress: string, headers = {}) =>
      open.app.inject({
        method: 'PUT',
        url: `/ingest/v1/evidence/${sha256Of(jpegOnce)}`,
        headers: { 'x-watchpost-agent': 'an-cuu-1', ...headers },
        payload: jpegOnce,
        remoteAddress,
      })
    const jpegOnce = jpeg(100)
    expect((await send('10.0.0.7')).statusCode).toBe(401)
    expect((await send('127.0.0.1', { 'x-forwarded-for': '10.0.0.7' })).statusCode).toBe(401)
    expect((await send('127.0.0.1')).statusCode).toBe(201)
    await open.stop()
  })

  it('keeps nothing of an upload that breaks off, and takes the whole file when it comes again', async () => {
    await central.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = central.app.server.address() as AddressInfo
    const bytes = jpeg(200_000)
    const headers = {
      'x-watchpost-agent': 'an-cuu-1',
      authorization: `Bearer ${agentToken}`,
      'content-length': String(bytes.length),
    }
    const path = `/ingest/v1/evidence/${sha256Of(bytes)}`
    await new Promise<void>(resolve => {
      const half = request({ port, path, method: 'PUT', headers }, () => {})
      half.on('error', () => {})
      half.on('close', () => resolve())
      half.write(bytes.subarray(0, 100_000), () => setImmediate(() => half.destroy()))
    })
    expect(await central.evidence.stored([sha256Of(bytes)])).toEqual(new Set())
    const whole = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'PUT',
      headers,
      body: new Uint8Array(bytes),
    })
    expect(whole.status).toBe(201)
    expect(readdirSync(`${central.directory}/evidence/incoming`)).toEqual([])
  })
})

describe('GET /api/v1/evidence/{sha256}', () => {
  it('may be kept for ever, and is not sent twice', async () => {
    const session = await central.signIn('viewer')
    const bytes = jpeg(100)
    await central.upload(bytes)
    const url = `/api/v1/evidence/${sha256Of(bytes)}`
    const reply = await get(url, session)
    expect(reply.headers).toMatchObject({
      'content-type': 'image/jpeg',
      'cache-control': 'private, max-age=31536000, immutable',
      etag: `"${sha256Of(bytes)}"`,
    })
    const again = await get(url, { ...session, 'if-none-match': String(reply.headers.etag) })
    expect([again.statusCode, again.rawPayload.length]).toEqual([304, 0])
  })

  it('gives clips in ranges, as players ask for them', async () => {
    const session = await central.signIn('viewer')
    const bytes = mp4()
    await central.upload(bytes)
    const range = (value: string) => get(`/api/v1/evidence/${sha256Of(bytes)}`, { ...session, range: value })
    const part = await range('bytes=100-199')
    expect(part.headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-range': `bytes 100-199/${bytes.length}`,
      'content-length': '100',
    })
    expect([part.statusCode, part.rawPayload.equals(bytes.subarray(100, 200))]).toEqual([206, true])
    expect((await range('bytes=-50')).rawPayload.equals(bytes.subarray(-50))).toBe(true)
    expect((await range('bytes=500-')).rawPayload.equals(bytes.subarray(500))).toBe(true)
    expect((await range('bytes=9000-')).statusCode).toBe(416)
  })

  it('is for the ward that it belongs to', async () => {
    const bytes = jpeg(100)
    await central.upload(bytes, { 'x-watchpost-camera': 'le-loi-1' })
    const url = `/api/v1/evidence/${sha256Of(bytes)}`
    const officer = await central.signIn('wardOfficer', 'an-cuu')
    expect((await get(url, officer)).statusCode).toBe(404)
    await central.users.add({ name: 'other', role: 'wardOfficer', wardId: 'thuan-hoa', password: 'a long password' })
    const token = await central.users.renewApiToken('other')
    expect((await get(url, { authorization: `Bearer ${token}` })).statusCode).toBe(200)
  })
})

describe('the wall picture of a camera', () => {
  const snapshot = (bytes: Buffer, takenAt: string) =>
    central.upload(bytes, {
      'x-watchpost-camera': 'le-loi-1',
      'x-watchpost-role': 'snapshot',
      'x-watchpost-taken-at': takenAt,
    })

  it('is the newest by the time it was taken', async () => {
    const session = await central.signIn('viewer')
    const [older, newer] = [await picture(1), await picture(2)]
    await snapshot(newer, '2026-10-27T03:00:30.000Z')
    await snapshot(older, '2026-10-27T03:00:00.000Z')
    const reply = await get('/api/v1/cameras/le-loi-1/snapshot', session)
    expect(reply.rawPayload.equals(newer)).toBe(true)
    expect(reply.headers['x-taken-at']).toBe('2026-10-27T03:00:30.000Z')
    const again = await get('/api/v1/cameras/le-loi-1/snapshot', {
      ...session,
      'if-none-match': String(reply.headers.etag),
    })
    expect(again.statusCode).toBe(304)
  })

  it('is not held up by one from an agent whose clock is ahead', async () => {
    const [ahead, now] = [await picture(1), await picture(2)]
    await snapshot(ahead, '2031-01-01T00:00:00.000Z')
    central.world.now += 10_000
    await snapshot(now, new Date(central.world.now).toISOString())
    expect((await central.evidence.newestPicture('le-loi-1'))?.sha256).toBe(sha256Of(now))
  })
})
