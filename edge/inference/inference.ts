import type { Logger } from 'pino'
import type { Frame } from '../frames/frame.js'
import { InferenceError, type InferenceFailure, sentenceOf } from './inference-error.js'
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

/** A worker that lived this long was not killed by its start or its first frames. */
const soonMs = 10_000
const longestDelayFactor = 60

export const createInference = (options: InferenceOptions): Inference => {
  const { packages, workers, log, jobTimeoutMs = 30_000, openTimeoutMs = 120_000, replaceDelayMs = 1_000 } = options
  const models = new Map(packages.map(model => [model.manifest.id, { model, counter: createModelCounter() }]))
  const queue = createJobQueue<Job>(options.maxWaiting ?? 1_000)
  const threads = new Set<InferenceThread>()
  const idle: InferenceThread[] = []
  const delays = new Set<NodeJS.Timeout>()
  let state: 'stopped' | 'starting' | 'running' = 'stopped'
  let lostWorkers = 0
  let quickLosses = 0
  let jobs = 0
  // Set while no worker runs and the last attempt to open one failed: frames are refused at once instead of waiting.
  let outage: string | undefined

  const counterOf = (job: Job): ModelCounter => models.get(job.modelId)!.counter
  const refuse = (job: Job, reason: InferenceFailure, message: string): void => {
    counterOf(job).failed(reason, 'waiting')
    job.reject(new InferenceError(reason, message))
  }

  const dispatch = (): void => {
    while (idle.length > 0 && queue.size > 0) void execute(idle.pop()!, queue.take()!)
  }

  const execute = async (thread: InferenceThread, job: Job): Promise<void> => {
    const { model, counter } = models.get(job.modelId)!
    const { cameraId, number, takenAt, width, height, pixels } = job.frame
    counter.started()
    try {
      const frame = { cameraId, number, takenAt, width, height, pixels }
      const { decoded, inferenceMs } = await thread.run({ job: ++jobs, modelId: job.modelId, frame })
      counter.done(inferenceMs)
      job.resolve({ model: model.identity, decoded, inferenceMs })
    } catch (error) {
      const failure = error instanceof InferenceError ? error : new InferenceError('model-error', sentenceOf(error))
      counter.failed(failure.reason, 'running')
      job.reject(failure)
    }
    if (!threads.has(thread)) return
    idle.push(thread)
    dispatch()
  }

  const openThread = async (checkGolden: boolean): Promise<InferenceThread> => {
    const openedAt = performance.now()
    let thread: InferenceThread | undefined
    const onLost = (cause: Error): void => {
      threads.delete(thread!)
      if (idle.includes(thread!)) idle.splice(idle.indexOf(thread!), 1)
      lostWorkers++
      quickLosses = performance.now() - openedAt < soonMs ? quickLosses + 1 : 0
      log.error({ err: cause }, 'An inference worker was lost and is being replaced')
      if (state === 'running') replaceLater(quickLosses)
    }
    thread = await openInferenceThread({ setup: { packages, checkGolden }, jobTimeoutMs, openTimeoutMs, onLost })
    return thread
  }

  const join = (thread: InferenceThread): void => {
    threads.add(thread)
    idle.push(thread)
    outage = undefined
    dispatch()
  }

  // The first replacement is immediate; a frame that kills every worker must not keep the machine busy reopening.
  const replaceLater = (losses: number): void => {
    const factor = losses <= 1 ? 0 : Math.min(longestDelayFactor, 2 ** (losses - 2))
    const timer = setTimeout(
      () => {
        delays.delete(timer)
        void replace(losses)
      },
      replaceDelayMs * factor * (0.75 + Math.random() / 2),
    )
    delays.add(timer)
  }

  const replace = async (losses: number): Promise<void> => {
    try {
      const thread = await openThread(false)
      if (state === 'running') join(thread)
      else await thread.close()
    } catch (error) {
      if (state !== 'running') return
      log.error({ err: error }, 'An inference worker could not be replaced and will be tried again')
      if (threads.size === 0) declareOutage(sentenceOf(error))
      replaceLater(losses + 2)
    }
  }

  const declareOutage = (why: string): void => {
    outage = `No inference worker is running: ${why} A new attempt follows within ${(replaceDelayMs * longestDelayFactor) / 1000} s.`
    for (const job of queue.drain()) refuse(job, 'worker-lost', outage)
  }

  return {
    async start() {
      if (state !== 'stopped') throw new Error('Inference is started already; stop it first.')
      state = 'starting'
      const opened = await Promise.allSettled(Array.from({ length: workers }, (_, i) => openThread(i === 0)))
      const good = opened.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
      const bad = opened.find(result => result.status === 'rejected')
      if (bad) {
        state = 'stopped'
        await Promise.all(good.map(thread => thread.close()))
        throw bad.reason
      }
      state = 'running'
      good.forEach(join)
      log.info({ workers, models: [...models.keys()], openMs: good[0]?.openMs }, 'Inference is ready')
    },
    detect: (modelId, frame) =>
      new Promise((resolve, reject) => {
        const known = models.get(modelId)
        if (!known)
          return reject(
            new InferenceError(
              'unknown-model',
              `There is no model "${modelId}"; known are ${[...models.keys()].join(', ')}.`,
            ),
          )
        const job: Job = { modelId, frame, resolve, reject }
        known.counter.received()
        if (state !== 'running') return refuse(job, 'not-running', 'Inference is not running; start it first.')
        if (outage !== undefined) return refuse(job, 'worker-lost', outage)
        if (!queue.offer(modelId, job))
          return refuse(job, 'queue-full', `${queue.size} frames wait for inference already; this one is not judged.`)
        dispatch()
      }),
    stats: () => ({
      workers: { wanted: workers, running: threads.size, lost: lostWorkers },
      models: Object.fromEntries([...models].map(([id, { counter }]) => [id, counter.read()])),
    }),
    async stop() {
      state = 'stopped'
      outage = undefined
      for (const timer of delays) clearTimeout(timer)
      delays.clear()
      for (const job of queue.drain()) refuse(job, 'not-running', 'Inference was stopped before this frame was judged.')
      idle.length = 0
      const closing = [...threads]
      threads.clear()
      await Promise.all(closing.map(thread => thread.close()))
    },
  }
}
