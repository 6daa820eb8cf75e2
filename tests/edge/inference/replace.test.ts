import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openCandidate } from '../../../edge/inference/candidate.js'
import { createInference, type Inference, type InferenceOptions } from '../../../edge/inference/inference.js'
import type { InferenceError } from '../../../edge/inference/inference-error.js'
import { frameOf, load, meansModel, writePackage, writeScriptedPackage } from './packages.js'

const quiet = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
const script = (step: object = {}, busyMs = 0) => ({ busyMs, steps: [{ at: 0, outputs: {}, ...step }] })
const scripted = (version: string, step: object = {}, busyMs = 0) =>
  load(writeScriptedPackage(script(step, busyMs), { version }))

const started = async (
  folders: readonly string[],
  workers = 1,
  options: Partial<InferenceOptions> = {},
): Promise<Inference> => {
  const packages = await Promise.all(folders.map(folder => load(folder)))
  const inference = createInference({ packages, workers, log: quiet, ...options })
  onTestFinished(() => inference.stop())
  await inference.start()
  return inference
}
const versionOf = async (inference: Inference, id: string, number = 1): Promise<string> =>
  (await inference.detect(id, frameOf(64, 32, undefined, { number }))).model.version
const reasonOf = (attempt: Promise<unknown>) => attempt.catch((error: InferenceError) => error.message)

describe('replacing a model', () => {
  it('answers every frame while the new package is opened, first with the old one, then with the new one only', async () => {
    const inference = await started([writeScriptedPackage(script({}, 3)), writePackage()], 2)
    const done = { yet: false }
    const replacing = inference.replace('scripted', await scripted('2.0.0', {}, 3)).finally(() => {
      done.yet = true
    })
    const versions: string[] = []
    for (let number = 1; !done.yet; number++) versions.push(await versionOf(inference, 'scripted', number))
    await replacing
    versions.push(...(await Promise.all([1, 2, 3, 4].map(number => versionOf(inference, 'scripted', number)))))
    expect(new Set(versions)).toEqual(new Set(['1.2.3', '2.0.0']))
    expect(versions.toSorted()).toEqual(versions)
    expect(await versionOf(inference, 'means')).toBe('1.2.3')
    expect(inference.stats()).toMatchObject({
      workers: { wanted: 2, running: 2, lost: 0 },
      models: { scripted: { failed: {} } },
    })
  })

  it('lets frames that are under way end in their old workers', async () => {
    const inference = await started([writeScriptedPackage(script({}, 1500))])
    const next = await scripted('2.0.0')
    const underWay = versionOf(inference, 'scripted')
    await inference.replace('scripted', next)
    expect(await versionOf(inference, 'scripted')).toBe('2.0.0')
    expect(await underWay).toBe('1.2.3')
  })

  it('changes nothing when the package gives a wrong golden answer', async () => {
    const inference = await started([writePackage()])
    const wrong = { outputs: { scores: { shape: [1, 2, 2, 4], values: new Array(16).fill(0.9) } } }
    const sharp = (await import('sharp')).default
    const image = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#000' } })
      .png()
      .toBuffer()
    const folder = writePackage(
      { version: '2.0.0', golden: [{ image: 'golden/black.png', expected: 'golden/black.json' }] },
      { 'model.onnx': meansModel(), 'golden/black.png': image, 'golden/black.json': JSON.stringify(wrong) },
    )
    const next = await load(folder)
    expect(await reasonOf(inference.replace('means', next))).toContain('does not give its golden answer')
    expect(await reasonOf(openCandidate(next, { onLost: () => {} }))).toContain('does not give its golden answer')
    expect(await versionOf(inference, 'means')).toBe('1.2.3')
  })

  it('refuses a package that cannot judge what its cameras show now', async () => {
    const inference = await started([writeScriptedPackage(script())])
    await versionOf(inference, 'scripted', 7)
    const next = await scripted('2.0.0', { fault: 'exit' })
    expect(await reasonOf(inference.replace('scripted', next))).toContain('cannot judge the newest picture of camera-1')
    expect(await versionOf(inference, 'scripted')).toBe('1.2.3')
    expect(inference.stats().workers).toEqual({ wanted: 1, running: 1, lost: 0 })
  })

  it('refuses a package that can judge nothing, also before a camera has shown anything', async () => {
    const inference = await started([writeScriptedPackage(script())])
    const next = await scripted('2.0.0', { fault: 'throw' })
    expect(await reasonOf(inference.replace('scripted', next))).toContain('cannot judge the newest picture')
    expect(await versionOf(inference, 'scripted')).toBe('1.2.3')
  })

  it('opens lost workers again with the package that replaced the first one', async () => {
    const inference = await started([writeScriptedPackage(script())])
    const dying = script({ outputs: {} })
    const next = await load(
      writeScriptedPackage(
        { ...dying, steps: [...dying.steps, { at: 5, outputs: {}, fault: 'exit' }, { at: 6, outputs: {} }] },
        { version: '2.0.0' },
      ),
    )
    await inference.replace('scripted', next)
    await expect(versionOf(inference, 'scripted', 5)).rejects.toMatchObject({ reason: 'worker-lost' })
    expect(await versionOf(inference, 'scripted', 6)).toBe('2.0.0')
  })

  it('keeps to its number of workers when the model it replaces had killed its own', async () => {
    const deadly = {
      steps: [
        { at: 0, outputs: {} },
        { at: 5, fault: 'exit' },
      ],
    }
    const inference = await started([writeScriptedPackage(deadly)], 2, { replaceDelayMs: 1_000 })
    const next = await scripted('2.0.0')
    // Pauses before lost workers are replaced pass when the test says so.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    for (let death = 1; death <= 2; death++)
      await expect(versionOf(inference, 'scripted', 5)).rejects.toMatchObject({ reason: 'worker-lost' })
    expect(inference.stats().workers).toEqual({ wanted: 2, running: 0, lost: 2 })
    await inference.replace('scripted', next)
    vi.advanceTimersByTime(10_000)
    // By the time it is open, so is what would have begun to open before it.
    for (let opened = 1; opened <= 2; opened++) await (await openCandidate(next, { onLost: () => {} })).close()
    expect(inference.stats().workers).toEqual({ wanted: 2, running: 2, lost: 2 })
  })

  it('refuses a model it does not have, and a package that runs under another name already', async () => {
    const inference = await started([writeScriptedPackage(script()), writePackage()])
    const means = await load(writePackage({ version: '2.0.0' }))
    expect(await reasonOf(inference.replace('smoke', means))).toContain('known are scripted, means')
    expect(await reasonOf(inference.replace('scripted', means))).toContain('runs as "means" already')
  })
})

describe('a candidate', () => {
  it('judges frames in a thread of its own and tells its processor time', async () => {
    const candidate = await openCandidate(await scripted('2.0.0', {}, 300), { onLost: () => {} })
    onTestFinished(() => candidate.close())
    const answer = await candidate.judge(frameOf(64, 32))
    expect(answer.decoded.kind).toBe('grid')
    expect(answer.inferenceMs).toBeGreaterThanOrEqual(300)
    // The kernel's count may lag by a tick; a busy machine takes most of the wall time away.
    expect(answer.cpuMs).toBeGreaterThan(0)
    expect(answer.cpuMs).toBeLessThanOrEqual(answer.inferenceMs + 10)
  })

  it('tells when its thread ends, and then refuses frames', async () => {
    const onLost = vi.fn()
    const candidate = await openCandidate(await scripted('2.0.0', { fault: 'exit' }), { onLost })
    onTestFinished(() => candidate.close())
    await expect(candidate.judge(frameOf(64, 32))).rejects.toMatchObject({ reason: 'worker-lost' })
    expect(onLost).toHaveBeenCalledTimes(1)
    await expect(candidate.judge(frameOf(64, 32))).rejects.toMatchObject({ reason: 'worker-lost' })
  })
})
