import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRefresher } from '../../../central/console/src/api/refresher.js'

/** A central whose replies take a second and carry the number of changes it had seen when it was asked. */
const replyMs = 1000
let changes: number
let requests: number
let shown: number | undefined
let client: QueryClient
let stop: () => void

beforeEach(async () => {
  vi.useFakeTimers()
  changes = requests = 0
  shown = undefined
  client = new QueryClient()
  const observer = new QueryObserver(client, {
    queryKey: ['incidents', 'open'],
    queryFn: async () => {
      requests++
      const seen = changes
      await new Promise(resolve => setTimeout(resolve, replyMs))
      return seen
    },
  })
  stop = observer.subscribe(({ data }) => {
    shown = data
  })
})
afterEach(() => {
  stop()
  client.clear()
  vi.useRealTimers()
})

describe('lists that change', () => {
  it('keep arriving while events come faster than replies, with few requests, and end with the last change', async () => {
    await vi.advanceTimersByTimeAsync(replyMs)
    const refresher = createRefresher(client)
    for (changes = 1; changes < 100; changes++) {
      refresher.refresh('incidents')
      await vi.advanceTimersByTimeAsync(100)
      // A second to gather and reply, and the same again when a change came too late for it.
      if (changes > 30) expect(shown).toBeGreaterThan(changes - 30)
    }
    refresher.refresh('incidents')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(shown).toBe(100)
    expect(requests).toBeLessThan(12)
  })

  it('are asked for once more when the request under way may be older than the change', async () => {
    const refresher = createRefresher(client)
    // The page's own first request is on its way.
    changes = 1
    refresher.refresh('incidents')
    await vi.advanceTimersByTimeAsync(10_000)
    expect([shown, requests]).toEqual([1, 2])
  })

  it('are left alone when nobody looks any more', async () => {
    await vi.advanceTimersByTimeAsync(replyMs)
    const refresher = createRefresher(client)
    refresher.refresh('incidents')
    refresher.stop()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(requests).toBe(1)
  })
})
