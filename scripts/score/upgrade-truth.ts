/** Level names of a street, as `scripts/simulated-city` has them. */
const streetLevels = [
  { name: 'Nước lên mặt đường', cm: 10, severity: 'minor' },
  { name: 'Xe máy không qua được', cm: 25, severity: 'major' },
  { name: 'Ô tô không qua được', cm: 45, severity: 'critical' },
]

interface FirstTruth {
  readonly scene: string
  readonly fps: number
  readonly frames: readonly unknown[]
  readonly gauge?: unknown
  readonly violations?: readonly {
    readonly kind: string
    readonly trackId: string
    readonly at: number
    readonly until?: number
  }[]
}

/** The first two scenes were written before `schemaVersion` 2: what they do not say is added, nothing they say is changed. */
export const upgradeTruth = (given: unknown): unknown => {
  if (typeof given !== 'object' || given === null || (given as { schemaVersion?: unknown }).schemaVersion !== 1)
    return given
  const old = given as FirstTruth
  return {
    light: 'day',
    weather: [],
    use: 'develop',
    durationS: old.frames.length / old.fps,
    camera: { location: old.gauge ? [107.604, 16.4665] : [107.5948, 16.4655] },
    ...old,
    ...(old.gauge ? { family: 'flood-street', levels: streetLevels } : { family: 'junction', noStoppingSeconds: 10 }),
    happenings: (old.violations ?? []).map(({ kind, trackId, at, until }) => ({
      id: trackId,
      kind,
      trackId,
      from: at,
      at,
      until: until ?? at,
    })),
    schemaVersion: 2,
  }
}
