import type { EventKind, EventPhase } from '@watchpost/shared/contracts/event'
import type { Box, Quality } from '@watchpost/shared/contracts/primitives'
import type { Truth } from './truth.js'

/** What central says about one scene, in seconds of the scene (`t` = phenomenon time, `receivedT` = arrival at central). */

export interface LevelReading {
  readonly t: number
  /** Null when suspended. */
  readonly cm: number | null
  readonly quality: Quality
}

export interface SeenEvent {
  readonly scene: string
  readonly happeningId: string
  readonly kind: EventKind
  readonly phase: EventPhase
  readonly t: number
  readonly receivedT: number
  readonly level: string | null
  readonly zone: string | null
  readonly box: Box | null
  readonly bearingDeg: number | null
}

export interface SeenIncident {
  readonly id: string
  readonly kind: EventKind
  /** Of its first event. */
  readonly scene: string
  /** Phenomenon time of its first event, and when central raised it, in seconds of that event's scene. */
  readonly openedT: number
  readonly raisedT: number
  /** All scenes whose events were merged into it. */
  readonly happenings: readonly { readonly scene: string; readonly happeningId: string }[]
}

export interface FrameCounts {
  /** Frames that were due, over all analytics of the camera, while the scene was played. */
  readonly due: number
  readonly dropped: Readonly<Record<string, number>>
}

/** One scene as it went through the chain. */
export interface SceneRun {
  readonly truth: Truth
  /** Seconds of the scene that were shown. */
  readonly playedS: number
  /** Seconds for which the camera showed the first frame before the scene began. */
  readonly heldS: number
  readonly levels: readonly LevelReading[]
  readonly events: readonly SeenEvent[]
  readonly frames: FrameCounts
  /** Reconnects of the camera while the scene was played: there should be none. */
  readonly reconnects: number
}
