import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { checkGolden } from './golden.js'
import { sentenceOf } from './inference-error.js'
import type { ModelPackage } from './model-package.js'
import type { ModelRuntime } from './model-runtime.js'
import { type OpenModel, openModel } from './open-model.js'
import { readPicture } from './read-picture.js'
import { threadCpuMs } from './thread-cpu.js'
import type { DetectRequest, WorkerMessage, WorkerSetup } from './worker-messages.js'

/** Composition root of a worker thread: it alone knows which adapter stands behind a runtime's name. */
const runtimes: Readonly<Record<string, () => Promise<ModelRuntime>>> = {
  onnx: async () => (await import('./runtimes/onnx/onnx-runtime.js')).onnxRuntime,
  tfjs: async () => (await import('./runtimes/tfjs/tfjs-runtime.js')).tfjsRuntime,
  scripted: async () => (await import('./runtimes/scripted/scripted-runtime.js')).scriptedRuntime,
}

const port = parentPort!
const { packages, checkGolden: withGolden, allGolden = false, nice } = workerData as WorkerSetup
const models = new Map<string, OpenModel>()
const openMs: Record<string, number> = {}
const say = (message: WorkerMessage, transfer: readonly ArrayBuffer[] = []): void => port.postMessage(message, transfer)

/** On Linux priorities are those of threads: only this one steps back. */
const stepBack = (): void => {
  try {
    if (nice !== undefined) setPriority(0, nice)
  } catch {
    // Where priorities cannot be set, the budget alone holds the candidate back.
  }
}

const openOne = async (model: ModelPackage): Promise<readonly string[]> => {
  const { id, runtime } = model.manifest
  const began = performance.now()
  try {
    const opened = await openModel(model, await runtimes[runtime as string]!())
    models.set(id, opened)
    const problems = await firstRun(model, opened)
    openMs[id] = performance.now() - began
    return problems
  } catch (error) {
    return [`Model package ${model.dir} cannot be opened: ${sentenceOf(error)}`]
  }
}

/** Wrong shapes show at the first run, and the first run is slow: both belong before the first camera. */
const firstRun = async (model: ModelPackage, opened: OpenModel): Promise<readonly string[]> => {
  const { manifest } = model
  const samples = withGolden ? manifest.golden.slice(0, allGolden ? undefined : 1) : []
  if (samples.length > 0) {
    const problems: string[] = []
    for (const sample of samples) problems.push(...(await checkGolden(model, sample, { ...opened, readPicture })))
    return problems.map(
      problem =>
        `Model package ${model.dir} does not give its golden answer, ${problem} Use the package as it was released, or the runtime it was made for.`,
    )
  }
  if (manifest.runtime === 'scripted') return []
  const blank = new Float32Array(manifest.input.width * manifest.input.height * 3)
  await opened.session.run(blank, { cameraId: 'first-run', number: 1, takenAt: 0 })
  return []
}

const detect = async ({ job, modelId, frame }: DetectRequest): Promise<void> => {
  const began = performance.now()
  const cpuBefore = threadCpuMs()
  try {
    const { decoded } = await models.get(modelId)!.answer(frame)
    const transfer = decoded.kind === 'grid' || decoded.kind === 'mask' ? [decoded.scores.buffer as ArrayBuffer] : []
    const inferenceMs = performance.now() - began
    const cpuAfter = threadCpuMs()
    const cpuMs = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore
    say({ kind: 'result', job, decoded, inferenceMs, cpuMs }, transfer)
  } catch (error) {
    say({ kind: 'failed', job, message: sentenceOf(error) })
  }
}

const close = async (): Promise<void> => {
  for (const { session } of models.values()) await session.close()
  port.close()
}

stepBack()
const problems: string[] = []
for (const model of packages) problems.push(...(await openOne(model)))
if (problems.length > 0) say({ kind: 'refused', problems })
else {
  // The pool hands over one job at a time, so runs of one session never overlap.
  port.on('message', (request: DetectRequest | 'close') => void (request === 'close' ? close() : detect(request)))
  say({ kind: 'ready', openMs })
}
