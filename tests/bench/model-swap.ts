import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Analytic } from '../../edge/analytics/analytic.js'
import { createAnalytic } from '../../edge/analytics/create-analytic.js'
import type { FloodAnalytic } from '../../edge/config/agent-config.js'
import type { Frame } from '../../edge/frames/frame.js'
import { openCandidate } from '../../edge/inference/candidate.js'
import { createInference } from '../../edge/inference/inference.js'
import type { InferenceResult } from '../../edge/inference/inference-result.js'
import { loadModelPackage } from '../../edge/inference/model-package.js'
import { createShadowRun } from '../../edge/inference/shadow/shadow-run.js'
import { floodDefaults } from '../edge/analytics/inputs.js'

/**
 * What a change of model costs the active one: cameras at a steady rate, each with its flood analytic, first alone, then with a
 * candidate in shadow, then while the candidate takes over and goes back again and again. Ratios of one run; the machine should be
 * quiet otherwise.
 */
interface Phase {
  readonly name: string
  readonly frames: number
  readonly failed: number
  readonly latencyP50Ms: number
  readonly latencyP95Ms: number
  /** Between two results of one camera. */
  readonly longestGapMs: number
  readonly observations: number
  /** Between two observations of one property of one camera; they are due every `observeEverySeconds`. */
  readonly longestObservationGapMs: number
  readonly loopLagP99Ms: number
  readonly loopLagMaxMs: number
  /** The same without the time the main thread waited for a core that others had (Linux tells): what the agent itself is to blame for. */
  readonly ownLagP99Ms: number
  readonly ownLagMaxMs: number
  /** Of the main thread and of the whole process, in shares of one core. */
  readonly processCpu: number
}

const root = process.cwd()
const cameras = 3
const fps = 5
const phaseSeconds = Number(process.env.BENCH_SECONDS ?? 15)
const swaps = 4
const observeEverySeconds = 1
const street: FloodAnalytic = {
  ...floodDefaults,
  observeEverySeconds,
  roadZone: [
    [0.1, 0.5],
    [0.9, 0.5],
    [0.9, 0.95],
    [0.1, 0.95],
  ],
  fps,
}
const silent = { info: () => {}, warn: () => {}, error: () => {} }

const noise = (cameraId: string): Frame => {
  const [width, height] = [640, 360]
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3))
  for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 2_654_435_761) >>> 24
  return { cameraId, width, height, pixels, takenAt: Date.now(), number: 1 }
}

/** Nanoseconds the main thread has waited for a core so far. */
const waitedNs = (): number => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[1])

const tickMs = 5
/** How late a timer comes, less the time the machine kept the thread waiting. */
const watchOwnLag = () => {
  const late: number[] = []
  let last = performance.now()
  let waited = waitedNs()
  const timer = setInterval(() => {
    const [now, waitedNow] = [performance.now(), waitedNs()]
    late.push(Math.max(0, now - last - tickMs - (waitedNow - waited) / 1e6))
    last = now
    waited = waitedNow
  }, tickMs)
  return () => {
    clearInterval(timer)
    return late
  }
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0
const rounded = (value: number): number => Math.round(value * 10) / 10

export const modelSwap = async (): Promise<object> => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'bench-swap-'))
  const load = () => loadModelPackage(join(root, 'models/water-segmentation'), { cacheDir, requireSignatures: false })
  const [first, second] = [await load(), await load()]
  const id = first.manifest.id
  const inference = createInference({ packages: [first], workers: 1, log: silent })
  await inference.start()
  const pictures = Array.from({ length: cameras }, (_, i) => noise(`camera-${i}`))
  let onResult = (_frame: Frame, _result: InferenceResult): void => {}

  const measure = async (name: string, during: () => Promise<void>): Promise<Phase> => {
    const latencies: number[] = []
    const gaps: number[] = []
    const lastAt = new Map<string, number>()
    const observationGaps: number[] = []
    const observedAt = new Map<string, number>()
    let observations = 0
    const observe = (analytic: Analytic, frame: Frame, result: InferenceResult): void => {
      for (const { property } of analytic.update({ frame, result }).observations) {
        const key = `${frame.cameraId} ${property}`
        const [now, before] = [performance.now(), observedAt.get(key)]
        observations++
        if (before !== undefined) observationGaps.push(now - before)
        observedAt.set(key, now)
      }
    }
    const lag = monitorEventLoopDelay({ resolution: 1 })
    let failed = 0
    let isOver = false
    const cpu = process.cpuUsage()
    const began = performance.now()
    lag.enable()
    const ownLag = watchOwnLag()
    const watch = async (picture: Frame, offsetMs: number): Promise<void> => {
      await sleep(offsetMs)
      const analytic = createAnalytic(street, { cameraId: picture.cameraId, thresholds: first.manifest.thresholds })
      for (let number = 1; !isOver; number++) {
        const at = performance.now()
        const frame = { ...picture, number, takenAt: Date.now() }
        try {
          const result = await inference.detect(id, frame)
          onResult(frame, result)
          observe(analytic, frame, result)
          const now = performance.now()
          latencies.push(now - at)
          const before = lastAt.get(picture.cameraId)
          if (before !== undefined) gaps.push(now - before)
          lastAt.set(picture.cameraId, now)
        } catch {
          failed++
        }
        await sleep(Math.max(0, 1000 / fps - (performance.now() - at)))
      }
    }
    const watching = pictures.map((picture, i) => watch(picture, (i * 1000) / fps / cameras))
    await Promise.all([during(), sleep(phaseSeconds * 1000)])
    isOver = true
    await Promise.all(watching)
    lag.disable()
    const own = ownLag()
    const used = process.cpuUsage(cpu)
    return {
      name,
      frames: latencies.length,
      failed,
      latencyP50Ms: rounded(percentile(latencies, 0.5)),
      latencyP95Ms: rounded(percentile(latencies, 0.95)),
      longestGapMs: rounded(Math.max(...gaps)),
      observations,
      longestObservationGapMs: rounded(Math.max(...observationGaps)),
      // The histogram counts from the timer's own interval on.
      loopLagP99Ms: rounded(lag.percentile(99) / 1e6 - 1),
      loopLagMaxMs: rounded(lag.max / 1e6 - 1),
      ownLagP99Ms: rounded(percentile(own, 0.99)),
      ownLagMaxMs: rounded(Math.max(...own)),
      processCpu: rounded((used.user + used.system) / 1000 / (performance.now() - began)),
    }
  }

  const alone = await measure('alone', async () => {})
  const candidate = await openCandidate(second, { onLost: () => {} })
  const run = createShadowRun({
    model: id,
    active: { package: first, digest: null },
    candidate: { package: second, digest: 'c'.repeat(64) },
    judge: candidate.judge,
    cameras: null,
    cpuShare: 0.25,
    thumbnail: async () => ({ sha256: 'd'.repeat(64) }),
    onFailure: () => {},
    now: Date.now,
  })
  onResult = run.offer
  const shadowed = await measure('candidate in shadow', async () => {})
  run.stop()
  await candidate.close()
  onResult = () => {}
  const swapMs: number[] = []
  const swapped = await measure(`${swaps} hand-overs`, async () => {
    for (let i = 0; i < swaps; i++) {
      const began = performance.now()
      await inference.replace(id, i % 2 === 0 ? second : first)
      swapMs.push(performance.now() - began)
      await sleep(500)
    }
  })
  await inference.stop()
  rmSync(cacheDir, { recursive: true, force: true })
  const { frames, agreement, cpu } = run.report()
  return {
    model: `${id} ${first.manifest.version}`,
    load: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
    phases: [alone, shadowed, swapped],
    shadow: {
      compared: frames.compared,
      offered: frames.offered,
      agreement,
      usedShare: cpu.usedShare,
      allowedShare: cpu.allowedShare,
    },
    swapMs: swapMs.map(Math.round),
    ratios: {
      'latency p50, shadow / alone': rounded(shadowed.latencyP50Ms / alone.latencyP50Ms),
      'latency p50, hand-over / alone': rounded(swapped.latencyP50Ms / alone.latencyP50Ms),
      'longest gap, hand-over / alone': rounded(swapped.longestGapMs / alone.longestGapMs),
      'longest gap between observations, hand-over / alone': rounded(
        swapped.longestObservationGapMs / alone.longestObservationGapMs,
      ),
    },
    holds: {
      'event-loop lag p99 below 20 ms': [alone, shadowed, swapped].every(one => one.ownLagP99Ms < 20),
      'no frame lost': [alone, shadowed, swapped].every(one => one.failed === 0),
      'no observation missed': [alone, shadowed, swapped].every(
        one => one.longestObservationGapMs < 1_900 * observeEverySeconds,
      ),
    },
  }
}

const result = (await modelSwap()) as { phases: Phase[] } & Record<string, unknown>
console.table(result.phases)
console.log(JSON.stringify(result, null, 2))
