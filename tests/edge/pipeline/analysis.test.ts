import { evidenceExample } from '@watchpost/shared/contracts/evidence'
import { observationExample } from '@watchpost/shared/contracts/observation'
import { describe, expect, it, vi } from 'vitest'
import type { AnalyticInput } from '../../../edge/analytics/analytic.js'
import type { Frame } from '../../../edge/frames/frame.js'
import type { OutboxRecord } from '../../../edge/outbox/outbox.js'
import { createAnalysis, type EvidenceTaker } from '../../../edge/pipeline/analysis.js'
import { createFailureCount } from '../../../edge/pipeline/failure-count.js'
import { lifecycle } from '../../../edge/pipeline/lifecycle.js'
import { createSceneWatch } from '../../../edge/pipeline/scene-watch.js'
import { createTurns } from '../../../edge/pipeline/turns.js'
import type { EventDraft } from '../../../edge/rules/rule.js'

const frame: Frame = {
  cameraId: 'le-loi-1',
  width: 1,
  height: 1,
  pixels: new Uint8Array(new SharedArrayBuffer(3)),
  takenAt: 1_000,
  number: 1,
}
const draft: EventDraft = {
  happeningId: 'le-loi-1/traffic/1000/1',
  kind: 'red-light',
  phase: 'began',
  severity: 'major',
  confidence: 0.9,
  analytic: 'traffic',
  phenomenonTime: '2026-10-27T03:04:05.678Z',
}
const model = { id: 'vehicles', version: '1.0.0', sha256: 'a'.repeat(64) }

const tracks = [{ id: 7, label: 'car', box: [0.4, 0.5, 0.1, 0.1] as [number, number, number, number] }]

const setUp = (
  evidence: Partial<EvidenceTaker> = {},
  drafts: readonly EventDraft[] = [draft],
  learnt: () => unknown = () => undefined,
) => {
  const followed: unknown[] = []
  const calls: { records: readonly OutboxRecord[]; states: Readonly<Record<string, unknown>> }[] = []
  let open: readonly string[] = []
  const reset = vi.fn()
  const analysis = createAnalysis({
    cameraId: 'le-loi-1',
    analyticId: 'traffic',
    analytic: {
      update: () => ({ observations: [observationExample], readings: [], tracks }),
      suspend: () => {},
      reset,
      state: learnt,
    },
    rule: {
      evaluate: () => {
        open = drafts.map(({ happeningId }) => happeningId)
        return drafts
      },
      state: () => ({ open }),
      restoreProblem: null,
    },
    detect: async () => ({ model, decoded: { kind: 'detections', detections: [] }, inferenceMs: 20 }),
    evidence: { take: async () => [evidenceExample], takeAfter: async () => undefined, ...evidence },
    record: async (records, states) => void calls.push({ records, states }),
    onTracks: async (given, { takenAt }) => void followed.push({ given, takenAt }),
  })
  return { analysis, calls, reset, followed }
}

describe('one camera and one analytic', () => {
  it('hands out the vehicles it follows and records nothing of them', async () => {
    const { analysis, calls, followed } = setUp()
    await analysis.analyse(frame, { isFirstOfConnection: false })
    expect(followed).toEqual([{ given: tracks, takenAt: frame.takenAt }])
    expect(JSON.stringify(calls)).not.toContain('"box"')
  })

  it.each([
    { withWhole: true, looks: [[0.5, 0.5, 0.5, 0.5], undefined], result: 'whole', inferenceMs: 50 },
    { withWhole: false, looks: [[0.5, 0.5, 0.5, 0.5]], result: 'part', inferenceMs: 20 },
  ])('lets the model look at the part an analytic asks for (with the whole: $withWhole)', async expected => {
    const region = [0.5, 0.5, 0.5, 0.5] as [number, number, number, number]
    const looks: unknown[] = []
    const inputs: AnalyticInput[] = []
    const analysis = createAnalysis({
      cameraId: 'le-loi-1',
      analyticId: 'flood',
      analytic: {
        closeUp: ({ width, height }) =>
          width === 1 && height === 1 ? { region, withWhole: expected.withWhole } : null,
        update: input => {
          inputs.push(input)
          return { observations: [], readings: [] }
        },
        suspend: () => {},
        reset: () => {},
      },
      rule: { evaluate: () => [], state: () => ({ open: [] }), restoreProblem: null },
      detect: async (_, part) => {
        looks.push(part)
        const scores = { [part ? 'part' : 'whole']: 1 }
        return { model, decoded: { kind: 'classes', scores }, inferenceMs: part ? 20 : 30 }
      },
      evidence: { take: async () => [], takeAfter: async () => undefined },
      record: async () => {},
    })
    await analysis.analyse(frame, { isFirstOfConnection: false })
    expect(looks).toEqual(expected.looks)
    expect(inputs[0]!.result!.decoded).toEqual({ kind: 'classes', scores: { [expected.result]: 1 } })
    expect(inputs[0]!.closeUp).toMatchObject({ region, result: { decoded: { scores: { part: 1 } } } })
    expect(analysis.inferenceMs()).toBe(expected.inferenceMs)
  })

  it('stores what the analytic has learnt, once until there is something new', async () => {
    let learnt: unknown = { level: [1] }
    const { analysis, calls } = setUp({}, [], () => learnt)
    const storedNow = async () => {
      await analysis.analyse(frame, { isFirstOfConnection: false })
      return calls.at(-1)!.states['le-loi-1/traffic/learnt']
    }
    expect(await storedNow()).toEqual({ level: [1] })
    expect(await storedNow()).toBeUndefined()
    learnt = { level: [2] }
    expect(await storedNow()).toEqual({ level: [2] })
  })

  it('records observations, events with model and evidence, and the changed rule state as one', async () => {
    const { analysis, calls } = setUp()
    await analysis.analyse(frame, { isFirstOfConnection: false })
    expect(calls).toEqual([
      {
        records: [
          { cameraId: 'le-loi-1', type: 'observation.v1', data: observationExample },
          { cameraId: 'le-loi-1', type: 'event.v1', data: { ...draft, model, evidence: [evidenceExample] } },
        ],
        states: { 'le-loi-1/traffic': { open: [draft.happeningId] } },
      },
    ])
    await analysis.analyse(frame, { isFirstOfConnection: false })
    expect(calls[1]?.states).toEqual({})
  })

  it('publishes the picture of a second later as an update of the event', async () => {
    const after = { ...evidenceExample, role: 'after' as const, takenAt: '2026-10-27T03:04:06.678Z' }
    const { analysis, calls } = setUp({ takeAfter: async () => after })
    await analysis.analyse(frame, { isFirstOfConnection: false })
    await analysis.settled()
    expect(calls[1]?.records).toMatchObject([
      {
        type: 'event.v1',
        data: { happeningId: draft.happeningId, phase: 'updated', phenomenonTime: after.takenAt, evidence: [after] },
      },
    ])
  })

  it('starts the analytic anew when the camera has reconnected', async () => {
    const { analysis, reset } = setUp()
    await analysis.analyse(frame, { isFirstOfConnection: false })
    expect(reset).not.toHaveBeenCalled()
    await analysis.analyse(frame, { isFirstOfConnection: true })
    expect(reset).toHaveBeenCalledTimes(1)
  })
})

describe('frames that cannot be judged', () => {
  it('are counted by reason and logged once per change', async () => {
    const log = { info: vi.fn(), warn: vi.fn() }
    const failures = createFailureCount(log)
    const subject = { cameraId: 'le-loi-1', analyticId: 'flood' }
    const fail = (reason: string) => () => Promise.reject(Object.assign(new Error('no'), { reason }))
    for (let i = 0; i < 5; i++) await failures.guard(subject, fail('timeout'))
    await failures.guard(subject, fail('worker-lost'))
    await failures.guard(subject, async () => {})
    expect(failures.of('le-loi-1')).toEqual({ timeout: 5, 'worker-lost': 1 })
    expect([log.warn.mock.calls.length, log.info.mock.calls.length]).toEqual([2, 1])
  })
})

describe('the scene watch', () => {
  it('suspends measuring while the picture cannot be trusted, and not for a blurred lens', () => {
    const changes = [
      ['blurred', 'began'],
      ['moved', 'began'],
      ['black', 'began'],
      ['moved', 'ended'],
      ['black', 'ended'],
    ] as const
    let next = 0
    const suspend = vi.fn()
    const report = vi.fn()
    const watch = createSceneWatch({
      monitor: {
        offer: () => {
          const [condition, phase] = changes[next++]!
          return [{ cameraId: 'le-loi-1', condition, phase, message: condition, hint: '', at: 0 }]
        },
      },
      measuring: [{ suspend }],
      report,
    })
    for (const _ of changes) watch.see(frame)
    expect(suspend.mock.calls.map(([reason]) => reason)).toEqual(['moved', 'moved', 'black', null])
    expect(report).toHaveBeenCalledTimes(5)
  })
})

describe('the life of the parts', () => {
  const parts = (calls: string[], failing?: string) =>
    ['first', 'middle', 'last'].map(name => ({
      name,
      start: async () => {
        calls.push(`start ${name}`)
        if (name === failing) throw new Error(`${name} failed`)
      },
      stop: async () => void calls.push(`stop ${name}`),
    }))

  it('starts last to first and stops first to last', async () => {
    const calls: string[] = []
    const life = lifecycle(parts(calls))
    await life.start()
    await life.stop()
    await life.stop()
    expect(calls).toEqual(['start last', 'start middle', 'start first', 'stop first', 'stop middle', 'stop last'])
  })

  it('stops what was started when a part fails', async () => {
    const calls: string[] = []
    await expect(lifecycle(parts(calls, 'middle')).start()).rejects.toThrow('middle failed')
    expect(calls).toEqual(['start last', 'start middle', 'stop middle', 'stop last'])
  })
})

describe('turns', () => {
  it('do one thing at a time, and a failure is its own alone', async () => {
    const inTurn = createTurns()
    const order: string[] = []
    const slow = inTurn(async () => {
      await new Promise(resolve => setTimeout(resolve, 10))
      order.push('slow')
      throw new Error('no')
    })
    const quick = inTurn(async () => void order.push('quick'))
    await expect(slow).rejects.toThrow('no')
    await quick
    expect(order).toEqual(['slow', 'quick'])
  })
})
