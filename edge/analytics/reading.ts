import type { Box, ImagePoint, Quality } from '@watchpost/shared/contracts/primitives'

export type LampColour = 'red' | 'amber' | 'green' | 'unknown'

/** Facts that analytics hand to rules. `at` is Unix milliseconds of the frame. */
export type Reading =
  | {
      readonly type: 'level'
      readonly at: number
      /** Null when suspended. */
      readonly levelCm: number | null
      /** `atLeast`: water above the calibrated span; `atMost`: below its foot. The level is then the span's end. */
      readonly bound: 'exact' | 'atLeast' | 'atMost'
      readonly rateCmPerHour: number | null
      readonly quality: Quality
      readonly reason?: string
      readonly confidence: number
    }
  | {
      readonly type: 'flooded-share'
      readonly at: number
      /** Share of the road zone under water, 0..1; null when suspended. */
      readonly share: number | null
      readonly quality: Quality
      readonly reason?: string
      readonly confidence: number
    }
  | {
      readonly type: 'plume'
      readonly at: number
      readonly zone: string
      readonly landUse: 'forest' | 'field' | 'urban'
      readonly label: 'smoke' | 'flame'
      /** It stands out from what this camera usually shows, in k of the last n frames. */
      readonly present: boolean
      /** Of the zone under the plume, 0..1. */
      readonly share: number
      /** Score of the plume's cells over the last frames; a plume told by time may have a low one. */
      readonly confidence: number
      /** Change of `share` per minute. */
      readonly growthPerMinute: number
      /** Mean change of the cells' scores from frame to frame: flames flicker, lamps and sunlit walls do not. */
      readonly flicker: number
      /** Of the plume's surest connected cells. */
      readonly box: Box | null
      /** Where the plume stands, 0..1 from the left; null exactly when there is no box. */
      readonly footX: number | null
      /** The part of the frame that the model looked at; null: all of it. */
      readonly region: Box | null
    }
  | {
      readonly type: 'crossing'
      readonly at: number
      readonly line: string
      readonly kind: 'stop-line' | 'solid-line' | 'count'
      readonly trackId: number
      readonly label: string
      readonly confidence: number
      readonly direction: 'forward' | 'backward'
      /** Lamp of this line at the moment of crossing and for how long it had shown that colour. */
      readonly lamp: { readonly colour: LampColour; readonly sinceMs: number } | null
      readonly box: Box
    }
  | {
      readonly type: 'travel'
      readonly at: number
      readonly lane: string
      readonly trackId: number
      readonly label: string
      readonly confidence: number
      /** Angle between the lane's direction and the motion since the track last turned with or against it, 0..180 degrees. */
      readonly angleDeg: number
      /** How long ago that was, and how far the track went meanwhile (fraction of the frame's height). */
      readonly heldMs: number
      readonly distance: number
      /** Its slowest third, relative to an even one, 0..1: near 0 the track has jumped. */
      readonly evenness: number
      readonly box: Box
    }
  | {
      readonly type: 'presence'
      readonly at: number
      readonly zone: string
      readonly kind: 'no-stopping' | 'no-entry'
      readonly trackId: number
      readonly label: string
      readonly confidence: number
      readonly stillMs: number
      readonly insideMs: number
      /** How far the track went inside the zone, straight (fraction of the frame's height). */
      readonly insideDistance: number
      readonly box: Box
      readonly foot: ImagePoint
    }
  | { readonly type: 'track-ended'; readonly at: number; readonly trackId: number }
  /** The picture cannot be trusted: rules stop their clocks. */
  | { readonly type: 'suspended'; readonly at: number }
