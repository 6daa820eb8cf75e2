import type { ServerResponse } from 'node:http'
import type { Me, streamEvents } from '@watchpost/shared/api/incidents'

type StreamEvent = (typeof streamEvents)[number]

interface Held {
  readonly number: number
  readonly wardId: string | null
  readonly text: string
}

/**
 * Changes as server-sent events. The newest are held, so that a browser that was away gets what it missed; what is no
 * longer held, or was sent before a restart, is answered with `reset`: read the lists again.
 */
export interface ChangeStream {
  /** `wardId`: ward officers of other wards do not get it; null: no ward officer does. */
  publish(event: StreamEvent, wardId: string | null, data: unknown): void
  /** Takes the connection over until it ends. */
  attach(response: ServerResponse, me: Me, lastEventId: string | undefined): void
  clients(): number
  /** Ends every connection. */
  close(): void
}

const heldEvents = 1000
const heartbeatMs = 15_000
/** A reader that is further behind than this is cut off; it comes back with its last id. */
const mostBufferedBytes = 1_000_000
const retryMs = 3000
/** Then the browser comes back by itself and shows whether it is still signed in. */
const longestMs = 3_600_000

export const createChangeStream = (options: {
  readonly clock: () => number
  /** Milliseconds that only go forward. */
  readonly uptimeMs: () => number
}): ChangeStream => {
  const { clock, uptimeMs } = options
  // Part of every id, so that ids of an earlier run are recognised.
  const run = clock().toString(36)
  const held: Held[] = []
  const clients = new Map<ServerResponse, { readonly me: Me; readonly since: number }>()
  let count = 0

  const idOf = (number: number): string => `${run}-${number}`
  const reaches = (item: Held, me: Me): boolean =>
    me.role !== 'wardOfficer' || (item.wardId !== null && item.wardId === me.wardId)

  const send = (response: ServerResponse, text: string): void => {
    if (response.destroyed) return
    response.write(text)
    if (response.writableLength > mostBufferedBytes) response.destroy()
  }

  const heartbeat = setInterval(() => {
    for (const [response, { since }] of clients) {
      if (uptimeMs() - since > longestMs) response.end()
      else send(response, ': still here\n\n')
    }
  }, heartbeatMs)
  heartbeat.unref()

  /** Events after the id, or undefined when they are not all held. */
  const missedSince = (lastEventId: string): readonly Held[] | undefined => {
    const [itsRun, text = ''] = lastEventId.split('-')
    const number = Number(text)
    const oldest = held[0]?.number ?? count + 1
    if (itsRun !== run || !Number.isSafeInteger(number) || number > count || number + 1 < oldest) return undefined
    return held.filter(item => item.number > number)
  }

  return {
    publish: (event, wardId, data) => {
      const number = ++count
      const text = `id: ${idOf(number)}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
      const item = { number, wardId, text }
      held.push(item)
      if (held.length > heldEvents) held.shift()
      for (const [response, { me }] of clients) if (reaches(item, me)) send(response, text)
    },
    attach: (response, me, lastEventId) => {
      const missed = lastEventId === undefined ? [] : missedSince(lastEventId)
      // The first event carries an id, so that even a browser that saw nothing yet can resume.
      const hello = missed === undefined ? 'reset' : 'ready'
      const since = missed === undefined || lastEventId === undefined ? idOf(count) : lastEventId
      send(response, `retry: ${retryMs}\nid: ${since}\nevent: ${hello}\ndata: {}\n\n`)
      for (const item of missed ?? []) if (reaches(item, me)) send(response, item.text)
      clients.set(response, { me, since: uptimeMs() })
      response.on('close', () => clients.delete(response))
    },
    clients: () => clients.size,
    close: () => {
      clearInterval(heartbeat)
      for (const response of clients.keys()) response.end()
      clients.clear()
    },
  }
}
