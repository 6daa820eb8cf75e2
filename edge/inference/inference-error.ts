/** A model package that is refused. The message is one or more sentences that say what to do. */
export class ModelPackageError extends Error {
  override readonly name = 'ModelPackageError'
}

/** One frame could not be judged; the next one may be. `reason` is the counter's name. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError'
  readonly reason: InferenceFailure

  constructor(reason: InferenceFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

export type InferenceFailure =
  | 'unknown-model'
  | 'not-running'
  | 'queue-full'
  | 'worker-lost'
  | 'timeout'
  | 'model-error'

export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
