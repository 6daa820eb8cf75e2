import { Worker } from 'node:worker_threads'
import { InferenceError, ModelPackageError } from './inference-error.js'
import type { Decoded } from './inference-result.js'
import type { DetectRequest, WorkerMessage, WorkerSetup } from './worker-messages.js'
import { workerUrl } from './worker-url.js'

/** One worker thread with a session per model. Runs one job at a time. */
export interface InferenceThread {
  /** Milliseconds that opening took, per model. */
  readonly openMs: Readonly<Record<string, number>>
  /** Settles in any case: with an InferenceError when the model fails, the thread is lost or time runs out. */
  run(request: DetectRequest): Promise<Answer>
  close(): Promise<void>
}

export interface Answer {
  readonly decoded: Decoded
  readonly inferenceMs: number
  /** Processor time of the thread; null where the system does not tell. */
  readonly cpuMs: number | null
}

export interface ThreadOptions {
  readonly setup: WorkerSetup
  readonly jobTimeoutMs: number
  readonly openTimeoutMs: number
  /** Gives up opening; afterwards it means nothing. */
  readonly signal?: AbortSignal
  /** Once, when the thread ends without having been closed. */
  readonly onLost: (cause: Error) => void
}

/** How long a thread may take to end by itself before it is stopped. */
const closeTimeoutMs = 2_000

/** Resolves when all sessions are open; rejects with a ModelPackageError when a package is refused. */
export const openInferenceThread = async (options: ThreadOptions): Promise<InferenceThread> => {
  const worker = new Worker(workerUrl('inference-worker.js'), { workerData: options.setup, execArgv: [] })
  // A thread that fails while it ends must not bring down the process.
  worker.on('error', () => {})
  try {
    return watchThread(worker, await opened(worker, options), options)
  } catch (error) {
    void worker.terminate()
    throw error
  }
}

const opened = (worker: Worker, { openTimeoutMs, signal }: ThreadOptions): Promise<InferenceThread['openMs']> =>
  new Promise((resolve, reject) => {
    // Listeners are taken off one by one: removeAllListeners() would also take Node's own, and no message comes any more.
    const listeners = {
      error: (cause: Error) => done(() => reject(cause)),
      exit: (code: number) =>
        done(() => reject(new Error(`The inference worker ended with code ${code} while opening models.`))),
      message: (message: WorkerMessage) =>
        done(() => {
          if (message.kind === 'ready') resolve(message.openMs)
          if (message.kind === 'refused') reject(new ModelPackageError(message.problems.join('\n')))
        }),
    }
    const timer = setTimeout(
      () => done(() => reject(new Error(`Models were not open after ${openTimeoutMs / 1000} s.`))),
      openTimeoutMs,
    )
    const stop = (): void => done(() => reject(stopped('the model was opened')))
    const done = (settle: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      for (const [event, listener] of Object.entries(listeners)) worker.off(event, listener)
      settle()
    }
    for (const [event, listener] of Object.entries(listeners)) worker.on(event, listener)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop)
  })

const stopped = (before: string): InferenceError =>
  new InferenceError('not-running', `Inference was stopped before ${before}.`)

interface Running {
  readonly job: number
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

const watchThread = (
  worker: Worker,
  openMs: InferenceThread['openMs'],
  { jobTimeoutMs, onLost }: ThreadOptions,
): InferenceThread => {
  let running: Running | undefined
  let ended = false
  const settle = (): Running | undefined => {
    const job = running
    clearTimeout(job?.timer)
    running = undefined
    return job
  }
  const lose = (error: InferenceError): void => {
    if (ended) return
    ended = true
    settle()?.reject(error)
    void worker.terminate()
    onLost(error)
  }
  worker.on('error', cause => lose(lost(cause.message, cause)))
  worker.on('exit', code => lose(lost(`it ended with code ${code}`)))
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'result') settle()?.resolve(message)
    if (message.kind === 'failed') settle()?.reject(new InferenceError('model-error', message.message))
  })
  return {
    openMs,
    run: request =>
      new Promise((resolve, reject) => {
        if (ended) return reject(lost('it had ended before'))
        const timer = setTimeout(() => lose(late(request.modelId, jobTimeoutMs)), jobTimeoutMs)
        running = { job: request.job, resolve, reject, timer }
        worker.postMessage(request)
      }),
    async close() {
      if (ended) return
      ended = true
      settle()?.reject(stopped('this frame was judged'))
      await endThread(worker)
    },
  }
}

/** Sessions are released by the thread itself; native code that does not come back is stopped by force. */
const endThread = async (worker: Worker): Promise<void> => {
  const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()))
  worker.postMessage('close')
  const timer = setTimeout(() => void worker.terminate(), closeTimeoutMs)
  await exited
  clearTimeout(timer)
}

const lost = (why: string, cause?: Error): InferenceError =>
  new InferenceError(
    'worker-lost',
    `The inference worker was lost: ${why}. It is replaced; later frames are judged again.`,
    {
      cause,
    },
  )

const late = (modelId: string, jobTimeoutMs: number): InferenceError =>
  new InferenceError(
    'timeout',
    `Model ${modelId} gave no answer within ${jobTimeoutMs / 1000} s; its worker is replaced. Look for an overloaded machine.`,
  )
