import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { NotConnectedError } from '../../../central/broker/link.js'
import { createRegistry } from '../../../central/registry/create-registry.js'
import { openSqliteRegistryStore } from '../../../central/registry/sqlite/sqlite-registry-store.js'
import { smallCity } from '../incidents/city.js'
import { startAt } from '../incidents/facts.js'
import { type Central, password, problemOf, record, startCentral } from './harness.js'

let central: Central
beforeEach(async () => {
  central = await startCentral()
})
afterEach(() => central.stop())

const get = (url: string, headers: Record<string, string> = {}) => central.app.inject({ method: 'GET', url, headers })
const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
  central.app.inject({ method: 'POST', url, payload, headers })

describe('signing in', () => {
  it('gives a cookie that scripts cannot read and other sites cannot send', async () => {
    await central.users.add({ name: 'lan', role: 'reviewer', wardId: null, password })
    const reply = await post('/api/v1/session', { name: 'lan', password })
    expect(reply.statusCode).toBe(200)
    expect(reply.json()).toEqual({ name: 'lan', role: 'reviewer', wardId: null })
    expect(reply.headers['set-cookie']).toMatch(/HttpOnly; SameSite=Strict/)
    const cookie = String(reply.headers['set-cookie']).split(';')[0]!
    expect((await get('/api/v1/me', { cookie })).json()).toMatchObject({ name: 'lan' })
    const out = await central.app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie } })
    expect(out.statusCode).toBe(204)
    expect((await get('/api/v1/me', { cookie })).statusCode).toBe(401)
  })

  it('refuses a wrong password and an unknown name alike', async () => {
    await central.users.add({ name: 'lan', role: 'viewer', wardId: null, password })
    const wrong = problemOf(await post('/api/v1/session', { name: 'lan', password: 'another password' }))
    const unknown = problemOf(await post('/api/v1/session', { name: 'nobody', password }))
    expect(wrong).toMatchObject({ status: 401, title: 'Wrong name or password' })
    expect({ ...unknown, instance: 0 }).toEqual({ ...wrong, instance: 0 })
  })

  it('slows down guessing from one address and against one name', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const guess = (name: string, remoteAddress: string) =>
      central.app.inject({ method: 'POST', url: '/api/v1/session', payload: { name, password }, remoteAddress })
    const replies = []
    for (let index = 0; index < 11; index++) replies.push(await post('/api/v1/session', { name: 'lan', password }))
    expect(replies.slice(0, 10).every(reply => reply.statusCode === 401)).toBe(true)
    expect(replies[10]!.statusCode).toBe(429)
    expect(Number(replies[10]!.headers['retry-after'])).toBeGreaterThan(0)
    expect((await guess('lan', '10.0.0.7')).statusCode).toBe(429)
    expect((await guess('minh', '127.0.0.1')).statusCode).toBe(429)
    expect((await guess('hoa', '10.0.0.7')).statusCode).toBe(401)
    vi.setSystemTime(Date.now() + 61_000)
    expect((await post('/api/v1/session', { name: 'lan', password })).statusCode).toBe(401)
  })

  it('ends a session that nobody uses for twelve hours', async () => {
    await central.users.add({ name: 'lan', role: 'viewer', wardId: null, password })
    const { sessionToken } = (await central.users.signIn('lan', password))!
    const session = { cookie: `watchpost_session=${sessionToken}` }
    central.world.now += 11 * 3_600_000
    expect((await get('/api/v1/me', session)).statusCode).toBe(200)
    central.world.now += 11 * 3_600_000
    expect((await get('/api/v1/me', session)).statusCode).toBe(200)
    central.world.now += 13 * 3_600_000
    expect((await get('/api/v1/me', session)).statusCode).toBe(401)
  })

  it('takes an API token in place of a cookie', async () => {
    await central.users.add({ name: 'script', role: 'viewer', wardId: null, password })
    const token = await central.users.renewApiToken('script')
    expect((await get('/api/v1/me', { authorization: `Bearer ${token}` })).json()).toMatchObject({ name: 'script' })
    await central.users.renewApiToken('script')
    expect((await get('/api/v1/me', { authorization: `Bearer ${token}` })).statusCode).toBe(401)
  })

  it.each([
    '/api/v1/me',
    '/api/v1/city',
    '/api/v1/incidents',
    '/api/v1/events',
    '/api/v1/cameras',
    '/api/v1/cameras/le-loi-1/snapshot',
    '/api/v1/agents',
    '/api/v1/agents/an-cuu-1/ledger',
    '/api/v1/series?camera=le-loi-1&property=floodLevel',
    `/api/v1/evidence/${'0'.repeat(64)}`,
    '/api/v1/stream',
  ])('is needed for %s', async url => {
    expect(problemOf(await get(url))).toMatchObject({
      status: 401,
      mediaType: 'application/problem+json; charset=utf-8',
      title: 'Not signed in',
    })
  })
})

describe('incidents', () => {
  it('are listed, filtered and paged with opaque cursors', async () => {
    const session = await central.signIn('viewer')
    await central.incidents.apply([
      record('e1', { happeningId: '1', phenomenonTime: '2026-10-27T03:00:00.000Z' }),
      record('e2', { happeningId: '2', phenomenonTime: '2026-10-27T04:00:00.000Z', severity: 'critical' }),
      record('e3', { happeningId: '3', kind: 'red-light', phenomenonTime: '2026-10-27T05:00:00.000Z' }),
    ])
    const ids = async (query: string) =>
      (await get(`/api/v1/incidents?${query}`, session)).json().items.map((item: { id: string }) => item.id)
    expect(await ids('')).toEqual(['e3', 'e2', 'e1'])
    expect(await ids('kind=flood-level')).toEqual(['e2', 'e1'])
    expect(await ids('kind=flood-level&kind=red-light')).toEqual(['e3', 'e2', 'e1'])
    expect(await ids('kind=flood-level,red-light&state=new,reopened')).toEqual(['e3', 'e2', 'e1'])
    expect((await get('/api/v1/incidents?state=new,gone', session)).statusCode).toBe(400)
    expect(await ids('severity=critical')).toEqual(['e2'])
    expect(await ids('since=2026-10-27T04:30:00.000Z')).toEqual(['e3'])
    expect(await ids('open=true')).toHaveLength(3)
    expect(await ids('open=false')).toEqual([])
    const first = (await get('/api/v1/incidents?limit=2', session)).json()
    expect(await ids(`limit=2&cursor=${first.nextCursor}`)).toEqual(['e1'])
    expect(problemOf(await get('/api/v1/incidents?cursor=nonsense', session))).toMatchObject({
      status: 400,
      errors: [{ path: '/cursor' }],
    })
    expect(problemOf(await get('/api/v1/incidents?colour=red&limit=0', session))).toMatchObject({
      status: 400,
      errors: [{ path: '/querystring', message: expect.stringContaining('colour') }, { path: '/querystring/limit' }],
    })
  })

  it('tell the bearing of a plume, and null where an event has none', async () => {
    const session = await central.signIn('viewer')
    await central.incidents.apply([
      record('e1', { happeningId: '1', kind: 'forest-fire', bearingDeg: 47.5 }),
      record('e2', { happeningId: '2' }),
    ])
    const events = (await get('/api/v1/events', session)).json().items
    expect(events.map((event: { bearingDeg: number }) => event.bearingDeg).toSorted()).toEqual([47.5, null])
  })

  it('are changed only on the version that was looked at', async () => {
    const session = await central.signIn('reviewer')
    await central.incidents.apply([record('e1')])
    const url = '/api/v1/incidents/e1/transitions'
    const seen = await get('/api/v1/incidents/e1', session)
    expect(seen.headers.etag).toBe('"1"')
    expect(problemOf(await post(url, { to: 'acknowledged' }, session))).toMatchObject({ status: 428 })
    const changed = await post(url, { to: 'acknowledged' }, { ...session, 'if-match': '"1"' })
    expect(changed).toMatchObject({ statusCode: 200, headers: { etag: '"2"' } })
    expect(changed.json()).toMatchObject({ state: 'acknowledged', version: 2 })
    expect(problemOf(await post(url, { to: 'inProgress' }, { ...session, 'if-match': '"1"' }))).toMatchObject({
      status: 412,
      title: 'The incident has changed meanwhile',
    })
  })

  it('answer a repeated request once, and notice a key used for something else', async () => {
    const session = await central.signIn('reviewer')
    await central.incidents.apply([record('e1')])
    const headers = { ...session, 'if-match': '"1"', 'idempotency-key': 'k1' }
    const url = '/api/v1/incidents/e1/transitions'
    const [first, second] = [
      await post(url, { to: 'acknowledged' }, headers),
      await post(url, { to: 'acknowledged' }, headers),
    ]
    expect([first.statusCode, second.statusCode]).toEqual([200, 200])
    expect(second.json().version).toBe(2)
    expect(problemOf(await post(url, { to: 'shelved' }, headers))).toMatchObject({ status: 422 })
  })

  it('say what is wrong with a change they refuse', async () => {
    const session = await central.signIn('reviewer')
    await central.incidents.apply([record('e1')])
    const headers = { ...session, 'if-match': '*' }
    expect(problemOf(await post('/api/v1/incidents/e1/transitions', { to: 'closed' }, headers))).toMatchObject({
      status: 422,
      errors: [{ path: '/to', hint: expect.stringContaining('acknowledged') }],
    })
    expect(problemOf(await post('/api/v1/incidents/e1/transitions', { to: 'gone' }, headers)).errors?.[0]?.path).toBe(
      '/body/to',
    )
    expect(problemOf(await post('/api/v1/incidents/none/transitions', { to: 'closed' }, headers)).status).toBe(404)
  })

  it('take notes and verdicts into their timeline', async () => {
    const session = await central.signIn('reviewer')
    await central.incidents.apply([record('e1')])
    await post('/api/v1/incidents/e1/notes', { note: 'pump sent' }, session)
    const judged = await post('/api/v1/events/e1/verdict', { value: 'true' }, session)
    expect(judged.json()).toMatchObject({
      state: 'acknowledged',
      events: [{ verdict: { value: 'true', by: 'reviewer-1' } }],
    })
    expect(judged.json().timeline.map((entry: { action: string }) => entry.action)).toEqual([
      'opened',
      'assigned',
      'note',
      'verdict',
      'state',
    ])
    expect((await get('/api/v1/events/e1', session)).json()).toMatchObject({ eventId: 'e1', incidentId: 'e1' })
    expect((await get('/api/v1/events?incident=e1', session)).json().items).toHaveLength(1)
  })
})

describe('commands that cannot be given', () => {
  const address = { siteId: 'an-cuu', agentId: 'an-cuu-1' }
  it.each([
    ['to an agent that the city file does not name', { ...smallCity, sites: [] }, 409, /city file.*reload/],
    ['while the broker is away', smallCity, 503, /not sent.*\/readyz/],
  ])('say what to do: %s', async (_, city, status, detail) => {
    const registry = createRegistry({
      city,
      store: openSqliteRegistryStore(':memory:'),
      publish: async () => {
        throw new NotConnectedError('not connected to mqtt://broker')
      },
      log: pino({ level: 'silent' }),
      now: () => startAt,
    })
    registry.noteUnknown(address)
    const other = await startCentral({ registry })
    const session = await other.signIn('engineer')
    const payload = { name: 'snapshot', cameraId: 'le-loi-1' }
    const reply = await other.app.inject({
      method: 'POST',
      url: '/api/v1/agents/an-cuu-1/commands',
      payload,
      headers: session,
    })
    expect(problemOf(reply)).toMatchObject({ status, detail: expect.stringMatching(detail) })
    await other.stop()
    await registry.stop()
  })
})

describe('roles', () => {
  it.each([
    ['viewer', '/api/v1/incidents/e1/transitions', 403],
    ['viewer', '/api/v1/incidents/e1/notes', 403],
    ['viewer', '/api/v1/events/e1/verdict', 403],
    ['viewer', '/api/v1/agents/an-cuu-1/commands', 403],
    ['reviewer', '/api/v1/agents/an-cuu-1/commands', 403],
    ['engineer', '/api/v1/agents/an-cuu-1/commands', 200],
    ['admin', '/api/v1/agents/an-cuu-1/commands', 200],
  ] as const)('a %s that posts to %s gets %i', async (role, url, status) => {
    const session = await central.signIn(role)
    await central.incidents.apply([record('e1')])
    const bodies: Record<string, object> = {
      transitions: { to: 'acknowledged' },
      notes: { note: 'x' },
      verdict: { value: 'true' },
      commands: { name: 'snapshot', cameraId: 'le-loi-1' },
    }
    const reply = await post(url, bodies[url.split('/').at(-1)!]!, { ...session, 'if-match': '*' })
    expect(reply.statusCode).toBe(status)
  })

  it('show a ward officer their ward and nothing else', async () => {
    const session = await central.signIn('wardOfficer', 'an-cuu')
    await central.incidents.apply([record('e1'), record('e2', { happeningId: 'other' }, 'an-cuu-1')])
    const items = async (url: string) => (await get(url, session)).json().items.map((item: { id: string }) => item.id)
    expect(await items('/api/v1/incidents?ward=thuan-hoa')).toEqual(['e2'])
    expect(await items('/api/v1/cameras')).toEqual(['an-cuu-1'])
    expect(await items('/api/v1/agents')).toEqual([])
    expect((await get('/api/v1/incidents/e1', session)).statusCode).toBe(404)
    expect((await get('/api/v1/series?camera=le-loi-1&property=floodLevel', session)).statusCode).toBe(404)
    expect((await get('/api/v1/cameras/le-loi-1', session)).statusCode).toBe(404)
    const headers = { ...session, 'if-match': '"1"' }
    expect((await post('/api/v1/incidents/e1/transitions', { to: 'acknowledged' }, headers)).statusCode).toBe(404)
    expect((await post('/api/v1/incidents/e2/transitions', { to: 'acknowledged' }, headers)).statusCode).toBe(200)
    expect((await post('/api/v1/events/e2/verdict', { value: 'true' }, session)).statusCode).toBe(403)
  })
})

describe('answers', () => {
  it('never show the message of an internal error, and log it', async () => {
    const session = await central.signIn('viewer')
    central.world.agents = null as never
    const reply = await get('/api/v1/agents', session)
    expect(problemOf(reply)).toMatchObject({ status: 500, title: 'Internal error' })
    expect(reply.body).not.toMatch(/null|undefined|iterable/)
    expect(JSON.stringify(central.world.logged)).toContain('Request failed')
  })

  it('are problems for addresses that are not served', async () => {
    expect(problemOf(await get('/api/v1/nothing'))).toMatchObject({ status: 404, title: 'No such resource' })
    expect(problemOf(await get('/'))).toMatchObject({ status: 404, title: 'The console is not built' })
  })

  it('to a body that is not JSON are 415', async () => {
    const reply = await central.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      headers: { 'content-type': 'text/plain' },
      payload: '{"name":"lan","password":"x"}',
    })
    expect(reply.statusCode).toBe(415)
  })

  it('describe themselves as OpenAPI', async () => {
    const document = (await get('/api/docs/json')).json()
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/api/v1/incidents', '/public/v1/hotspots', '/ingest/v1/evidence/{sha256}']),
    )
    expect((await get('/api/docs/')).statusCode).toBe(200)
  })

  it('give the city, cameras, agents, a ledger and a series', async () => {
    const session = await central.signIn('viewer')
    central.world.values = [{ at: central.world.now, value: 31.5, min: 30, max: 33, quality: 'good' }]
    expect((await get('/api/v1/city', session)).json()).toMatchObject({
      hotspots: [{ id: 'le-loi', cameraId: 'le-loi-1' }, { id: 'an-cuu' }],
      styleUrl: null,
    })
    expect((await get('/api/v1/cameras', session)).json().items[0]).toMatchObject({ id: 'le-loi-1', snapshot: null })
    expect((await get('/api/v1/agents', session)).json().items).toMatchObject([{ id: 'an-cuu-1' }])
    expect((await get('/api/v1/agents/an-cuu-1/ledger', session)).json()).toEqual({
      agentId: 'an-cuu-1',
      siteId: 'an-cuu',
      epochs: [],
    })
    expect((await get('/api/v1/series?camera=le-loi-1&property=floodLevel', session)).json()).toMatchObject({
      unit: 'cm',
      values: [{ value: 31.5, at: '2026-10-27T03:01:00.000Z' }],
    })
    expect((await get('/api/v1/series?camera=le-loi-1&property=colour', session)).statusCode).toBe(422)
    expect((await get('/api/v1/cameras/le-loi-1/snapshot', session)).statusCode).toBe(404)
  })
})
