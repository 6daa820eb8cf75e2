import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createConditionTracker } from '../../../edge/capture/condition-tracker.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const stalled = { condition: 'stalled', message: 'no picture for 10 s', hint: 'Check the link.' } as const

const tracked = () => {
  const changes: string[] = []
  const tracker = createConditionTracker({
    cameraId: 'gate',
    offlineAfterMs: 10_000,
    now: Date.now,
    emit: ({ condition, phase }) => changes.push(`${condition} ${phase}`),
  })
  return { tracker, changes }
}

describe('a condition', () => {
  it('does not end with the one picture that comes before the next stall', () => {
    const { tracker, changes } = tracked()
    for (let round = 0; round < 3; round++) {
      tracker.lost(stalled)
      tracker.flowing()
      vi.advanceTimersByTime(10_000)
    }
    expect(changes).toEqual(['stalled began'])
  })

  it('ends when pictures have flowed for two seconds', () => {
    const { tracker, changes } = tracked()
    tracker.lost(stalled)
    for (let picture = 0; picture < 4; picture++) {
      tracker.flowing()
      vi.advanceTimersByTime(500)
    }
    expect(changes).toEqual(['stalled began'])
    tracker.flowing()
    expect(changes).toEqual(['stalled began', 'stalled ended'])
    expect(tracker.current()).toBeNull()
  })
})
