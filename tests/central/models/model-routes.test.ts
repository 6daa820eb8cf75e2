import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { Value } from '@sinclair/typebox/value'
import { ModelView, PackageView } from '@watchpost/shared/api/models'
import { reportedModelExample } from '@watchpost/shared/contracts/twin'
import { shadowReportsExample } from '@watchpost/shared/contracts/shadow-report'
import { archiveOf } from '@watchpost/shared/manifest/package-archive'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { gridManifest } from '../../edge/inference/packages.js'
import { agentToken, type Central, problemOf, sha256Of, startCentral } from '../api/harness.js'

let central: Central
let engineer: { authorization: string }
beforeEach(async () => {
  central = await startCentral()
  engineer = await central.signIn('engineer')
})
afterEach(() => central.stop())

const bytesOf = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const packageOf = (version: string, weights = 'x'.repeat(5000)): Buffer =>
  Buffer.from(
    archiveOf([
      { path: 'manifest.json', bytes: bytesOf(gridManifest(weights, { version, id: 'water-segmentation' })) },
      { path: 'model.onnx', bytes: bytesOf(weights) },
    ]),
  )
const put = (bytes: Buffer, headers: Record<string, string> = {}, sha256 = sha256Of(bytes), who = engineer) =>
  central.app.inject({
    method: 'PUT',
    url: `/api/v1/models/packages/${sha256}`,
    headers: { ...who, 'content-type': 'application/octet-stream', ...headers },
    payload: bytes,
  })
const get = (url: string, headers: Record<string, string> = engineer) => central.app.inject({ url, headers })
const fetchPackage = (sha256: string, headers: Record<string, string> = {}) =>
  get(`/ingest/v1/models/${sha256}`, {
    'x-watchpost-agent': 'an-cuu-1',
    authorization: `Bearer ${agentToken}`,
    ...headers,
  })
const tell = (channel: 'reported' | 'shadow', content: unknown) =>
  central.models.onMessage({ siteId: 'an-cuu', agentId: 'an-cuu-1', channel }, Buffer.from(JSON.stringify(content)))

describe('model packages at central', () => {
  it('are stored under their digest, told of, and handed to agents, whole or in ranges', async () => {
    const archive = packageOf('0.2.0')
    const reply = await put(archive)
    expect(reply.statusCode).toBe(201)
    expect([...Value.Errors(PackageView, reply.json())]).toEqual([])
    expect(reply.json()).toMatchObject({ id: 'water-segmentation', version: '0.2.0', uploadedBy: 'engineer-1' })
    expect((await put(archive)).statusCode).toBe(200)
    expect((await get('/api/v1/models/packages')).json()).toMatchObject({ items: [{ sha256: sha256Of(archive) }] })
    const whole = await fetchPackage(sha256Of(archive))
    expect(sha256Of(whole.rawPayload)).toBe(sha256Of(archive))
    const rest = await fetchPackage(sha256Of(archive), { range: 'bytes=1000-' })
    expect([rest.statusCode, rest.headers['content-range']]).toEqual([
      206,
      `bytes 1000-${archive.length - 1}/${archive.length}`,
    ])
    expect(rest.rawPayload.equals(archive.subarray(1000))).toBe(true)
    expect((await fetchPackage(sha256Of(archive), { range: `bytes=${archive.length}-` })).statusCode).toBe(416)
  })

  it('may arrive in parts, and say where to go on', async () => {
    const archive = packageOf('0.2.0')
    const [sha256, total] = [sha256Of(archive), archive.length]
    const part = (from: number, to: number) =>
      put(archive.subarray(from, to), { 'content-range': `bytes ${from}-${to - 1}/${total}` }, sha256)
    expect((await part(0, 3000)).statusCode).toBe(202)
    const missing = await get(`/api/v1/models/packages/${sha256}`)
    expect([missing.statusCode, missing.headers['upload-offset']]).toEqual([404, '3000'])
    const ahead = await part(4000, total)
    expect([ahead.statusCode, ahead.headers['upload-offset']]).toEqual([409, '3000'])
    expect((await part(3000, total)).statusCode).toBe(201)
    expect((await fetchPackage(sha256)).rawPayload.equals(archive)).toBe(true)
  })

  it('are given up when their connection falls silent, and may then go on from there', async () => {
    const archive = packageOf('0.2.0')
    const [sha256, total] = [sha256Of(archive), archive.length]
    const url = await central.app.listen({ host: '127.0.0.1', port: 0 })
    const ending = new AbortController()
    onTestFinished(() => ending.abort())
    // The minute without a byte passes when the test says so.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const upload = request(`${url}/api/v1/models/packages/${sha256}`, {
      method: 'PUT',
      headers: { ...engineer, 'content-type': 'application/octet-stream', 'content-length': total },
      signal: ending.signal,
    }).on('error', () => {})
    let answer: IncomingMessage | undefined
    upload.on('response', response => {
      answer = response
    })
    upload.write(archive.subarray(0, 3000))
    const received = async () => (await get(`/api/v1/models/packages/${sha256}`)).headers['upload-offset']
    while ((await received()) !== '3000') await setImmediate()
    expect(problemOf(await put(archive)).title).toBe('This package is being uploaded')
    while (answer === undefined) {
      vi.advanceTimersByTime(60_000)
      await setImmediate()
    }
    expect([answer.statusCode, answer.headers['upload-offset']]).toEqual([408, '3000'])
    expect(await text(answer)).toContain('No byte came for 60 s')
    expect(
      (await put(archive.subarray(3000), { 'content-range': `bytes 3000-${total - 1}/${total}` }, sha256)).statusCode,
    ).toBe(201)
  })

  it('are refused with another hash, when they are no package, too large, or sent by somebody else', async () => {
    const archive = packageOf('0.2.0')
    const wrong = await put(archive, {}, 'a'.repeat(64))
    expect(problemOf(wrong)).toMatchObject({ status: 422, title: 'The bytes do not have this hash' })
    expect(problemOf(await put(Buffer.from('no package')))).toMatchObject({ status: 422, title: 'Not a model package' })
    const broken = Buffer.from(archiveOf([{ path: 'manifest.json', bytes: bytesOf({ schemaVersion: 1 }) }]))
    expect(problemOf(await put(broken)).detail).toContain('manifest.json')
    expect((await put(packageOf('0.3.0', 'y'.repeat(250_000)))).statusCode).toBe(413)
    const viewer = await central.signIn('viewer')
    expect((await put(archive, {}, undefined, viewer)).statusCode).toBe(403)
    expect((await fetchPackage(sha256Of(archive), { authorization: 'Bearer wrong' })).statusCode).toBe(401)
    expect((await fetchPackage(sha256Of(archive))).statusCode).toBe(404)
    expect((await get('/api/v1/models/packages')).json()).toEqual({ items: [] })
  })
})

describe('rollouts', () => {
  const rollOut = (body: object, who = engineer) =>
    central.app.inject({
      method: 'POST',
      url: '/api/v1/models/water-segmentation/rollout',
      headers: who,
      payload: body,
    })

  beforeEach(() => central.world.reported.set('an-cuu-1', reportedModelExample))

  it('show which camera runs which digest, and keep the newest shadow report', async () => {
    const [view] = (await get('/api/v1/models')).json().items
    expect([...Value.Errors(ModelView, view)]).toEqual([])
    expect(view).toMatchObject({
      id: 'water-segmentation',
      agents: [
        {
          agentId: 'an-cuu-1',
          version: '0.1.0',
          digest: null,
          cameras: [{ cameraId: 'le-loi-1' }],
          candidate: { phase: 'shadowing' },
        },
      ],
    })
    tell('shadow', shadowReportsExample)
    tell('shadow', { at: 'nonsense' })
    const shadow = (await get('/api/v1/models/vehicles/shadow')).json()
    expect(shadow.items).toHaveLength(1)
    expect(shadow.items[0]).toMatchObject({ agentId: 'an-cuu-1', report: { agreement: 0.91 } })
  })

  it('become wishes of the agents, with roles and an audit', async () => {
    const archive = packageOf('0.2.0')
    const digest = sha256Of(archive)
    expect(problemOf(await rollOut({ mode: 'shadow', digest }))).toMatchObject({
      status: 422,
      detail: expect.stringContaining('upload it first'),
    })
    await put(archive)
    const viewer = await central.signIn('viewer')
    expect((await rollOut({ mode: 'shadow', digest }, viewer)).statusCode).toBe(403)
    const reply = await rollOut({ mode: 'shadow', digest, cameras: ['le-loi-1'], cpuShare: 0.2 })
    expect(reply.json()).toEqual({ accepted: [{ agentId: 'an-cuu-1', version: 1 }], refused: [] })
    expect(central.world.desired.get('an-cuu-1')?.models).toMatchObject([
      { id: 'water-segmentation', mode: 'shadow', digest, cameras: ['le-loi-1'], cpuShare: 0.2 },
    ])
    expect(problemOf(await rollOut({ mode: 'shadow', digest, cameras: ['nowhere'] })).status).toBe(404)
    await rollOut({ mode: 'stop' })
    // The agent has not taken it up and still tells of another candidate, which ends as well.
    expect(central.world.desired.get('an-cuu-1')?.models).toMatchObject([{ mode: 'configured' }])
    expect(problemOf(await rollOut({ mode: 'rollback' })).detail).toContain('nothing to go back to')
    tell('reported', reportedModelExample)
    tell('reported', reportedModelExample)
    const audit = (await get('/api/v1/models/audit')).json().items
    expect(audit.map(({ by, action }: { by: string; action: string }) => `${by}: ${action}`)).toEqual([
      'agent an-cuu-1: shadowing',
      'engineer-1: wish stop',
      'engineer-1: wish shadow',
      'engineer-1: upload',
    ])
  })

  it('go back to what ran before: a digest, or the configured package', async () => {
    const [model] = reportedModelExample.models
    const standing = { ...model!, digest: 'b'.repeat(64), previous: { digest: null } }
    central.world.reported.set('an-cuu-1', { ...reportedModelExample, models: [standing] })
    await rollOut({ mode: 'rollback' })
    expect(central.world.desired.get('an-cuu-1')?.models).toMatchObject([{ mode: 'configured' }])
    const earlier = { ...standing, previous: { digest: 'c'.repeat(64) } }
    central.world.reported.set('an-cuu-1', { ...reportedModelExample, models: [earlier] })
    await rollOut({ mode: 'rollback' })
    expect(central.world.desired.get('an-cuu-1')?.models).toMatchObject([{ mode: 'active', digest: 'c'.repeat(64) }])
  })

  it('that are stopped leave what runs, however the candidate came about', async () => {
    const [model] = reportedModelExample.models
    const stopAt = async (standing: object) => {
      central.world.reported.set('an-cuu-1', { ...reportedModelExample, models: [{ ...model!, ...standing }] })
      await rollOut({ mode: 'stop' })
      return central.world.desired.get('an-cuu-1')?.models
    }
    // By a command on the agent itself: central has no wish it could take back.
    expect(await stopAt({ digest: 'b'.repeat(64) })).toMatchObject([{ mode: 'active', digest: 'b'.repeat(64) }])
    expect(await stopAt({ digest: null })).toMatchObject([{ mode: 'configured' }])
    const { digest } = model!.candidate!
    for (const mode of ['active', 'shadow']) {
      await rollOut({ mode, digest })
      expect(await stopAt({})).toEqual([])
    }
    await rollOut({ mode: 'active', digest })
    expect(await stopAt({ candidate: null })).toEqual([])
  })

  it('can be set as a whole per agent, on the version that was looked at', async () => {
    const set = (payload: object, headers = {}) =>
      central.app.inject({
        method: 'PUT',
        url: '/api/v1/agents/an-cuu-1/desired',
        headers: { ...engineer, ...headers },
        payload,
      })
    expect((await get('/api/v1/agents/an-cuu-1/desired')).statusCode).toBe(404)
    expect((await set({ config: { cameras: [] } })).json()).toMatchObject({ version: 1, config: { cameras: [] } })
    expect((await set({ models: [] }, { 'if-match': '"0"' })).statusCode).toBe(412)
    expect((await set({ models: [] }, { 'if-match': '"1"' })).json()).toMatchObject({
      version: 2,
      config: { cameras: [] },
    })
    expect((await set({ surprise: 1 })).statusCode).toBe(400)
    const nobody = await central.app.inject({
      method: 'PUT',
      url: '/api/v1/agents/nobody/desired',
      headers: engineer,
      payload: {},
    })
    expect(nobody.statusCode).toBe(404)
  })
})
