import type { Decoded } from './inference-result.js'
import type { ModelPackage } from './model-package.js'

export interface WorkerSetup {
  readonly packages: readonly ModelPackage[]
  /** Golden samples are judged by the first worker only: the others run the same bytes. */
  readonly checkGolden: boolean
  /** Every sample instead of the first one: a candidate has to show all it claims. */
  readonly allGolden?: boolean
  /** Lowers the priority of the thread, as `nice` does (Linux): the active models come first. */
  readonly nice?: number
}

/** To the worker. `pixels` lies in shared memory: nothing is copied. */
export interface DetectRequest {
  readonly job: number
  readonly modelId: string
  readonly frame: {
    readonly cameraId: string
    readonly number: number
    readonly takenAt: number
    readonly width: number
    readonly height: number
    readonly pixels: Uint8Array
  }
}

/** From the worker: once `ready` or `refused`, then one answer per request. */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly openMs: Readonly<Record<string, number>> }
  | { readonly kind: 'refused'; readonly problems: readonly string[] }
  | {
      readonly kind: 'result'
      readonly job: number
      readonly decoded: Decoded
      readonly inferenceMs: number
      /** Processor time of the thread; null where the system does not tell. */
      readonly cpuMs: number | null
    }
  | { readonly kind: 'failed'; readonly job: number; readonly message: string }
