import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type DeskScript,
  type Disk,
  first,
  second,
  emptyDisk,
  openDesk,
  promote,
  type ScriptedDesk,
  settled,
} from './scripted-desk.js'

let disk: Disk
beforeEach(() => {
  vi.useFakeTimers()
  disk = emptyDisk()
})
afterEach(() => vi.useRealTimers())
const wish = { id: 'water', mode: 'active', digest: first } as const

const live = (script?: DeskScript): ScriptedDesk => {
  const life = openDesk(disk, script)
  life.desk.start()
  return life
}

describe('a wish that is taken back', () => {
  it('ends the candidate that was to take over, wherever it is', async () => {
    const endless = ({ signal }: { readonly signal: AbortSignal }) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')))
      })
    for (const script of [
      { download: endless },
      { open: (_model: unknown, how: { signal: AbortSignal }) => endless(how) },
    ]) {
      disk = emptyDisk()
      const life = live(script)
      await life.desk.desire([wish])
      await settled()
      await life.desk.desire([])
      expect(life.standing()).toMatchObject({ digest: null, candidate: null, last: { what: 'stopped', digest: first } })
      expect(life.slot()).toMatchObject({ candidate: null, wish: null })
    }
  })

  it('in the last moment keeps the model from taking over, and refuses nothing', async () => {
    const life = live()
    const wished = life.desk.desire([wish])
    const takenBack = life.desk.desire([])
    await wished
    await takenBack
    await settled()
    expect(life.swap).not.toHaveBeenCalled()
    expect(life.standing()).toMatchObject({ digest: null, candidate: null, last: { what: 'stopped' } })
  })

  it('clears the candidate that could not take over', async () => {
    const life = live({
      open: async () => {
        throw new Error('Its golden answer is wrong.')
      },
    })
    await life.desk.desire([wish])
    await settled()
    expect(life.standing()).toMatchObject({ candidate: { phase: 'failed' } })
    await life.desk.desire([])
    expect(life.standing()).toMatchObject({ candidate: null })
    await life.desk.stop()
    expect(live().standing()).toMatchObject({ candidate: null })
  })

  it('leaves what runs already, and a candidate that a command has brought', async () => {
    const life = live()
    await promote(life, first)
    await life.desk.command({ action: 'shadow', id: 'water', digest: second })
    await settled()
    await life.desk.desire([])
    await settled()
    expect(life.standing()).toMatchObject({ digest: first, candidate: { digest: second, phase: 'shadowing' } })
  })
})

describe('a package that was given up in its shadow run', () => {
  const failInShadow = async (): Promise<ScriptedDesk> => {
    const life = live({ shadowFailure: 'It sees nothing.' })
    await life.desk.desire([{ ...wish, mode: 'shadow' }])
    await settled()
    for (let frames = 0; frames < 10; frames++) life.judge()
    expect(life.standing()).toMatchObject({ candidate: { phase: 'failed' } })
    return life
  }

  it('is not promoted, in no later life either, and says what to do', async () => {
    const life = await failInShadow()
    await life.desk.desire([wish])
    await settled()
    const message = expect.stringMatching(/given up in its shadow run: 10 frames .* It sees nothing\. Run it in shadow/)
    expect(life.desk.errors()).toMatchObject([{ path: 'models[0]', message }])
    await expect(life.desk.command({ action: 'promote', id: 'water', digest: first })).rejects.toThrow(
      'It sees nothing',
    )
    await life.desk.stop()
    const next = live()
    await next.desk.desire([wish])
    await settled()
    expect(next.desk.errors()).toMatchObject([{ message }])
    expect(next.standing()).toMatchObject({ digest: null, candidate: { phase: 'failed' } })
  })

  it('is promoted when its run was stopped first', async () => {
    const life = await failInShadow()
    await life.desk.desire([wish])
    await life.desk.desire([])
    await life.desk.desire([wish])
    await settled()
    expect(life.desk.errors()).toEqual([])
    expect(life.standing()).toMatchObject({ digest: first, candidate: null })
  })

  it('comes back as what ran before, whatever was tried since', async () => {
    const life = live({ shadowFailure: 'It sees nothing.' })
    await promote(life, first)
    await promote(life, second)
    await life.desk.command({ action: 'shadow', id: 'water', digest: first })
    await settled()
    for (let frames = 0; frames < 10; frames++) life.judge()
    expect(life.standing()).toMatchObject({ candidate: { phase: 'failed' } })
    await promote(life, first)
    expect(life.standing()).toMatchObject({ digest: first })
  })
})

describe('a package that never ran in shadow', () => {
  it('is promoted when central wants just that', async () => {
    const life = live()
    await promote(life, first)
    expect(life.standing()).toMatchObject({ digest: first, previous: { digest: null } })
  })
})
