import type { Logger } from 'pino'
import type { Frame } from '../frames/frame.js'
import { InferenceError, type InferenceFailure, ModelPackageError, sentenceOf } from './inference-error.js'
import type { InferenceResult } from './inference-result.js'
import { createModelCounter, type InferenceStats, type ModelCounter } from './inference-stats.js'
import { type InferenceThread, openInferenceThread } from './inference-thread.js'
import { createJobQueue } from './job-queue.js'
import type { ModelPackage } from './model-package.js'

export interface Inference {
  /**
   * Opens every model in every worker and runs one golden sample of each package.
   * Rejects with a ModelPackageError when a package cannot be opened or answers wrongly; nothing runs then.
   */
  start(): Promise<void>
  /**
   * Judges one frame. Settles in any case; rejects with an InferenceError whose `reason` can be counted. The caller
   * keeps at most one frame outstanding per analytic, so the queue stays as short as the list of analytics.
   */
  detect(modelId: string, frame: Frame): Promise<InferenceResult>
  /**
   * Puts another package in the place of a model, whose id callers keep using: opens fresh workers with it, warms them up while
   * the old ones go on, hands over between two frames, and retires each old worker after its last one. Rejects with a
   * ModelPackageError when the package cannot be opened or answers wrongly; nothing has changed then.
   */
  replace(modelId: string, next: ModelPackage): Promise<void>
  stats(): InferenceStats
  /** Frames still waiting are rejected; returns when all workers have ended. */
  stop(): Promise<void>
}

export interface InferenceOptions {
  readonly packages: readonly ModelPackage[]
  readonly workers: number
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** A frame that takes longer costs its worker: native code cannot be interrupted. */
  readonly jobTimeoutMs?: number
  readonly openTimeoutMs?: number
  /** Safety net behind the callers' own bound. */
  readonly maxWaiting?: number
  /** Pause before a worker is replaced that was lost soon after its start; doubles up to 60 times this. */
  readonly replaceDelayMs?: number
}

interface Job {
  readonly modelId: string
  readonly frame: Frame
  readonly resolve: (result: InferenceResult) => void
  readonly reject: (error: InferenceError) => void
}

/** What stands where in the workers that are opened now: the id callers use → package. */
type Generation = ReadonlyMap<string, ModelPackage>

/** A worker, with the packages it was opened with. */
interface PoolWorker {
  readonly thread: InferenceThread
  readonly packages: Generation
  /** It ended by itself. */
  isLost(): boolean
}

/** A worker that lived this long was not killed by its start or its first frames. */
const soonMs = 10_000
const longestDelayFactor = 60
/** Stands in for the picture of a camera. */
const blackFrame = ({ manifest: { input } }: ModelPackage): Frame => ({
  cameraId: 'a camera that shows black',
  number: 1,
  takenAt: 0,
  width: input.width,
  height: input.height,
  pixels: new Uint8Array(new SharedArrayBuffer(input.width * input.height * 3)),
})

/** So many frames make a fresh session as fast as it gets. */
const warmRuns = 2

export const createInference = (options: InferenceOptions): Inference => {
  const { packages, workers, log, jobTimeoutMs = 30_000, openTimeoutMs = 120_000, replaceDelayMs = 1_000 } = options
  const counters = new Map(packages.map(({ manifest }) => [manifest.id, createModelCounter()]))
  const queue = createJobQueue<Job>(options.maxWaiting ?? 1_000)
  const pool = new Set<PoolWorker>()
  const idle: PoolWorker[] = []
  /** At their last frame, after a package was replaced. */
  const retiring = new Set<PoolWorker>()
  const newestFrame = new Map<string, Frame>()
  let generation: Generation = new Map(packages.map(model => [model.manifest.id, model]))
  let replacing = false
  const delays = new Set<NodeJS.Timeout>()
  let state: 'stopped' | 'starting' | 'running' = 'stopped'
  let lostWorkers = 0
  let quickLosses = 0
  let jobs = 0
  // Set while no worker runs and the last attempt to open one failed: frames are refused at once instead of waiting.
  let outage: string | undefined

  const counterOf = (job: Job): ModelCounter => counters.get(job.modelId)!
  const refuse = (job: Job, reason: InferenceFailure, message: string): void => {
    counterOf(job).failed(reason, 'waiting')
    job.reject(new InferenceError(reason, message))
  }

  const dispatch = (): void => {
    while (idle.length > 0 && queue.size > 0) void execute(idle.pop()!, queue.take()!)
  }

  const execute = async (worker: PoolWorker, job: Job): Promise<void> => {
    const model = worker.packages.get(job.modelId)!
    const counter = counterOf(job)
    counter.started()
    try {
      const { decoded, inferenceMs } = await worker.thread.run(requestOf(model, job.frame))
      counter.done(inferenceMs)
      job.resolve({ model: model.identity, decoded, inferenceMs })
    } catch (error) {
      const failure = error instanceof InferenceError ? error : new InferenceError('model-error', sentenceOf(error))
      counter.failed(failure.reason, 'running')
      job.reject(failure)
    }
    if (retiring.delete(worker)) await worker.thread.close()
    if (!pool.has(worker)) return
    idle.push(worker)
    dispatch()
  }
  const requestOf = (model: ModelPackage, { cameraId, number, takenAt, width, height, pixels }: Frame) => ({
    job: ++jobs,
    modelId: model.manifest.id,
    frame: { cameraId, number, takenAt, width, height, pixels },
  })

  const openWorker = async (wanted: Generation, checkGolden: boolean): Promise<PoolWorker> => {
    const openedAt = performance.now()
    let worker: PoolWorker | undefined
    let isLost = false
    const onLost = (cause: Error): void => {
      isLost = true
      // Before it joined and after it was retired nobody counts on it.
      if (worker === undefined || !pool.delete(worker)) return
      if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1)
      lostWorkers++
      quickLosses = performance.now() - openedAt < soonMs ? quickLosses + 1 : 0
      log.error({ err: cause }, 'An inference worker was lost and is being replaced')
      if (state === 'running') reopenLater(quickLosses)
    }
    const setup = { packages: [...wanted.values()], checkGolden }
    const thread = await openInferenceThread({ setup, jobTimeoutMs, openTimeoutMs, onLost })
    worker = { thread, packages: wanted, isLost: () => isLost }
    return worker
  }

  const isFull = (): boolean => pool.size >= workers

  const join = (worker: PoolWorker): void => {
    if (isFull()) {
      void worker.thread.close()
      return
    }
    if (worker.isLost()) {
      reopenLater(1)
      return
    }
    pool.add(worker)
    idle.push(worker)
    outage = undefined
    dispatch()
  }

  // The first replacement is immediate; a frame that kills every worker must not keep the machine busy reopening.
  const reopenLater = (losses: number): void => {
    const factor = losses <= 1 ? 0 : Math.min(longestDelayFactor, 2 ** (losses - 2))
    const timer = setTimeout(
      () => {
        delays.delete(timer)
        void reopen(losses)
      },
      replaceDelayMs * factor * (0.75 + Math.random() / 2),
    )
    delays.add(timer)
  }

  const reopen = async (losses: number): Promise<void> => {
    // A package was replaced during the pause, and every worker with it.
    if (isFull()) return
    try {
      const worker = await openWorker(generation, false)
      if (state !== 'running') return await worker.thread.close()
      if (worker.packages === generation) {
        join(worker)
        return
      }
      // A package was replaced meanwhile, together with every worker that was there.
      await worker.thread.close()
      if (!isFull()) reopenLater(0)
    } catch (error) {
      if (state !== 'running') return
      log.error({ err: error }, 'An inference worker could not be replaced and will be tried again')
      if (pool.size === 0) declareOutage(sentenceOf(error))
      reopenLater(losses + 2)
    }
  }

  const declareOutage = (why: string): void => {
    outage = `No inference worker is running: ${why} A new attempt follows within ${(replaceDelayMs * longestDelayFactor) / 1000} s.`
    for (const job of queue.drain()) refuse(job, 'worker-lost', outage)
  }

  /** All or none, one after the other when the old ones are still at work: opening takes a core. */
  const openAll = async (wanted: Generation, { inTurn }: { readonly inTurn: boolean }): Promise<PoolWorker[]> => {
    const opening: Promise<PoolWorker>[] = []
    for (let i = 0; i < workers; i++) {
      opening.push(openWorker(wanted, i === 0))
      if (inTurn && (await Promise.allSettled(opening)).some(({ status }) => status === 'rejected')) break
    }
    const opened = await Promise.allSettled(opening)
    const bad = opened.find(result => result.status === 'rejected')
    const good = opened.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    if (!bad) return good
    await Promise.all(good.map(({ thread }) => thread.close()))
    throw bad.reason
  }

  /** The first frames of a session are slow; a model that cannot judge what its cameras show now must not take over. */
  const warmUp = async ({ thread, packages: opened }: PoolWorker, replacedId: string): Promise<void> => {
    for (const [id, model] of opened) {
      // Right after a start no camera has shown anything yet.
      const frame = newestFrame.get(id) ?? (id === replacedId ? blackFrame(model) : undefined)
      for (let run = 0; frame !== undefined && run < warmRuns; run++)
        await thread.run(requestOf(model, frame)).catch((error: unknown) => {
          if (id !== replacedId) return
          const why = `Model package ${model.dir} cannot judge the newest picture of ${frame.cameraId}: ${sentenceOf(error)}`
          throw new ModelPackageError(why, { cause: error })
        })
    }
  }

  const handOver = (fresh: readonly PoolWorker[]): void => {
    const old = [...pool]
    const resting = new Set(idle)
    pool.clear()
    idle.length = 0
    for (const worker of old) {
      if (resting.has(worker)) void worker.thread.close()
      else retiring.add(worker)
    }
    fresh.forEach(join)
  }

  const prepareReplacement = async (modelId: string, next: ModelPackage): Promise<void> => {
    const wanted = new Map(generation).set(modelId, next)
    const twin = [...generation].find(([id, { manifest }]) => id !== modelId && manifest.id === next.manifest.id)
    if (twin)
      throw new ModelPackageError(
        `${next.dir} is a package of "${next.manifest.id}", which runs as "${twin[0]}" already.`,
      )
    const fresh = await openAll(wanted, { inTurn: true })
    try {
      for (const worker of fresh) await warmUp(worker, modelId)
      if (state !== 'running') throw notRunning()
    } catch (error) {
      await Promise.all(fresh.map(({ thread }) => thread.close()))
      throw error
    }
    // Nothing waits from here on, so no frame falls between the two.
    generation = wanted
    handOver(fresh)
    log.info({ modelId, version: next.manifest.version, sha256: next.identity.sha256 }, 'A model was replaced')
  }

  return {
    async start() {
      if (state !== 'stopped') throw new Error('Inference is started already; stop it first.')
      state = 'starting'
      const opened = await openAll(generation, { inTurn: false }).catch((error: unknown) => {
        state = 'stopped'
        throw error
      })
      state = 'running'
      opened.forEach(join)
      log.info({ workers, models: [...generation.keys()], openMs: opened[0]?.thread.openMs }, 'Inference is ready')
    },
    detect: (modelId, frame) =>
      new Promise((resolve, reject) => {
        const counter = counters.get(modelId)
        if (!counter) return reject(unknownModel(modelId, generation))
        const job: Job = { modelId, frame, resolve, reject }
        counter.received()
        newestFrame.set(modelId, frame)
        if (state !== 'running') return refuse(job, 'not-running', 'Inference is not running; start it first.')
        if (outage !== undefined) return refuse(job, 'worker-lost', outage)
        if (!queue.offer(modelId, job))
          return refuse(job, 'queue-full', `${queue.size} frames wait for inference already; this one is not judged.`)
        dispatch()
      }),
    async replace(modelId, next) {
      if (!generation.has(modelId)) throw unknownModel(modelId, generation)
      if (state !== 'running') throw notRunning()
      if (replacing) throw new Error('Another model is being replaced; try again when it is done.')
      replacing = true
      try {
        await prepareReplacement(modelId, next)
      } finally {
        replacing = false
      }
    },
    stats: () => ({
      workers: { wanted: workers, running: pool.size, lost: lostWorkers },
      models: Object.fromEntries([...counters].map(([id, counter]) => [id, counter.read()])),
    }),
    async stop() {
      state = 'stopped'
      outage = undefined
      for (const timer of delays) clearTimeout(timer)
      delays.clear()
      for (const job of queue.drain()) refuse(job, 'not-running', 'Inference was stopped before this frame was judged.')
      idle.length = 0
      const closing = [...pool, ...retiring]
      pool.clear()
      retiring.clear()
      await Promise.all(closing.map(({ thread }) => thread.close()))
    },
  }
}

const notRunning = (): InferenceError => new InferenceError('not-running', 'Inference is not running; start it first.')

const unknownModel = (modelId: string, known: Generation): InferenceError =>
  new InferenceError('unknown-model', `There is no model "${modelId}"; known are ${[...known.keys()].join(', ')}.`)
