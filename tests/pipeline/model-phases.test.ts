import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AgentModelView } from '@watchpost/shared/api/models'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { SlotState } from '../../edge/models/rollout-state.js'
import { openRolloutSite, type RolloutSite, soon, wetBelow } from './rollout-site.js'

// As model-rollout.test.ts, with the agent as a process of its own, which is killed in each phase of a candidate's life.
vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 300_000 })
const bin = fileURLToPath(new URL('../../edge/bin/watchpost-edge.js', import.meta.url))

let town: RolloutSite
let child: ChildProcess | undefined

const run = (): void => {
  const { configFile } = town.site
  child = spawn(process.execPath, [bin, 'run', '--config', configFile], { stdio: ['ignore', 'ignore', 'inherit'] })
}
const end = async (signal: NodeJS.Signals): Promise<number | null> => {
  const ending = child
  child = undefined
  if (!ending || ending.exitCode !== null || ending.signalCode !== null) return ending?.exitCode ?? null
  ending.kill(signal)
  const [code] = (await once(ending, 'exit')) as [number | null]
  await vi.waitFor(async () => expect((await town.model())?.status).not.toBe('online'), soon)
  return code
}
/** As the agent itself says now: its word that central holds may be of the life before. */
const fresh = async (): Promise<AgentModelView | undefined> => {
  if ((await town.model())?.status !== 'online') return undefined
  const reply = await town.api('POST', '/agents/an-cuu-1/commands', { name: 'reload' })
  expect(reply.json()).toMatchObject({ ok: true })
  return town.model()
}
const untilFresh = (standing: object) => vi.waitFor(async () => expect(await fresh()).toMatchObject(standing), soon)
const messages = async (): Promise<number> => {
  const { epochs } = (await town.api('GET', '/agents/an-cuu-1/ledger')).json() as { epochs?: { received: number }[] }
  return (epochs ?? []).reduce((sum, { received }) => sum + received, 0)
}
/** One observation a second, so five frames each. */
const untilWatched = async (observations: number): Promise<void> => {
  const before = await messages()
  await vi.waitFor(async () => expect(await messages()).toBeGreaterThanOrEqual(before + observations), soon)
}
const state = (): SlotState =>
  JSON.parse(readFileSync(join(town.site.folder, 'data/model-rollout.json'), 'utf8')).slots.water
const packages = () => join(town.site.folder, 'data/packages')
/** A busy machine is slow at times: that must not take back a model in tests of other things. */
const patient = { latencyFactor: 100 }
const own = { version: '1.0.0', digest: null }
const wet = { at: 0, outputs: wetBelow(16) }

beforeAll(async () => {
  town = await openRolloutSite()
  run()
  await untilFresh(own)
})
afterAll(async () => {
  await end('SIGKILL')
  await town?.close()
})

describe('an agent that is killed and started again', () => {
  it('while it fetches a package goes on from the byte where it stopped, and promotes it', async () => {
    const digest = await town.upload('2.0.0', [wet])
    town.link.allow(400)
    await town.rollOut({ mode: 'active', digest, guard: patient })
    await vi.waitFor(() => expect(statSync(join(packages(), `${digest}.wpm.part`)).size).toBe(400), soon)
    await untilFresh({ ...own, candidate: { phase: 'downloading', digest } })
    await end('SIGKILL')
    town.link.allow(Number.POSITIVE_INFINITY)
    run()
    await untilFresh({ version: '2.0.0', digest, candidate: null, previous: { digest: null } })
    expect(town.link.ranges).toEqual([null, 'bytes=400-'])
    expect(readdirSync(packages())).toEqual([digest])
    await untilWatched(3)
    await town.rollOut({ mode: 'rollback' })
    await untilFresh(own)
  })

  it('while a candidate is opened watches with the active model and opens it again, until another one is wished', async () => {
    // It never answers its golden sample, which has no time; frames it would judge.
    const digest = await town.upload(
      '2.1.0',
      [
        { at: 0, fault: 'hang' },
        { ...wet, at: 1 },
      ],
      {
        script: { clock: 'time' },
        golden: [{ image: 'golden/grey.png', expected: 'golden/grey.json' }],
      },
    )
    const opening = { ...own, candidate: { phase: 'opening', digest } }
    await town.rollOut({ mode: 'shadow', digest })
    await untilFresh(opening)
    const stoppedAt = performance.now()
    expect(await end('SIGTERM')).toBe(0)
    expect(performance.now() - stoppedAt).toBeLessThan(15_000)
    run()
    await untilFresh(opening)
    await untilWatched(3)
    await end('SIGKILL')
    run()
    await untilFresh(opening)
    const other = await town.upload('2.2.0', [wet])
    await town.rollOut({ mode: 'shadow', digest: other })
    await untilFresh({ ...own, candidate: { phase: 'shadowing', digest: other } })
    expect(readdirSync(packages())).not.toContain(`${digest}.wpm.part`)
  })

  it('while a candidate runs in shadow compares it anew', async () => {
    const { digest } = (await town.model())!.candidate!
    await end('SIGKILL')
    const killedAt = Date.now()
    run()
    await untilFresh({ ...own, candidate: { phase: 'shadowing', digest } })
    await vi.waitFor(async () => {
      const { items } = (await town.api('GET', '/models/water/shadow')).json()
      expect(Date.parse(items[0]?.report.startedAt)).toBeGreaterThan(killedAt)
      expect(items[0].report.frames.compared).toBeGreaterThan(0)
    }, soon)
  })

  it('in the probation of a model goes on with it, and goes back when it dies again and again', async () => {
    const { digest } = (await town.model())!.candidate!
    await town.rollOut({ mode: 'active', digest, guard: { ...patient, probationSeconds: 3600 } })
    const promoted = { version: '2.2.0', digest, candidate: null }
    await untilFresh(promoted)
    const { untilMs } = state().probation!
    const uncleanStart = async (times: number): Promise<void> => {
      await end('SIGKILL')
      run()
      await vi.waitFor(() => expect(state().probation).toMatchObject({ unclean: times, untilMs }), soon)
      await untilFresh({ ...promoted, probationUntil: new Date(untilMs).toISOString() })
      await untilWatched(2)
    }
    await uncleanStart(1)
    // One clean stop, and the deaths before it count no more.
    expect(await end('SIGTERM')).toBe(0)
    expect(state().probation).toMatchObject({ unclean: 0, stopped: true })
    run()
    await vi.waitFor(() => expect(state().probation).toMatchObject({ unclean: 0, stopped: false }), soon)
    for (const times of [1, 2]) await uncleanStart(times)
    await end('SIGKILL')
    run()
    await untilFresh({ ...own, candidate: null, last: { what: 'rolled-back', digest } })
    expect((await town.model())?.last?.reason).toContain('died 3 times within the probation')
    await untilWatched(3)
  })

  it('while a model takes over has the one before it, tries again, and tells why it cannot', async () => {
    // It can be opened and judges nothing: taking over waits for the first picture.
    const digest = await town.upload('2.3.0', [{ at: 1, fault: 'hang' }], { script: { clock: 'run' } })
    const promoting = { ...own, candidate: { phase: 'promoting', digest } }
    await town.rollOut({ mode: 'active', digest })
    await untilFresh(promoting)
    await end('SIGKILL')
    expect(state()).toMatchObject({ active: null, candidate: { digest, goal: 'active' } })
    run()
    await untilFresh(promoting)
    await untilWatched(3)
    await untilFresh({ ...own, last: { what: 'refused', digest } })
    expect((await town.model())?.last?.reason).toContain('cannot judge the newest picture')
  })
})

describe('a model that is too slow', () => {
  it('is taken back by itself, with both times', async () => {
    await untilWatched(6)
    const digest = await town.upload('2.4.0', [wet], { script: { busyMs: 150 } })
    await town.rollOut({ mode: 'active', digest, guard: { latencyFactor: 1 } })
    await untilFresh({ version: '2.4.0', digest })
    const { baselineP95Ms } = state().probation!
    expect(baselineP95Ms).toBeGreaterThan(0)
    await vi.waitFor(
      async () => expect(await fresh()).toMatchObject({ ...own, last: { what: 'rolled-back', digest } }),
      { timeout: 240_000, interval: 1_000 },
    )
    const reason = (await town.model())?.last?.reason
    expect(reason).toMatch(/^Too slow: 95 of 100 frames took up to \d+\.\d ms/)
    expect(reason).toContain(`the ${baselineP95Ms!.toFixed(1)} ms of the model before it; allowed are 1 times`)
    await untilWatched(3)
  })
})
