import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type DeskScript, type Disk, first, second, emptyDisk, openDesk, settled, tickMs } from './scripted-desk.js'

let disk: Disk
beforeEach(() => {
  vi.useFakeTimers()
  disk = emptyDisk()
})
afterEach(() => vi.useRealTimers())
const never = () => new Promise<never>(() => {})
/** The process ends while it is opened: the desk is left as it is, and the next life begins. */
const deadly: DeskScript = { open: never }
const shadow = { action: 'shadow', id: 'water', digest: first } as const

const live = async (script: DeskScript = {}) => {
  const life = openDesk(disk, script)
  life.desk.start()
  await settled()
  return life
}

describe('a candidate of which the agent dies', () => {
  it('while it is opened is not opened a third time, and says why in every later life', async () => {
    const life = await live(deadly)
    await life.desk.command(shadow)
    await settled()
    const again = await live(deadly)
    expect(again.open).toHaveBeenCalledTimes(1)
    for (let lives = 0; lives < 2; lives++) {
      const next = await live()
      expect(next.open).not.toHaveBeenCalled()
      expect(next.standing()).toMatchObject({
        digest: null,
        candidate: { digest: first, phase: 'failed', problem: 'The agent died 2 times in a row while it was opened.' },
        last: { what: 'refused', digest: first },
      })
    }
    const next = await live()
    await next.desk.command(shadow)
    await settled()
    expect(next.standing()).toMatchObject({ candidate: { phase: 'shadowing' } })
  })

  it('while it takes over is given up as well, also when central says the same again in each life', async () => {
    const wish = { id: 'water', mode: 'active', digest: first } as const
    for (let lives = 0; lives < 2; lives++) {
      const life = openDesk(disk)
      life.swap.mockImplementation(never)
      life.desk.start()
      void life.desk.desire([wish])
      await settled()
      expect(life.swap).toHaveBeenCalledTimes(1)
    }
    const life = await live()
    await life.desk.desire([wish])
    await settled()
    expect(life.swap).not.toHaveBeenCalled()
    expect(life.standing()).toMatchObject({ digest: null, candidate: { phase: 'failed' } })
  })

  it('while it is fetched goes on with that, however often', async () => {
    const life = await live({ download: never })
    await life.desk.command(shadow)
    for (let lives = 0; lives < 4; lives++)
      expect((await live({ download: never })).standing()).toMatchObject({ candidate: { phase: 'downloading' } })
    expect((await live()).standing()).toMatchObject({ candidate: { phase: 'shadowing' } })
  })

  it('long after it was opened, or which is stopped in good order, is opened again', async () => {
    const life = await live()
    await life.desk.command(shadow)
    await settled()
    for (let lives = 0; lives < 4; lives++) {
      const next = await live()
      await vi.advanceTimersByTimeAsync(3 * tickMs)
      expect(next.standing()).toMatchObject({ candidate: { phase: 'shadowing' } })
    }
    for (let lives = 0; lives < 4; lives++) {
      const next = await live()
      expect(next.standing()).toMatchObject({ candidate: { phase: 'shadowing' } })
      await next.desk.stop()
    }
  })

  it('does not stand in the way of another one', async () => {
    const life = await live(deadly)
    await life.desk.command(shadow)
    await settled()
    await live(deadly)
    const next = await live()
    await next.desk.command({ ...shadow, digest: second })
    await settled()
    expect(next.standing()).toMatchObject({ candidate: { digest: second, phase: 'shadowing' } })
  })

  it('is not opened while that cannot be noted', async () => {
    const life = await live({
      download: async () => {
        disk.isFull = true
      },
    })
    await life.desk.command(shadow)
    await settled()
    expect(life.open).not.toHaveBeenCalled()
    expect(life.standing()).toMatchObject({
      candidate: { phase: 'failed', problem: expect.stringContaining('ENOSPC') },
    })
  })
})

describe('a candidate that was given up', () => {
  it('is not tried again by a restart', async () => {
    const refusing: DeskScript = {
      open: async () => {
        throw new Error('Its golden answer is wrong.')
      },
    }
    const life = await live(refusing)
    await life.desk.desire([{ id: 'water', mode: 'active', digest: first }])
    await settled()
    await life.desk.stop()
    const next = await live()
    expect(next.open).not.toHaveBeenCalled()
    expect(next.standing()).toMatchObject({
      digest: null,
      candidate: { phase: 'failed', problem: 'Its golden answer is wrong.' },
    })
  })

  it('when it took over says so until it is wished anew', async () => {
    const life = await live()
    life.swap.mockRejectedValueOnce(new Error('Models were not open after 120 s.'))
    const wish = { id: 'water', mode: 'active', digest: first } as const
    await life.desk.desire([{ ...wish, at: '2026-12-01T10:00:00.000Z' }])
    await settled()
    expect(life.standing()).toMatchObject({
      digest: null,
      candidate: { phase: 'failed', problem: 'Models were not open after 120 s.' },
      last: { what: 'refused', digest: first },
    })
    await life.desk.desire([{ ...wish, at: '2026-12-01T11:00:00.000Z' }])
    await settled()
    expect(life.standing()).toMatchObject({ digest: first, candidate: null })
  })
})
