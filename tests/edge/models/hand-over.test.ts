import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  configuredPath,
  type Disk,
  first,
  second,
  emptyDisk,
  fail,
  openDesk,
  promote,
  settled,
  tickMs,
} from './scripted-desk.js'

let disk: Disk
beforeEach(() => {
  vi.useFakeTimers()
  disk = emptyDisk()
})
afterEach(() => vi.useRealTimers())

describe('a promotion', () => {
  it('is not touched by a configuration that is only looked at, whatever package it names', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first)
    const before = life.slot()
    expect(life.desk.overrides('water', '/etc/watchpost/other')).toEqual([])
    expect(life.slot()).toEqual(before)
    await life.desk.stop()
    expect(openDesk(disk).running().digest).toBe(first)
  })

  it('ends when cameras run with another package that the configuration names; wish and candidate stay', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first)
    const { wish } = life.slot()
    await life.desk.command({ action: 'shadow', id: 'water', digest: second })
    await settled()
    const named = { ...life.running(), configuredPath: '/etc/watchpost/other', digest: null }
    life.desk.settle(named, undefined)
    expect(life.slot()).toMatchObject({
      active: null,
      previous: null,
      probation: null,
      configuredPath: '/etc/watchpost/other',
      candidate: { digest: second },
      last: { what: 'stopped', digest: first },
      wish,
    })
    const next = openDesk(disk, { path: '/etc/watchpost/other' })
    next.desk.start()
    await next.desk.desire([wish!])
    await settled()
    expect(next.running().digest).toBeNull()
    expect(next.standing()).toMatchObject({ candidate: { digest: second, phase: 'shadowing' } })
  })

  it('that was ended by the configuration is watched no more', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first)
    life.desk.settle({ ...life.running(), configuredPath: '/etc/watchpost/other', digest: null }, undefined)
    fail(life, 3)
    await settled()
    expect(life.slot().last).toMatchObject({ what: 'stopped' })
  })

  it('ends with the reason when cameras run with an older package because its own cannot be opened', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first)
    await promote(life, second)
    const older = { ...life.running(), digest: first }
    life.desk.settle(older, 'Its signature does not fit.')
    expect(life.slot()).toMatchObject({
      active: first,
      previous: null,
      last: { what: 'rolled-back', digest: second, reason: 'Its signature does not fit.' },
    })
  })

  it('that is taken back after the configuration named another package holds over a restart', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first)
    await life.desk.desire([{ id: 'water', mode: 'configured' }])
    await life.desk.stop()
    const path = `${configuredPath}-2`
    const next = openDesk(disk, { path })
    next.desk.start()
    await next.desk.command({ action: 'rollback', id: 'water' })
    await next.desk.stop()
    expect(openDesk(disk, { path }).running().digest).toBe(first)
  })
})

describe('a promoted model that has to go back', () => {
  const away = new Error('Models were not open after 120 s.')

  it('is tried to be taken back again and again, with pauses, and never passes its probation', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first, { probationSeconds: 60 })
    life.swap.mockClear().mockRejectedValueOnce(away).mockRejectedValueOnce(away)
    fail(life, 500)
    await settled()
    expect(life.swap).toHaveBeenCalledTimes(1)
    expect(life.standing().last).toMatchObject({
      what: 'refused',
      reason: expect.stringContaining('is tried again: Models'),
    })
    const { last } = life.standing()
    fail(life, 500)
    await vi.advanceTimersByTimeAsync(tickMs)
    expect(life.swap).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(2 * tickMs)
    expect(life.swap).toHaveBeenCalledTimes(2)
    expect(life.standing().last).toEqual(last)
    await vi.advanceTimersByTimeAsync(3 * tickMs)
    expect(life.running().digest).toBeNull()
    expect(life.standing().last).toMatchObject({
      what: 'rolled-back',
      digest: first,
      reason: '3 frames could not be judged: bad output',
    })
    await vi.advanceTimersByTimeAsync(10 * tickMs)
    expect(life.swap).toHaveBeenCalledTimes(3)
  })

  it('is not started with any more', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first)
    life.swap.mockRejectedValueOnce(away)
    fail(life, 3)
    await settled()
    await life.desk.stop()
    const next = openDesk(disk)
    expect(next.running().digest).toBeNull()
    expect(next.standing().last).toMatchObject({ what: 'rolled-back', digest: first })
  })

  it('does not take along the one that took over from it meanwhile', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first)
    await life.desk.command({ action: 'shadow', id: 'water', digest: second })
    await settled()
    const promoted = life.desk.command({ action: 'promote', id: 'water', digest: second })
    fail(life, 3)
    await promoted
    await settled()
    expect(life.running().digest).toBe(second)
  })
})
