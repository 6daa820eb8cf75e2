import type { Box } from '@watchpost/shared/contracts/primitives'
import { frameAt, isFireKind } from '../metrics/fire.js'
import type { SceneScore } from '../score-scene.js'
import type { Truth } from '../truth.js'

/** A moment of a scene worth looking at, and why. */
export interface Moment {
  readonly t: number
  readonly weight: number
  readonly says: string
  readonly truth: string
  readonly told: string
  readonly marks: readonly (
    | { readonly kind: 'box'; readonly of: 'truth' | 'told'; readonly box: Box }
    | { readonly kind: 'level'; readonly of: 'truth' | 'told'; readonly x: number; readonly y: number }
  )[]
}

const shown = 3
/** Two moments so near each other show the same. */
const apartS = 3

/** The moments of the greatest error, the worst first, at most three that are some seconds apart. */
export const worstMoments = (score: SceneScore): readonly Moment[] => {
  const all = [...floodMoments(score), ...fireMoments(score), ...trafficMoments(score)].toSorted(
    (a, b) => b.weight - a.weight,
  )
  const chosen: Moment[] = []
  for (const moment of all)
    if (chosen.length < shown && chosen.every(({ t }) => Math.abs(t - moment.t) >= apartS)) chosen.push(moment)
  return chosen
}

/** Errors below this are not worth a picture. */
const leastErrorCm = 1

const floodMoments = ({ run, flood }: SceneScore): readonly Moment[] =>
  (flood?.errors ?? [])
    .filter(({ errorCm }) => Math.abs(errorCm) >= leastErrorCm)
    .map(({ t, readCm, trueCm, errorCm }) => ({
      t,
      weight: Math.abs(errorCm),
      says: `${errorCm > 0 ? '+' : ''}${errorCm.toFixed(1)} cm`,
      truth: `${trueCm.toFixed(1)} cm`,
      told: `${readCm.toFixed(1)} cm`,
      marks: [...levelMark(run.truth, trueCm, 'truth' as const), ...levelMark(run.truth, readCm, 'told' as const)],
    }))

/** Where a level stands on the gauge in the picture. */
const levelMark = ({ gauge }: Truth, cm: number, of: 'truth' | 'told') => {
  const points = (gauge?.points ?? []).toSorted((a, b) => a.cm - b.cm)
  const next = points.findIndex(point => point.cm >= cm)
  const [a, b] = next <= 0 ? [points[0], points[1]] : [points[next - 1], points[next]]
  if (!a || !b) return []
  const share = (cm - a.cm) / (b.cm - a.cm)
  return [{ kind: 'level' as const, of, x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share }]
}

/** Greater than any centimetres: what was missed or invented comes first. */
const gross = 1000

const fireMoments = ({ run, fire, realOf }: SceneScore): readonly Moment[] => {
  if (!fire) return []
  const missed = fire.detections
    .filter(({ isCensored }) => isCensored)
    .map(({ happening }) =>
      moment(run.truth, Math.min(run.playedS - 1, (happening.onePercentAt ?? happening.from) + 30), {
        says: 'missed',
        truth: happening.kind,
        told: 'nothing',
      }),
    )
  const invented = run.events
    .filter(({ phase, kind, happeningId }) => phase === 'began' && isFireKind(kind) && !realOf.has(happeningId))
    .map(({ t, kind, box }) => moment(run.truth, t, { says: 'invented', truth: 'nothing burns', told: kind }, box))
  const late = fire.detections
    .filter(({ isCensored, fromOnePercentS }) => !isCensored && (fromOnePercentS ?? 0) > 0)
    .map(({ happening, fromOnePercentS, kind, events }) => ({
      ...moment(
        run.truth,
        events[0]!.t,
        {
          says: `${fromOnePercentS!.toFixed(1)} s after 1 %`,
          truth: happening.kind,
          told: kind ?? '',
        },
        events[0]!.box,
      ),
      weight: fromOnePercentS!,
    }))
  return [...missed, ...invented, ...late]
}

const moment = (
  truth: Truth,
  t: number,
  words: Pick<Moment, 'says' | 'truth' | 'told'>,
  toldBox: Box | null = null,
): Moment => {
  const plume = frameAt(truth.frames, t)?.plumeBox
  return {
    t,
    weight: gross,
    ...words,
    marks: [
      ...(plume ? [{ kind: 'box' as const, of: 'truth' as const, box: plume }] : []),
      ...(toldBox ? [{ kind: 'box' as const, of: 'told' as const, box: toldBox }] : []),
    ],
  }
}

const trafficMoments = ({ run, violations }: SceneScore): readonly Moment[] => {
  if (!violations) return []
  const boxOf = (trackId: string | undefined, t: number) =>
    frameAt(run.truth.frames, t)?.vehicles?.find(vehicle => vehicle.trackId === trackId)?.box
  const missed = violations.missed.map(({ kind, at, from, trackId, id }): Moment => {
    const t = at ?? from
    const box = boxOf(trackId ?? id, t)
    return {
      t,
      weight: gross + 1,
      says: 'missed',
      truth: kind,
      told: 'nothing',
      marks: box ? [{ kind: 'box', of: 'truth', box }] : [],
    }
  })
  const invented = violations.invented.map(
    ({ kind, t, box }): Moment => ({
      t,
      weight: gross + 2,
      says: 'invented',
      truth: 'nobody did this',
      told: kind,
      marks: box ? [{ kind: 'box', of: 'told', box }] : [],
    }),
  )
  return [...missed, ...invented]
}
