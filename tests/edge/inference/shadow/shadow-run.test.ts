import { Value } from '@sinclair/typebox/value'
import { ShadowReport } from '@watchpost/shared/contracts/shadow-report'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { InferenceError, type InferenceFailure } from '../../../../edge/inference/inference-error.js'
import type { Decoded, InferenceResult } from '../../../../edge/inference/inference-result.js'
import type { ModelPackage } from '../../../../edge/inference/model-package.js'
import { createShadowRun, type ShadowRunOptions } from '../../../../edge/inference/shadow/shadow-run.js'
import { frameOf } from '../packages.js'

const hash = (digit: string) => digit.repeat(64)
const packageOf = (version: string): ModelPackage =>
  ({ manifest: { thresholds: {} }, identity: { id: 'vehicles', version, sha256: hash('a') } }) as never
const cars = (...xs: number[]): Decoded => ({
  kind: 'detections',
  detections: xs.map(x => ({ label: 'car', confidence: 0.9, box: [x, 0.5, 0.1, 0.1] })),
})
const resultOf = (decoded: Decoded): InferenceResult => ({
  model: { id: 'vehicles', version: '1.0.0', sha256: hash('a') },
  decoded,
  inferenceMs: 40,
})
const frame = (cameraId: string, takenAt = 1_800_000_000_000) => frameOf(16, 16, undefined, { cameraId, takenAt })

// The run measures out time, so the clock is ours: 30 ms of processor time per frame.
beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const setUp = (change: Partial<ShadowRunOptions> = {}) => {
  const judged: string[] = []
  const onFailure = vi.fn()
  const thumbnail = vi.fn(async () => ({ sha256: hash('b') }))
  const run = createShadowRun({
    model: 'vehicles',
    active: { package: packageOf('1.0.0'), digest: null },
    candidate: { package: packageOf('2.0.0'), digest: hash('c') },
    judge: async ({ cameraId }) => {
      judged.push(cameraId)
      await new Promise(resolve => setTimeout(resolve, 30))
      return { decoded: cars(0.1), inferenceMs: 33, cpuMs: 30 }
    },
    cameras: null,
    cpuShare: 0.25,
    thumbnail,
    onFailure,
    now: Date.now,
    ...change,
  })
  return { run, judged, onFailure, thumbnail }
}
const balance = ({ offered, compared, skipped, failed, waiting }: ShadowReport['frames']) =>
  offered - compared - failed - waiting - skipped.budget - skipped.busy - skipped.stopped

describe('a shadow run', () => {
  it('takes no more than its share of a core, and counts every frame it leaves out', async () => {
    const { run } = setUp()
    for (let i = 0; i < 500; i++) {
      run.offer(frame('a'), resultOf(cars(0.1)))
      expect(balance(run.report().frames)).toBe(0)
      await vi.advanceTimersByTimeAsync(20)
    }
    const { cpu, frames, latencyMs } = run.report()
    // 10 s at a quarter of a core make 2.5 s, at 30 ms each.
    expect(frames.compared).toBeGreaterThanOrEqual(80)
    expect(frames.compared).toBeLessThanOrEqual(84)
    expect(cpu).toMatchObject({ allowedShare: 0.25, msPerFrame: 30 })
    expect(cpu.usedShare).toBeLessThanOrEqual(0.255)
    expect(latencyMs).toEqual({ active: { p50: 40, p95: 40 }, candidate: { p50: 33, p95: 33 } })
    expect(frames.skipped.budget).toBeGreaterThan(frames.skipped.busy)
  })

  it('saves up no credit in quiet times', async () => {
    const { run, judged } = setUp()
    await vi.advanceTimersByTimeAsync(60_000)
    for (let i = 0; i < 50; i++) {
      run.offer(frame('a'), resultOf(cars(0.1)))
      await vi.advanceTimersByTimeAsync(20)
    }
    expect(judged.length).toBeLessThanOrEqual(10)
  })

  it('gives every camera its turn, with the newest frame of each', async () => {
    const { run, judged } = setUp()
    for (let i = 0; i < 200; i++) {
      for (const camera of ['a', 'b', 'c']) run.offer(frame(camera), resultOf(cars(0.1)))
      await vi.advanceTimersByTimeAsync(20)
    }
    const counts = ['a', 'b', 'c'].map(camera => judged.filter(one => one === camera).length)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  })

  it('looks at the chosen cameras only', async () => {
    const { run, judged } = setUp({ cameras: ['b'] })
    run.offer(frame('a'), resultOf(cars(0.1)))
    run.offer(frame('b'), resultOf(cars(0.1)))
    await vi.advanceTimersByTimeAsync(100)
    expect(judged).toEqual(['b'])
    expect(run.report().frames.offered).toBe(1)
  })

  it('reports agreement per class with pictures of the disagreements, as the contract has it', async () => {
    const { run, thumbnail } = setUp({ cpuShare: 1 })
    for (const active of [cars(0.1), cars(0.6), cars(0.1, 0.6)]) {
      run.offer(frame('a', Date.now()), resultOf(active))
      await vi.advanceTimersByTimeAsync(11_000)
    }
    const report = run.report()
    expect([...Value.Errors(ShadowReport, report)]).toEqual([])
    expect(report.classes).toEqual([{ label: 'car', agree: 2, onlyActive: 2, onlyCandidate: 1, iou: 1 }])
    expect(report.agreement).toBeCloseTo(2 / 5)
    expect(report.disagreements.map(({ score, thumbnail }) => [score, thumbnail])).toEqual([
      [1, hash('b')],
      [0.5, hash('b')],
    ])
    expect(thumbnail).toHaveBeenCalledTimes(2)
  })

  it('counts what the candidate could not judge, and goes on', async () => {
    let calls = 0
    const { run, onFailure } = setUp({
      judge: async () => {
        if (++calls === 1) throw new Error('no')
        return { decoded: cars(), inferenceMs: 1, cpuMs: 1 }
      },
    })
    for (let i = 0; i < 2; i++) {
      run.offer(frame('a'), resultOf(cars()))
      await vi.advanceTimersByTimeAsync(50)
    }
    expect(onFailure).toHaveBeenCalledTimes(1)
    expect(run.report().frames).toMatchObject({ offered: 2, compared: 1, failed: 1, waiting: 0 })
  })

  it('begins no frame after it was stopped', async () => {
    const { run, judged } = setUp()
    run.offer(frame('a'), resultOf(cars(0.1)))
    run.offer(frame('b'), resultOf(cars(0.1)))
    run.stop()
    await vi.advanceTimersByTimeAsync(1_000)
    run.offer(frame('a'), resultOf(cars(0.1)))
    expect(judged).toEqual(['a'])
    expect(run.report().frames).toMatchObject({ offered: 2, compared: 1, skipped: { stopped: 1 }, waiting: 0 })
  })

  // Stopping a candidate closes its worker, which rejects the frame it is at.
  const stopAt = async (reason: InferenceFailure) => {
    let end = (): void => {}
    const { run, onFailure } = setUp({
      judge: () =>
        new Promise((_, reject) => {
          end = () => reject(new InferenceError(reason, 'It ended.'))
        }),
    })
    run.offer(frame('a'), resultOf(cars(0.1)))
    run.stop()
    end()
    await vi.advanceTimersByTimeAsync(0)
    expect(balance(run.report().frames)).toBe(0)
    return { frames: run.report().frames, onFailure }
  }

  it('counts the frame it was at when it was stopped as left out, not as one that could not be judged', async () => {
    const { frames, onFailure } = await stopAt('not-running')
    expect(frames).toMatchObject({ offered: 1, failed: 0, skipped: { stopped: 1 }, waiting: 0 })
    expect(onFailure).not.toHaveBeenCalled()
  })

  it('counts the frame the candidate died of, although its death ends the run', async () => {
    const { frames, onFailure } = await stopAt('worker-lost')
    expect(frames).toMatchObject({ offered: 1, failed: 1, skipped: { stopped: 0 }, waiting: 0 })
    expect(onFailure).toHaveBeenCalledTimes(1)
  })
})
