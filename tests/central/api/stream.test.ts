import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Central, picture, record, startCentral } from './harness.js'

let central: Central
let origin: string
const open: AbortController[] = []
beforeEach(async () => {
  central = await startCentral()
  await central.app.listen({ port: 0, host: '127.0.0.1' })
  origin = `http://127.0.0.1:${(central.app.server.address() as AddressInfo).port}`
})
afterEach(async () => {
  for (const controller of open.splice(0)) controller.abort()
  await central.stop()
})

interface Sent {
  readonly id: string
  readonly event: string
  readonly data: { id?: string; state?: string; status?: string; snapshot?: unknown }
}

/** Reads the stream as a browser does; `next` gives the events one by one. */
const listen = async (session: { authorization: string }, lastEventId?: string) => {
  const controller = new AbortController()
  open.push(controller)
  const reply = await fetch(`${origin}/api/v1/stream`, {
    headers: { ...session, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
    signal: controller.signal,
  })
  const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<Sent> => {
    while (!text.includes('\n\n')) {
      const { value, done } = await reader.read()
      if (done) throw new Error('the stream ended')
      text += value
    }
    const [block, ...rest] = text.split('\n\n')
    text = rest.join('\n\n')
    const fields = Object.fromEntries(block!.split('\n').map(line => line.split(/: (.*)/).slice(0, 2)))
    return { id: fields.id, event: fields.event, data: JSON.parse(fields.data) }
  }
  return { reply, next, close: () => controller.abort() }
}

describe('GET /api/v1/stream', () => {
  it('tells of incidents as they are raised and changed', async () => {
    const session = await central.signIn('reviewer')
    const stream = await listen(session)
    expect(stream.reply.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(await stream.next()).toMatchObject({ event: 'ready' })
    await central.incidents.apply([record('e1')])
    expect(await stream.next()).toMatchObject({ event: 'incident', data: { id: 'e1', state: 'new' } })
    await central.incidents.verdict('e1', { value: 'true' }, { name: 'lan', role: 'reviewer', wardId: null })
    expect(await stream.next()).toMatchObject({ event: 'incident', data: { id: 'e1', state: 'acknowledged' } })
  })

  it('gives a browser that was away exactly what it missed', async () => {
    const session = await central.signIn('reviewer')
    const before = await listen(session)
    await before.next()
    await central.incidents.apply([record('e1')])
    const { id } = await before.next()
    before.close()
    await central.incidents.apply([record('e2', { happeningId: '2', kind: 'red-light' })])
    await central.incidents.apply([record('e3', { happeningId: '3', kind: 'red-light' })])
    const after = await listen(session, id)
    expect([await after.next(), await after.next(), await after.next()]).toMatchObject([
      { event: 'ready', id },
      { event: 'incident', data: { id: 'e2' } },
      { event: 'incident', data: { id: 'e3' } },
    ])
  })

  it.each(['otherrun-5', 'nonsense'])('asks for a fresh start when it does not know the id %s', async id => {
    const stream = await listen(await central.signIn('reviewer'), id)
    expect(await stream.next()).toMatchObject({ event: 'reset' })
  })

  it('asks for a fresh start when more was missed than is held', async () => {
    const session = await central.signIn('reviewer')
    const before = await listen(session)
    const { id } = await before.next()
    before.close()
    await central.incidents.apply([record('e1')])
    const summary = (await central.incidents.list({}, { limit: 1 }, { name: 'x', role: 'admin', wardId: null }))
      .items[0]!
    for (let index = 0; index < 1001; index++) central.incidentChanged(summary)
    expect(await (await listen(session, id)).next()).toMatchObject({ event: 'reset' })
  })

  it('tells a ward officer of their ward only', async () => {
    const stream = await listen(await central.signIn('wardOfficer', 'an-cuu'))
    await stream.next()
    central.registryChanged({ kind: 'agent', id: 'an-cuu-1' })
    await central.incidents.apply([record('e1'), record('e2', { happeningId: '2' }, 'an-cuu-1')])
    expect(await stream.next()).toMatchObject({ event: 'incident', data: { id: 'e2' } })
  })

  it('tells of cameras and agents, but not of every wobble', async () => {
    const stream = await listen(await central.signIn('viewer'))
    await stream.next()
    for (let again = 0; again < 3; again++) central.registryChanged({ kind: 'agent', id: 'an-cuu-1' })
    central.world.agents = central.world.agents.map(agent => ({ ...agent, status: 'offline' }))
    central.registryChanged({ kind: 'agent', id: 'an-cuu-1' })
    expect(await stream.next()).toMatchObject({ event: 'agent', data: { status: 'online' } })
    expect(await stream.next()).toMatchObject({ event: 'agent', data: { status: 'offline' } })
    await central.upload(await picture(), { 'x-watchpost-camera': 'le-loi-1', 'x-watchpost-role': 'snapshot' })
    expect(await stream.next()).toMatchObject({
      event: 'camera',
      data: { id: 'le-loi-1', snapshot: expect.any(Object) },
    })
  })

  it('does not hold up the end of the service', async () => {
    const stream = await listen(await central.signIn('viewer'))
    await stream.next()
    const startedAt = performance.now()
    await central.close()
    // A stream that is waited for lasts for ever.
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    await expect(stream.next()).rejects.toThrow()
  })
})
