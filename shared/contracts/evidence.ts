import { type Static, Type } from '@sinclair/typebox'
import { Sha256, UtcTime } from './primitives.js'

export const EvidenceRole = Type.Union([
  Type.Literal('before'),
  Type.Literal('at'),
  Type.Literal('after'),
  Type.Literal('clip'),
  Type.Literal('snapshot'),
  Type.Literal('disagreement'),
])

/** A picture or clip that belongs to an event; the bytes travel separately, addressed by their hash. */
export const Evidence = Type.Object(
  {
    sha256: Sha256,
    mediaType: Type.Union([Type.Literal('image/jpeg'), Type.Literal('video/mp4')]),
    bytes: Type.Integer({ minimum: 1 }),
    role: EvidenceRole,
    takenAt: UtcTime,
  },
  { $id: 'Evidence', additionalProperties: false },
)

export type Evidence = Static<typeof Evidence>
export type EvidenceRole = Static<typeof EvidenceRole>

export const evidenceExample: Evidence = {
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  mediaType: 'image/jpeg',
  bytes: 48213,
  role: 'at',
  takenAt: '2026-10-27T03:04:05.678Z',
}
