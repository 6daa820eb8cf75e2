import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createInference, type Inference, type InferenceOptions } from '../../../edge/inference/inference.js'
import type { InferenceError } from '../../../edge/inference/inference-error.js'
import {
  frameOf,
  load,
  meansInput,
  temporaryFolder,
  writeDetector,
  writePackage,
  writeScriptedPackage,
} from './packages.js'

const quiet = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }

const started = async (folders: readonly string[], options: Partial<InferenceOptions> = {}): Promise<Inference> => {
  const packages = await Promise.all(folders.map(folder => load(folder)))
  const inference = createInference({ packages, workers: 1, log: quiet, ...options })
  onTestFinished(() => inference.stop())
  await inference.start()
  return inference
}

/** CPU time that the main thread takes per turn of the event loop: unlike lag it does not depend on what else runs here. */
const watchLoop = () => {
  const cpuMs = (): number =>
    Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  const turns: number[] = []
  let last = cpuMs()
  let next: NodeJS.Immediate
  const turn = (): void => {
    const now = cpuMs()
    turns.push(now - last)
    last = now
    next = setImmediate(turn)
  }
  next = setImmediate(turn)
  return {
    stop() {
      clearImmediate(next)
      const sorted = turns.toSorted((a, b) => a - b)
      // Turns that only watched are left out of the percentile: there are hundreds of thousands of them.
      const busy = sorted.filter(ms => ms > 0.5)
      return { longestMs: sorted.at(-1)!, p99Ms: busy[Math.floor(busy.length * 0.99)] ?? 0 }
    },
  }
}

const reasonOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'done',
    (error: InferenceError) => error.reason,
  )

const scores = (result: Awaited<ReturnType<Inference['detect']>>): readonly number[] => {
  if (result.decoded.kind !== 'grid') throw new Error('A grid was expected.')
  return Array.from(result.decoded.scores)
}

describe('inference', () => {
  it('judges frames with a real ONNX model in a worker and names the model', async () => {
    const inference = await started([writePackage()])
    const redLeft = frameOf(128, 64, x => (x < 64 ? [255, 0, 0] : [0, 0, 255]))
    const result = await inference.detect('means', redLeft)
    const expected = [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1]
    expect(scores(result).map(score => Math.round(score * 1000) / 1000)).toEqual(expected)
    expect(result.decoded).toMatchObject({ kind: 'grid', labels: ['smoke', 'flame'], rows: 2, columns: 4 })
    expect(result.model).toMatchObject({
      id: 'means',
      version: '1.2.3',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(result.inferenceMs).toBeGreaterThan(0)
  })

  it('gives answers that later frames do not overwrite', async () => {
    const inference = await started([writePackage()])
    const first = await inference.detect(
      'means',
      frameOf(64, 32, () => [255, 0, 0]),
    )
    await inference.detect(
      'means',
      frameOf(64, 32, () => [0, 0, 0]),
    )
    expect(scores(first)[0]).toBeCloseTo(1, 4)
  })

  it('spreads frames over its workers and counts them', async () => {
    const inference = await started([writePackage()], { workers: 2 })
    await Promise.all(Array.from({ length: 20 }, () => inference.detect('means', frameOf(64, 32))))
    const { workers, models } = inference.stats()
    expect(workers).toEqual({ wanted: 2, running: 2, lost: 0 })
    expect(models.means).toMatchObject({ received: 20, done: 20, failed: {}, waiting: 0, running: 0 })
    expect(models.means!.meanMs).toBeGreaterThan(0)
  })

  it('holds received = done + failed + waiting + running while frames are under way', async () => {
    const folder = writeScriptedPackage({ busyMs: 20, steps: [{ at: 1 }, { at: 3, fault: 'throw' }] })
    const inference = await started([folder], { maxWaiting: 3 })
    const all = [1, 2, 3, 4, 5, 6].map(number =>
      reasonOf(inference.detect('scripted', frameOf(8, 8, undefined, { number }))),
    )
    const check = (): void => {
      const { received, done, failed, waiting, running } = inference.stats().models.scripted!
      const failures = Object.values(failed).reduce((total, count) => total + count, 0)
      expect(received).toBe(done + failures + waiting + running)
    }
    check()
    for (const one of all) {
      await one
      check()
    }
    expect(await Promise.all(all)).toEqual(['done', 'done', 'model-error', 'model-error', 'queue-full', 'queue-full'])
  })

  it('does not let a model with many frames starve another one', async () => {
    const slow = writeScriptedPackage({ busyMs: 15, steps: [{ at: 1 }] })
    const inference = await started([slow, writePackage()])
    const order: string[] = []
    const slowOnes = Array.from({ length: 6 }, () =>
      inference.detect('scripted', frameOf(8, 8)).then(() => order.push('slow')),
    )
    const quick = inference.detect('means', frameOf(8, 8)).then(() => order.push('quick'))
    await Promise.all([...slowOnes, quick])
    expect(order.indexOf('quick')).toBeLessThanOrEqual(2)
  })

  it('rejects the frame whose worker dies, replaces the worker and judges the frames behind it', async () => {
    const folder = writeScriptedPackage({ steps: [{ at: 1 }, { at: 7, fault: 'exit' }, { at: 8 }] })
    const inference = await started([folder], { replaceDelayMs: 10 })
    const deadly = inference.detect('scripted', frameOf(8, 8, undefined, { number: 7 }))
    const behind = inference.detect('scripted', frameOf(8, 8, undefined, { number: 8 }))
    await expect(deadly).rejects.toThrow(/inference worker was lost: it ended with code 1/)
    expect((await behind).decoded.kind).toBe('grid')
    expect(inference.stats().workers).toEqual({ wanted: 1, running: 1, lost: 1 })
  })

  it('gives up a frame that takes too long, together with its worker', async () => {
    const folder = writeScriptedPackage({ steps: [{ at: 1 }, { at: 2, fault: 'hang' }, { at: 3 }] })
    const inference = await started([folder], { jobTimeoutMs: 3_000, replaceDelayMs: 10 })
    const late = inference.detect('scripted', frameOf(8, 8, undefined, { number: 2 }))
    await expect(late).rejects.toThrow(/gave no answer within 3 s/)
    expect(await reasonOf(inference.detect('scripted', frameOf(8, 8, undefined, { number: 3 })))).toBe('done')
  })

  it('refuses frames at once, with the reason, when there is no worker and none can be started', async () => {
    const script = { steps: [{ at: 1 }, { at: 2, fault: 'exit' }] }
    const folder = writeScriptedPackage(script)
    const inference = await started([folder], { replaceDelayMs: 50 })
    rmSync(folder, { recursive: true })
    const outcomes = [2, 1, 1].map(number =>
      reasonOf(inference.detect('scripted', frameOf(8, 8, undefined, { number }))),
    )
    expect(await Promise.all(outcomes)).toEqual(['worker-lost', 'worker-lost', 'worker-lost'])
    await expect(inference.detect('scripted', frameOf(8, 8))).rejects.toThrow(
      /No inference worker is running: .*script.json/,
    )
    expect(inference.stats().workers.running).toBe(0)
  })

  it('refuses unknown models, and everything while it is not running', async () => {
    const packages = [await load(writePackage())]
    const inference = createInference({ packages, workers: 1, log: quiet })
    await expect(inference.detect('nothing', frameOf(8, 8))).rejects.toThrow(/no model "nothing"; known are means/)
    expect(await reasonOf(inference.detect('means', frameOf(8, 8)))).toBe('not-running')
  })

  it('rejects waiting and running frames when it is stopped, and can be started anew', async () => {
    const inference = await started([writeScriptedPackage({ busyMs: 50, steps: [{ at: 1 }] })])
    const frames = [1, 2, 3].map(() => reasonOf(inference.detect('scripted', frameOf(8, 8))))
    await inference.stop()
    expect(await Promise.all(frames)).toEqual(['not-running', 'not-running', 'not-running'])
    await inference.start()
    expect(await reasonOf(inference.detect('scripted', frameOf(8, 8)))).toBe('done')
  })

  it('refuses to start when the weights do not have the declared names or shapes, and says so', async () => {
    const wrongName = writePackage({ input: { ...meansInput, name: 'picture' } })
    await expect(started([wrongName])).rejects.toThrow(
      /has no input "picture"; its inputs are images: correct input.name/,
    )
    const wrongOutput = writePackage({ outputs: [{ name: 'heat', shape: [1, 2, 2, 4] }] })
    await expect(started([wrongOutput])).rejects.toThrow(
      /has no output "heat"; its outputs are scores: correct outputs/,
    )
    const wrongShape = writePackage({ outputs: [{ name: 'scores', shape: [1, 2, 4, 8] }] })
    await expect(started([wrongShape])).rejects.toThrow(/cannot be opened/)
  })

  it('refuses weights of one height where the manifest promises taller ones', async () => {
    const inference = createInference({
      packages: [await load(writeDetector({ resize: 'letterbox', tallerHeights: [128] }))],
      workers: 1,
      log: quiet,
    })
    await expect(inference.start()).rejects.toThrow(/takes pictures of 64 rows only; export it with an open height/)
  })

  it('judges cameras of 16:9 and 4:3 in turns with one model, neither shrunk to fit the other', async () => {
    const folder = fileURLToPath(new URL('../../../models/road-users', import.meta.url))
    const inference = await started([folder])
    for (const name of ['junction', 'junction-4x3', 'junction']) {
      const { data, info } = await sharp(join(folder, `golden/${name}.png`))
        .raw()
        .toBuffer({ resolveWithObject: true })
      const expected = JSON.parse(readFileSync(join(folder, `golden/${name}.json`), 'utf8')) as { detections: object[] }
      const { decoded } = await inference.detect(
        'road-users',
        frameOf(info.width, info.height, (x, y) => {
          const at = (y * info.width + x) * info.channels
          return [data[at]!, data[at + 1]!, data[at + 2]!]
        }),
      )
      if (decoded.kind !== 'detections') throw new Error('Detections were expected.')
      expect(decoded.detections).toHaveLength(expected.detections.length)
    }
  })

  it('refuses weights that are not a model', async () => {
    await expect(started([writePackage({}, { 'model.onnx': 'not a model' })])).rejects.toThrow(
      /cannot be opened: .*model.onnx/,
    )
  })

  it('refuses to start when a package does not give its golden answer', async () => {
    const { default: sharp } = await import('sharp')
    const black = sharp({ create: { width: 64, height: 32, channels: 3, background: { r: 0, g: 0, b: 0 } } })
    const folder = writePackage(
      { golden: [{ image: 'golden/black.png', expected: 'golden/black.json' }] },
      {
        'golden/black.png': await black.png().toBuffer(),
        'golden/black.json': JSON.stringify({
          outputs: { scores: { shape: [1, 2, 2, 4], values: new Array(16).fill(1) } },
        }),
      },
    )
    await expect(started([folder])).rejects.toThrow(
      /does not give its golden answer, golden\/black.png: output "scores" differs by up to 1.0000/,
    )
  })

  it('runs the detector with the TF.js runtime in a worker, without a network', async () => {
    const vehicles = await load(fileURLToPath(new URL('../../../models/vehicles', import.meta.url)), {
      cacheDir: temporaryFolder(),
    })
    const asTfjs = { ...vehicles, manifest: { ...vehicles.manifest, runtime: 'tfjs' } } as typeof vehicles
    const inference = createInference({ packages: [asTfjs], workers: 1, log: quiet })
    onTestFinished(() => inference.stop())
    // Starting checks the golden sample.
    await inference.start()
    const result = await inference.detect('vehicles', frameOf(640, 360))
    expect(result.decoded).toEqual({ kind: 'detections', detections: [] })
  })

  it('keeps the event loop free while models are loaded, converted and opened, and frames judged', async () => {
    const vehicles = fileURLToPath(new URL('../../../models/vehicles', import.meta.url))
    const folder = writePackage()
    const watch = watchLoop()
    const packages = [await load(folder), await load(vehicles, { cacheDir: temporaryFolder() })]
    const inference = createInference({ packages, workers: 2, log: quiet })
    onTestFinished(() => inference.stop())
    await inference.start()
    const frame = frameOf(640, 360)
    for (let i = 0; i < 20; i++) await inference.detect('means', frame)
    const { longestMs, p99Ms } = watch.stop()
    console.log(
      `a turn of the event loop takes ${p99Ms.toFixed(1)} ms CPU at the 99th percentile, ${longestMs.toFixed(1)} at most`,
    )
    expect(p99Ms).toBeLessThan(20)
    expect(longestMs).toBeLessThan(60)
  })
})
