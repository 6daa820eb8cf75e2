import type { Box, ImagePoint, Quality } from '@watchpost/shared/contracts/primitives'

export type LampColour = 'red' | 'amber' | 'green' | 'unknown'

/** Facts that analytics hand to rules. `at` is Unix milliseconds of the frame. */
export type Reading =
  | {
      readonly type: 'level'
      readonly at: number
      readonly levelCm: number | null
      readonly rateCmPerHour: number | null
      readonly quality: Quality
      readonly confidence: number
    }
  | {
      readonly type: 'plume'
      readonly at: number
      readonly zone: string
      readonly landUse: 'forest' | 'field' | 'urban'
      readonly label: 'smoke' | 'flame'
      readonly present: boolean
      readonly share: number
      readonly confidence: number
      /** Change of `share` per minute. */
      readonly growthPerMinute: number
      readonly box: Box | null
    }
  | {
      readonly type: 'crossing'
      readonly at: number
      readonly line: string
      readonly trackId: number
      readonly label: string
      readonly confidence: number
      readonly direction: 'forward' | 'backward'
      /** Lamp of this line at the moment of crossing and for how long it has shown that colour. */
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
      /** Angle between the track's motion and the lane's direction, 0..180 degrees. */
      readonly angleDeg: number
      /** How long the track has kept that angle, and how far it went meanwhile (fraction of the frame's height). */
      readonly heldMs: number
      readonly distance: number
      readonly box: Box
    }
  | {
      readonly type: 'presence'
      readonly at: number
      readonly zone: string
      readonly trackId: number
      readonly label: string
      readonly confidence: number
      readonly stillMs: number
      readonly insideMs: number
      readonly box: Box
      readonly foot: ImagePoint
    }
  | { readonly type: 'track-ended'; readonly at: number; readonly trackId: number }
