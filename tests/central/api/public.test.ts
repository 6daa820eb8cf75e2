import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SeriesPoint } from '../../../central/timeseries/time-series-store.js'
import { startAt } from '../incidents/facts.js'
import { type Central, picture, problemOf, publicApi, record, sha256Of, startCentral } from './harness.js'

let central: Central
beforeEach(async () => {
  central = await startCentral()
})
afterEach(() => central.stop())

const get = (url: string, headers: Record<string, string> = {}) => central.app.inject({ method: 'GET', url, headers })
const point = (change: Partial<SeriesPoint> = {}): SeriesPoint => ({
  siteId: 'an-cuu',
  cameraId: 'le-loi-1',
  analytic: 'flood',
  property: 'floodLevel',
  at: central.world.now - 10_000,
  value: 31.4,
  unit: 'cm',
  quality: 'good',
  ...change,
})
/** Properties of the hotspot Lê Lợi as citizens get them now. */
const leLoi = async () => {
  central.world.now += 5000
  const reply = await get('/public/v1/hotspots')
  expect(reply.statusCode).toBe(200)
  return reply.json().features.find((feature: { id: string }) => feature.id === 'le-loi').properties
}
const snapshot = async (bytes: Buffer, camera = 'le-loi-1') =>
  central.upload(bytes, {
    'x-watchpost-camera': camera,
    'x-watchpost-role': 'snapshot',
    'x-watchpost-taken-at': new Date(central.world.now).toISOString(),
  })

describe('GET /public/v1/hotspots', () => {
  it('gives level, trend and how long they hold', async () => {
    central.world.points = [point(), point({ property: 'floodRate', value: 12.3, unit: 'cm/h' })]
    expect(await leLoi()).toEqual({
      id: 'le-loi',
      name: { vi: 'Lê Lợi', en: 'Lê Lợi' },
      status: 'current',
      levelCm: 31,
      trend: 'rising',
      rateCmPerHour: 12,
      severity: 'minor',
      alarmLevel: { vi: 'ankle', en: 'ankle' },
      observedAt: '2026-10-27T03:00:50.000Z',
      validUntil: '2026-10-27T03:05:50.000Z',
      snapshot: null,
    })
  })

  it('takes no level of another site’s agent for its own', async () => {
    central.world.points = [point(), point({ siteId: 'kim-long', at: central.world.now, value: 0 })]
    expect(await leLoi()).toMatchObject({ status: 'current', levelCm: 31 })
  })

  it('says nothing of the rate when that comes from a clock that is ahead', async () => {
    const ahead = central.world.now + 600_000
    central.world.points = [point(), point({ property: 'floodRate', value: 12.3, unit: 'cm/h', at: ahead })]
    expect(await leLoi()).toMatchObject({ status: 'current', levelCm: 31, rateCmPerHour: null, trend: null })
  })

  it('says dry only of a fresh, good reading', async () => {
    central.world.points = [point({ value: 0 })]
    expect(await leLoi()).toMatchObject({ status: 'current', levelCm: 0, severity: null, alarmLevel: null })
  })

  it.each([
    ['there never was a reading', () => {}, 'offline'],
    ['the reading is old and its agent speaks', () => age(400), 'stale'],
    [
      'the reading is old and its agent is silent',
      () => {
        age(400)
        central.world.agents = central.world.agents.map(agent => ({ ...agent, status: 'offline' as const }))
      },
      'offline',
    ],
    ['the camera is covered', () => condition('covered'), 'obscured'],
    ['the camera was moved', () => condition('moved'), 'obscured'],
    ['the camera is lost', () => condition('stalled'), 'offline'],
    ['the reading is suspended', () => reading({ quality: 'suspended', value: null }), 'obscured'],
    ['the reading is uncertain', () => reading({ quality: 'uncertain' }), 'underReview'],
    ['the reading comes from the future', () => reading({ at: central.world.now + 600_000 }), 'underReview'],
    ['there is a value of null', () => reading({ value: null }), 'obscured'],
  ] as const)('shows no level when %s', async (_title, arrange, status) => {
    arrange()
    expect(await leLoi()).toMatchObject({
      status,
      levelCm: null,
      trend: null,
      rateCmPerHour: null,
      severity: null,
      alarmLevel: null,
      validUntil: null,
    })
  })
  const age = (seconds: number) => reading({ at: central.world.now - seconds * 1000 })
  const reading = (change: Partial<SeriesPoint>) => {
    central.world.points = [point(change)]
  }
  const condition = (name: 'covered' | 'moved' | 'stalled') => {
    reading({})
    central.world.conditions.set('le-loi-1', name)
  }

  it('shows no level while reviewers call the running flood false, until it ends', async () => {
    central.world.points = [point({ at: central.world.now + 20_000 })]
    await central.incidents.apply([record('e1', { phenomenonTime: new Date(startAt).toISOString() })])
    expect(await leLoi()).toMatchObject({ status: 'current' })
    await central.incidents.verdict('e1', { value: 'false' }, { name: 'lan', role: 'reviewer', wardId: null })
    expect(await leLoi()).toMatchObject({ status: 'underReview', levelCm: null })
    const end = new Date(startAt + 60_000).toISOString()
    await central.incidents.apply([record('e2', { phase: 'ended', phenomenonTime: end })])
    expect(await leLoi()).toMatchObject({ status: 'current' })
  })

  it('shows no level however long a flood that was judged false goes on, until a newer one is a real one', async () => {
    const hour = 3_600_000
    const reviewer = { name: 'lan', role: 'reviewer', wardId: null } as const
    const begin = (id: string, atMs: number) =>
      central.incidents.apply([record(id, { happeningId: id, phenomenonTime: new Date(atMs).toISOString() })])
    const levelNow = () => {
      central.world.points = [point({ value: 38 })]
      return leLoi()
    }
    await begin('dirt', startAt)
    await central.incidents.verdict('dirt', { value: 'false' }, reviewer)
    for (const hours of [1, 23, 25, 49]) {
      central.world.now = startAt + hours * hour
      expect(await levelNow()).toMatchObject({ status: 'underReview', levelCm: null })
    }
    central.world.values = [{ at: central.world.now - hour, value: 38, min: 38, max: 38, quality: 'good' }]
    expect((await get('/public/v1/hotspots/le-loi/readings')).json().values).toMatchObject([{ levelCm: null }])
    // The gauge was cleaned while its agent was off: the end of the false flood never came.
    await begin('water', central.world.now)
    expect(await levelNow()).toMatchObject({ status: 'current', levelCm: 38 })
  })

  it('shows no level when the time series cannot be asked', async () => {
    central.world.points = [point()]
    expect(await leLoi()).toMatchObject({ status: 'current' })
    central.world.seriesFails = true
    expect(await leLoi()).toMatchObject({ status: 'offline', levelCm: null })
    expect(JSON.stringify(central.world.logged)).toContain('Water levels cannot be read')
  })

  it('is made once and then answered from memory, with an ETag', async () => {
    central.world.points = [point()]
    const first = await get('/public/v1/hotspots')
    central.world.points = [point({ value: 99 })]
    const second = await get('/public/v1/hotspots')
    expect(second.body).toBe(first.body)
    expect(first.headers).toMatchObject({
      'content-type': 'application/geo+json; charset=utf-8',
      'access-control-allow-origin': '*',
      'cache-control': expect.stringContaining('stale-if-error'),
    })
    expect(first.headers['set-cookie']).toBeUndefined()
    const unchanged = await get('/public/v1/hotspots', { 'if-none-match': String(first.headers.etag) })
    expect([unchanged.statusCode, unchanged.body]).toEqual([304, ''])
    central.world.now += 5000
    expect((await get('/public/v1/hotspots')).headers.etag).not.toBe(first.headers.etag)
  })

  it('is made again on time when the clock was set back', async () => {
    central.world.points = [point()]
    expect(await leLoi()).toMatchObject({ status: 'current', levelCm: 31 })
    central.world.setBackMs = 3_600_000
    central.world.points = [point({ at: central.world.now - central.world.setBackMs, value: 44 })]
    expect(await leLoi()).toMatchObject({ status: 'current', levelCm: 44 })
  })

  it('lets nothing out that is not in the public schema', async () => {
    central.world.points = [{ ...point(), agentId: 'secret-agent' } as SeriesPoint]
    const hotspots = central.registry.city().hotspots.map(hotspot => ({
      ...hotspot,
      operatorNote: 'secret-note',
      name: { ...hotspot.name, internal: 'secret-name' },
      levels: hotspot.levels.map(level => ({ ...level, phone: 'secret-phone' })),
    }))
    const leaky = await startCentral({
      registry: { ...central.registry, city: () => ({ ...central.registry.city(), hotspots }) },
      timeseries: { latest: async () => central.world.points, query: async () => [] },
    })
    const reply = await leaky.app.inject({ method: 'GET', url: '/public/v1/hotspots' })
    expect(reply.json().features[0].properties).toMatchObject({ status: 'current', levelCm: 31 })
    expect(reply.body).not.toMatch(/secret|operatorNote|agentId|siteId|cameraId|camera/)
    await leaky.stop()
  })

  it('limits an address that asks without end, and nobody else', async () => {
    const limited = await startCentral({ publicApi: publicApi({ requestsPerMinute: 2 }) })
    const ask = (remoteAddress: string) =>
      limited.app.inject({ method: 'GET', url: '/public/v1/hotspots', remoteAddress })
    const replies = []
    for (let call = 0; call < 3; call++) replies.push(await ask('10.1.1.1'))
    expect(replies.map(reply => reply.statusCode)).toEqual([200, 200, 429])
    expect(problemOf(replies[2]!)).toMatchObject({
      title: 'Too many requests',
      detail: expect.stringContaining('Wait'),
    })
    expect(Number(replies[2]!.headers['retry-after'])).toBeGreaterThan(0)
    // A page of another origin may read it, and a proxy keeps nobody's count for all.
    expect(replies[2]!.headers['access-control-allow-origin']).toBe('*')
    expect(Object.keys(replies[0]!.headers).filter(name => name.startsWith('x-ratelimit'))).toEqual([])
    expect((await ask('10.1.1.2')).statusCode).toBe(200)
    // Whoever has an IPv6 line has 2^64 addresses.
    const statuses = []
    for (const end of ['1', '2', '3']) statuses.push((await ask(`2001:db8:0:1::${end}`)).statusCode)
    expect(statuses).toEqual([200, 200, 429])
    await limited.stop()
  })

  it.each([
    ['one proxy', true, '198.51.100.7'],
    ['two proxies', 2, '198.51.100.7, 10.0.0.2'],
    ['proxies by their addresses', ['127.0.0.1', '10.0.0.0/8'], '198.51.100.7, 10.0.0.2'],
  ] as const)('counts behind %s what those saw, whatever address the caller claims', async (_, trust, seen) => {
    const trustProxy = typeof trust === 'object' ? [...trust] : trust
    const limited = await startCentral({
      http: { trustProxy, secureCookies: false },
      publicApi: publicApi({ requestsPerMinute: 2 }),
    })
    const ask = (forwarded: string) =>
      limited.app.inject({
        method: 'GET',
        url: '/public/v1/hotspots',
        remoteAddress: '127.0.0.1',
        headers: { 'x-forwarded-for': forwarded },
      })
    const statuses = []
    for (const claimed of ['203.0.113.1', '203.0.113.2', '203.0.113.3'])
      statuses.push((await ask(`${claimed}, ${seen}`)).statusCode)
    expect(statuses).toEqual([200, 200, 429])
    expect((await ask(seen.replace('198.51.100.7', '198.51.100.8'))).statusCode).toBe(200)
    await limited.stop()
  })

  it('has no limit of its own when it is told so', async () => {
    const open = await startCentral({ publicApi: publicApi({ requestsPerMinute: 0 }) })
    const statuses = []
    for (let call = 0; call < 30; call++) {
      statuses.push((await open.app.inject({ method: 'GET', url: '/public/v1/hotspots' })).statusCode)
    }
    expect(new Set(statuses)).toEqual(new Set([200]))
    await open.stop()
  })

  it('is not there when the public API is off', async () => {
    const closed = await startCentral({ publicApi: publicApi({ enabled: false }) })
    expect((await closed.app.inject({ method: 'GET', url: '/public/v1/hotspots' })).statusCode).toBe(404)
    await closed.stop()
  })
})

describe('public pictures', () => {
  it('are small, blurred past reading, and carry no metadata', async () => {
    central.world.points = [point()]
    const original = await picture()
    await snapshot(original)
    const { snapshot: shown } = await leLoi()
    expect(shown).toMatchObject({ width: 320, height: 180, takenAt: '2026-10-27T03:01:00.000Z' })
    const reply = await get(shown.href)
    expect(reply.headers).toMatchObject({
      'content-type': 'image/jpeg',
      'cache-control': 'public, max-age=31536000, immutable',
    })
    const metadata = await sharp(reply.rawPayload).metadata()
    expect([metadata.width, metadata.exif, metadata.icc, metadata.xmp]).toEqual([320, undefined, undefined, undefined])
    expect(reply.rawPayload.includes('house number 12')).toBe(false)
    // Stripes as wide as the strokes of a number plate vanish into grey; the dark half stays dark.
    const left = { left: 20, top: 20, width: 100, height: 100 }
    const { channels } = await sharp(await sharp(reply.rawPayload).extract(left).toBuffer()).stats()
    expect(channels[0]!.stdev).toBeLessThan(6)
    expect(channels[0]!.mean).toBeGreaterThan(80)
    const right = { left: 200, top: 20, width: 100, height: 100 }
    const dark = await sharp(await sharp(reply.rawPayload).extract(right).toBuffer()).stats()
    expect(dark.channels[0]!.mean).toBeLessThan(20)
  })

  it('have an address of their own: originals have none', async () => {
    central.world.points = [point()]
    const original = await picture()
    await snapshot(original)
    const { snapshot: shown } = await leLoi()
    expect(shown.href).not.toContain(sha256Of(original))
    expect((await get(`/public/v1/snapshots/${sha256Of(original)}.jpg`)).statusCode).toBe(404)
    expect((await get(`/api/v1/evidence/${sha256Of(original)}`)).statusCode).toBe(401)
  })

  it('come from flood events when there is no wall picture, never from traffic', async () => {
    central.world.points = [point()]
    const [flood, traffic] = [await picture(1), await picture(2)]
    const evidenceOf = (bytes: Buffer, takenAt: string) => [
      { sha256: sha256Of(bytes), mediaType: 'image/jpeg' as const, bytes: bytes.length, role: 'at' as const, takenAt },
    ]
    await central.incidents.apply([
      record('t', {
        kind: 'red-light',
        happeningId: 't',
        evidence: evidenceOf(traffic, '2026-10-27T03:00:30.000Z'),
        phenomenonTime: '2026-10-27T03:00:30.000Z',
      }),
    ])
    await central.upload(traffic, { 'x-watchpost-camera': 'le-loi-1' })
    expect(await leLoi()).toMatchObject({ snapshot: null })
    await central.incidents.apply([
      record('f', {
        happeningId: 'f',
        evidence: evidenceOf(flood, '2026-10-27T03:00:00.000Z'),
        phenomenonTime: '2026-10-27T03:00:00.000Z',
      }),
    ])
    await central.upload(flood, { 'x-watchpost-camera': 'le-loi-1' })
    expect(await leLoi()).toMatchObject({ snapshot: { takenAt: '2026-10-27T03:00:00.000Z' } })
  })

  it('are not shown when they cannot be redacted, are too old, or the view is obscured', async () => {
    central.world.points = [point({ at: central.world.now + 60_000 })]
    await snapshot(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(500)]))
    expect(await leLoi()).toMatchObject({ status: 'current', snapshot: null })
    expect(JSON.stringify(central.world.logged)).toContain('could not be redacted')
    await snapshot(await picture())
    expect(await leLoi()).toMatchObject({ snapshot: { width: 320 } })
    central.world.conditions.set('le-loi-1', 'moved')
    expect(await leLoi()).toMatchObject({ status: 'obscured', snapshot: null })
    central.world.conditions.clear()
    central.world.now += 3_700_000
    central.world.points = [point()]
    expect(await leLoi()).toMatchObject({ status: 'current', snapshot: null })
  })
})

describe('GET /public/v1/hotspots/{id}/readings', () => {
  it('gives the last day, null where the level is not known', async () => {
    const at = central.world.now - 600_000
    central.world.values = [
      { at, value: 12.2, min: 12, max: 13, quality: 'good' },
      { at: at + 300_000, value: 14, min: 14, max: 14, quality: 'uncertain' },
      { at: at + 600_000, value: null, min: null, max: null, quality: 'suspended' },
    ]
    const reply = await get('/public/v1/hotspots/le-loi/readings')
    expect(reply.json()).toMatchObject({ unit: 'cm', values: [{ levelCm: 12 }, { levelCm: null }, { levelCm: null }] })
    expect(problemOf(await get('/public/v1/hotspots/nowhere/readings'))).toMatchObject({ status: 404 })
    expect(problemOf(await get('/public/v1/hotspots/NOT..ID/readings'))).toMatchObject({ status: 400 })
  })
})
