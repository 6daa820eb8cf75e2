import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Agent, buildAgent, openAdapters } from '../../edge/agent.js'
import { loadWithDesired } from '../../edge/config/load-with-desired.js'
import { openRolloutSite, type RolloutSite, soon, wetBelow } from './rollout-site.js'

// Real central, real embedded broker, real agent with ffmpeg and worker threads; only the models follow a script.
// Every wait has its own limit; those of the tests only end what hangs.
vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 300_000 })
/** A busy machine is slow at times: that must not take back a model in tests of other things. */
const patient = { latencyFactor: 100 }
const silent = pino({ level: 'silent' })

let town: RolloutSite
let agent: Agent
const api: RolloutSite['api'] = (...request) => town.api(...request)
const model = () => town.model()
const rollOut = (body: object) => town.rollOut(body)
const upload: RolloutSite['upload'] = (...what) => town.upload(...what)

const startAgent = async (): Promise<void> => {
  const running = loadWithDesired(town.site.configFile)
  agent = buildAgent(running, await openAdapters(running.loaded, silent), { log: silent, version: '0.1.0' })
  await agent.start()
}

beforeAll(async () => {
  town = await openRolloutSite()
  await startAgent()
  await vi.waitFor(async () => expect(await model()).toMatchObject({ version: '1.0.0', digest: null }), soon)
})
afterAll(async () => {
  await agent?.stop()
  await town?.close()
})

/** What the agent itself says; with no candidate there is nothing that the command ends. */
const standing = async (): Promise<unknown> => {
  const question = { name: 'model', model: { action: 'stop-shadow', id: 'water' } }
  return (await api('POST', '/agents/an-cuu-1/commands', question)).json().result?.model
}

describe('a model on a running agent', () => {
  it('is fetched, compared in shadow, promoted and rolled back from central', async () => {
    const digest = await upload('2.0.0', [{ at: 0, outputs: wetBelow(16) }])
    await rollOut({ mode: 'shadow', digest, cameras: ['le-loi-1'], cpuShare: 0.5 })
    await vi.waitFor(
      async () => expect(await model()).toMatchObject({ candidate: { phase: 'shadowing', digest } }),
      soon,
    )
    expect(await model()).toMatchObject({ version: '1.0.0', digest: null })
    const report = async () => (await api('GET', '/models/water/shadow')).json().items[0]?.report
    await vi.waitFor(async () => expect((await report())?.frames.compared).toBeGreaterThan(10), soon)
    // The picture of a disagreement is made beside the count, and reports come every half minute.
    await vi.waitFor(async () => expect((await report())?.disagreements[0]?.thumbnail).toMatch(/^[0-9a-f]{64}$/), soon)
    const seen = await report()
    expect(seen).toMatchObject({
      unit: 'pixels',
      active: { version: '1.0.0' },
      candidate: { version: '2.0.0', digest },
    })
    // The street is dry most of the time, the candidate always sees water in the lower half.
    expect(seen.classes).toMatchObject([{ label: 'water', onlyActive: 0, onlyCandidate: expect.any(Number) }])
    expect(seen.classes[0].onlyCandidate).toBeGreaterThan(0)
    const { thumbnail } = seen.disagreements[0]
    await vi.waitFor(async () => expect((await api('GET', `/evidence/${thumbnail}`)).statusCode).toBe(200), soon)

    await rollOut({ mode: 'active', digest, guard: { ...patient, probationSeconds: 3600 } })
    await vi.waitFor(
      async () => expect(await model()).toMatchObject({ version: '2.0.0', digest, previous: { digest: null } }),
      soon,
    )
    await vi.waitFor(
      async () => expect(await model()).toMatchObject({ candidate: null, last: { what: 'promoted' } }),
      soon,
    )
    expect(Date.parse((await model())!.probationUntil!)).toBeGreaterThan(Date.now() + 3_000_000)

    await agent.stop()
    await startAgent()
    // Asked itself: central's word of it may be from before the restart.
    await vi.waitFor(async () => expect(await standing()).toMatchObject({ version: '2.0.0', digest }), soon)

    await rollOut({ mode: 'rollback' })
    await vi.waitFor(async () => expect(await model()).toMatchObject({ version: '1.0.0', digest: null }), soon)
    expect((await api('GET', '/models/audit')).body).toContain('wish rollback')
  })

  it('goes back by itself when it cannot judge frames, and says why', async () => {
    // Each session fails from its twentieth run on: long after the warm-up, whatever frame that was made with.
    const digest = await upload(
      '2.1.0',
      [
        { at: 0, outputs: wetBelow(16) },
        { at: 20, outputs: {}, fault: 'throw' },
      ],
      { script: { clock: 'run' } },
    )
    await rollOut({ mode: 'active', digest, guard: { ...patient, failures: 3 } })
    await vi.waitFor(
      async () => expect(await model()).toMatchObject({ version: '1.0.0', last: { what: 'rolled-back', digest } }),
      soon,
    )
    expect((await model())?.last?.reason).toContain('3 frames could not be judged')
  })

  it('refuses what cannot be, each with its reason, and the active one goes on', async () => {
    const refused = async (digest: string, reason: RegExp | string) =>
      vi.waitFor(
        async () =>
          expect(await model()).toMatchObject({
            version: '1.0.0',
            last: { what: 'refused', digest, reason: expect.stringMatching(reason) },
          }),
        soon,
      )
    const misfit = await upload('3.0.0', [{ at: 0, outputs: {} }], { decoder: { name: 'grid' } })
    await rollOut({ mode: 'shadow', digest: misfit })
    await refused(misfit, 'flood-level reads mask')
    const other = await upload('3.1.0', [{ at: 0, outputs: {} }], { labels: ['mud'] })
    await rollOut({ mode: 'shadow', digest: other })
    await refused(other, 'does not know water')
    // What central does not have, and a camera nobody knows, as an engineer could set them by hand.
    const nowhere = 'd'.repeat(64)
    await api('PUT', '/agents/an-cuu-1/desired', { models: [{ id: 'water', mode: 'shadow', digest: nowhere }] })
    await refused(nowhere, 'Central has no package')
    const wish = { id: 'water', mode: 'shadow', digest: other, cameras: ['nowhere'] }
    await api('PUT', '/agents/an-cuu-1/desired', { models: [wish, { ...wish, id: 'fire' }] })
    await vi.waitFor(
      async () =>
        expect((await model())?.problems).toEqual([
          expect.stringContaining('nowhere does not use the model "water"'),
          expect.stringContaining('No camera of this agent uses a model "fire"'),
        ]),
      soon,
    )
    const command = await api('POST', '/agents/an-cuu-1/commands', {
      name: 'model',
      model: { action: 'promote', id: 'water', digest: nowhere },
    })
    expect(command.json()).toMatchObject({
      ok: false,
      problem: { detail: expect.stringContaining('was given up: Central has no package') },
    })
  })

  it('drops a candidate that is stopped, also one that was to take over or came by a command', async () => {
    const digest = await upload('3.2.0', [{ at: 0, outputs: {} }], { labels: ['mud'] })
    const startings = [
      () => rollOut({ mode: 'active', digest }),
      () =>
        api('POST', '/agents/an-cuu-1/commands', { name: 'model', model: { action: 'shadow', id: 'water', digest } }),
    ]
    for (const start of startings) {
      await start()
      await vi.waitFor(
        async () => expect(await model()).toMatchObject({ candidate: { digest, phase: 'failed' } }),
        soon,
      )
      await rollOut({ mode: 'stop' })
      await vi.waitFor(async () => expect(await model()).toMatchObject({ version: '1.0.0', candidate: null }), soon)
    }
  })
})
