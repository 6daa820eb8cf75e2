import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Disk, first, second, emptyDisk, fail, openDesk, promote, settled, tickMs } from './scripted-desk.js'

let disk: Disk
beforeEach(() => {
  vi.useFakeTimers()
  disk = emptyDisk()
})
afterEach(() => vi.useRealTimers())

describe('a disk that is full', () => {
  it('refuses a command and changes nothing', async () => {
    const life = openDesk(disk)
    life.desk.start()
    disk.isFull = true
    await expect(life.desk.command({ action: 'shadow', id: 'water', digest: first })).rejects.toThrow(/ENOSPC/)
    expect(life.standing()).toMatchObject({ digest: null, candidate: null })
    disk.isFull = false
    await life.desk.command({ action: 'shadow', id: 'water', digest: first })
    await settled()
    expect(life.standing()).toMatchObject({ candidate: { phase: 'shadowing', digest: first } })
  })

  it('keeps no wish, which is carried out when it comes again', async () => {
    const life = openDesk(disk)
    life.desk.start()
    disk.isFull = true
    const wish = { id: 'water', mode: 'shadow', digest: first } as const
    await life.desk.desire([wish])
    expect(life.desk.errors()).toMatchObject([{ path: 'models[0]', message: expect.stringContaining('ENOSPC') }])
    disk.isFull = false
    await life.desk.desire([wish])
    await settled()
    expect(life.desk.errors()).toEqual([])
    expect(life.standing()).toMatchObject({ candidate: { phase: 'shadowing' } })
  })

  it('at a promotion keeps the guard, and the packages that the state on disk names, until it can be written', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first)
    await life.desk.command({ action: 'shadow', id: 'water', digest: second })
    await settled()
    life.swap.mockImplementationOnce(async (slot, model, digest) => {
      disk.isFull = true
      await life.swap(slot, model, digest)
    })
    await life.desk.command({ action: 'promote', id: 'water', digest: second })
    expect(life.running().digest).toBe(second)
    expect(life.slot().active).toBe(first)
    expect([...disk.packages]).toEqual([first, second])
    disk.isFull = false
    await vi.advanceTimersByTimeAsync(tickMs)
    expect(life.slot()).toMatchObject({ active: second, previous: { digest: first }, candidate: null })
    fail(life, 3)
    await settled()
    expect(life.running().digest).toBe(first)
  })

  it('lets a probation end, a candidate be given up and the agent stop, and writes what happened when there is room', async () => {
    const life = openDesk(disk, {
      open: async () => {
        throw new Error('Its golden answer is wrong.')
      },
    })
    life.desk.start()
    await life.desk.command({ action: 'shadow', id: 'water', digest: second })
    disk.isFull = true
    await settled()
    expect(life.standing()).toMatchObject({ candidate: { phase: 'failed' }, last: { what: 'refused', digest: second } })
    disk.isFull = false
    await vi.advanceTimersByTimeAsync(tickMs)
    expect(life.slot().last).toMatchObject({ what: 'refused', digest: second })
    expect(life.log.warn.mock.calls.filter(([, message]) => message.includes('cannot be written'))).toHaveLength(1)

    const next = openDesk(emptyDisk())
    next.desk.start()
    await promote(next, first, { probationSeconds: 60 })
    disk.isFull = true
    await vi.advanceTimersByTimeAsync(3 * tickMs)
    expect(next.standing()).toMatchObject({ probationUntil: null, last: { what: 'confirmed', digest: first } })
    await next.desk.stop()
    await life.desk.stop()
  })

  it('does not keep an agent from starting in the middle of a probation', async () => {
    const life = openDesk(disk)
    life.desk.start()
    await promote(life, first)
    disk.isFull = true
    const next = openDesk(disk)
    expect(next.running().digest).toBe(first)
    next.desk.start()
    fail(next, 3)
    await settled()
    expect(next.running().digest).toBeNull()
  })
})
