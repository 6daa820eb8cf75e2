import type { Frame } from '../frames/frame.js'
import { type Answer, openInferenceThread } from './inference-thread.js'
import type { ModelPackage } from './model-package.js'

/** A package that is tried out, in a worker thread of its own and behind the active models' workers. */
export interface Candidate {
  readonly model: ModelPackage
  /** One frame at a time. Settles in any case; rejects with an InferenceError. */
  judge(frame: Frame): Promise<Answer>
  close(): Promise<void>
}

export interface CandidateOptions {
  /** Once, when its thread ends without having been closed. */
  readonly onLost: (cause: Error) => void
  /** Gives up opening. */
  readonly signal?: AbortSignal
  readonly jobTimeoutMs?: number
  readonly openTimeoutMs?: number
}

/** Enough for the active workers to get the core first, little enough to be served on a busy machine. */
const candidateNice = 10

/** Opens the package in a fresh worker and runs every golden sample. Rejects with a ModelPackageError when it is refused. */
export const openCandidate = async (model: ModelPackage, options: CandidateOptions): Promise<Candidate> => {
  const { onLost, signal, jobTimeoutMs = 30_000, openTimeoutMs = 120_000 } = options
  const setup = { packages: [model], checkGolden: true, allGolden: true, nice: candidateNice }
  const thread = await openInferenceThread({
    setup,
    jobTimeoutMs,
    openTimeoutMs,
    onLost,
    ...(signal === undefined ? {} : { signal }),
  })
  let jobs = 0
  return {
    model,
    judge: ({ cameraId, number, takenAt, width, height, pixels }) => {
      const frame = { cameraId, number, takenAt, width, height, pixels }
      return thread.run({ job: ++jobs, modelId: model.manifest.id, frame })
    },
    close: () => thread.close(),
  }
}
