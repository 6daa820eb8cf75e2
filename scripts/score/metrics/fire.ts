import type { EventKind } from '@watchpost/shared/contracts/event'
import type { Box } from '@watchpost/shared/contracts/primitives'
import type { SeenEvent, SeenIncident } from '../run-records.js'
import type { Truth, TruthFrame, TruthHappening } from '../truth.js'
import { isWithin } from './figures.js'

export const fireKinds = ['forest-fire', 'straw-burning', 'urban-fire'] as const
export type FireKind = (typeof fireKinds)[number]
export const isFireKind = (kind: EventKind): kind is FireKind => (fireKinds as readonly EventKind[]).includes(kind)

export interface FireDetection {
  readonly scene: string
  readonly happening: TruthHappening
  /** Kind of the first event that belongs to it; null: missed. */
  readonly kind: FireKind | null
  /** Seconds until central had the event; when it was missed until the end of the play (`isCensored`). */
  readonly fromOnsetS: number | null
  readonly fromOnePercentS: number | null
  readonly toIncidentS: number | null
  readonly isCensored: boolean
  readonly events: readonly SeenEvent[]
}

export interface ConfusionEntry {
  readonly truth: string
  readonly told: FireKind | 'none'
}

export interface FireScore {
  readonly detections: readonly FireDetection[]
  /** One per fire or look-alike and kind told of it; scenes without either give one entry "nothing". */
  readonly confusion: readonly ConfusionEntry[]
  /** Which true happening each told happening is; what is not in it was raised by a look-alike or by nothing. */
  readonly matched: ReadonlyMap<string, TruthHappening>
}

/** A smoke that drifts on after the fire, and a reading that lags, still belong to it. */
const marginS = 10

export const scoreFire = (
  truth: Truth,
  playedS: number,
  events: readonly SeenEvent[],
  incidents: readonly SeenIncident[],
): FireScore => {
  const fires = truth.happenings.filter(({ kind, onePercentAt, onsetAt, from }) => {
    return isFireKind(kind) && (onePercentAt ?? onsetAt ?? from) < playedS
  })
  const likes = truth.lookAlikes.filter(({ from }) => from < playedS)
  const told = events.filter(({ kind, phase }) => phase === 'began' && isFireKind(kind))
  const sources = new Map(told.map(event => [event.happeningId, sourceOf(truth, fires, event)]))
  const matched = new Map<string, TruthHappening>()
  for (const [id, source] of sources) if (source?.fire) matched.set(id, source.fire)
  const kindsOf = (isSource: (source: Source | undefined) => boolean): ReadonlySet<FireKind> =>
    new Set(told.filter(event => isSource(sources.get(event.happeningId))).map(({ kind }) => kind as FireKind))
  const entries = (name: string, kinds: ReadonlySet<FireKind>): ConfusionEntry[] =>
    kinds.size === 0 ? [{ truth: name, told: 'none' }] : [...kinds].map(kind => ({ truth: name, told: kind }))
  const strays = kindsOf(source => source === undefined)
  return {
    detections: fires.map(fire => detectionOf(truth, playedS, fire, events, incidents, matched)),
    confusion: [
      ...fires.flatMap(fire =>
        entries(
          fire.kind,
          kindsOf(source => source?.fire === fire),
        ),
      ),
      ...likes.flatMap(like =>
        entries(
          like.kind,
          kindsOf(source => source?.likeId === like.id),
        ),
      ),
      ...(strays.size > 0 || (fires.length === 0 && likes.length === 0) ? entries('nothing', strays) : []),
    ],
    matched,
  }
}

interface Source {
  readonly fire?: TruthHappening
  readonly likeId?: string
}

/**
 * What an event was raised by: a look-alike that lies where it points, else a fire that burns then (but not one whose smoke is
 * elsewhere in the picture), else a look-alike of that time.
 */
const sourceOf = (truth: Truth, fires: readonly TruthHappening[], event: SeenEvent): Source | undefined => {
  const burning = fires.filter(fire =>
    isWithin(event.t, { from: fire.onsetAt ?? fire.from, until: fire.until + marginS }),
  )
  const alike = truth.lookAlikes.filter(like => isWithin(event.t, like, marginS))
  const plume = frameAt(truth.frames, event.t)?.plumeBox
  if (event.box) {
    const middle = middleOf(event.box)
    const inPlume = burning.length > 0 && plume != null && holds(plume, middle)
    const like = alike.find(({ box }) => box && holds(box, middle))
    if (like && !inPlume) return { likeId: like.id }
  }
  const pointsElsewhere = event.box !== null && plume != null && !touch(plume, event.box)
  const fire = burning.find(({ kind }) => kind === event.kind) ?? burning[0]
  if (fire && !pointsElsewhere) return { fire }
  return alike[0] && { likeId: alike[0].id }
}

const detectionOf = (
  truth: Truth,
  playedS: number,
  happening: TruthHappening,
  events: readonly SeenEvent[],
  incidents: readonly SeenIncident[],
  matched: ReadonlyMap<string, TruthHappening>,
): FireDetection => {
  const own = events.filter(({ happeningId }) => matched.get(happeningId) === happening)
  const first = own.filter(({ phase }) => phase === 'began').toSorted((a, b) => a.receivedT - b.receivedT)[0]
  const raised = incidents
    .filter(({ happenings }) =>
      happenings.some(
        ({ scene, happeningId }) => scene === truth.scene && own.some(e => e.happeningId === happeningId),
      ),
    )
    .map(({ raisedT }) => raisedT)
  const end = first?.receivedT ?? playedS
  const since = (start: number | undefined) => (start === undefined ? null : end - start)
  const start = happening.onePercentAt ?? happening.onsetAt ?? happening.from
  return {
    scene: truth.scene,
    happening,
    kind: (first?.kind as FireKind | undefined) ?? null,
    fromOnsetS: since(happening.onsetAt ?? happening.from),
    fromOnePercentS: since(happening.onePercentAt),
    toIncidentS: raised.length === 0 ? null : Math.min(...raised) - start,
    isCensored: first === undefined,
    events: own,
  }
}

export const frameAt = (frames: readonly TruthFrame[], t: number): TruthFrame | undefined =>
  frames.reduce<TruthFrame | undefined>(
    (best, frame) => (best && Math.abs(best.t - t) <= Math.abs(frame.t - t) ? best : frame),
    undefined,
  )

const middleOf = ([x, y, width, height]: Box): readonly [number, number] => [x + width / 2, y + height / 2]

/** A tenth of the picture around: the model's grid is coarse. */
const boxMargin = 0.05
const holds = ([x, y, width, height]: readonly number[], [px, py]: readonly [number, number]): boolean =>
  px >= x! - boxMargin && px <= x! + width! + boxMargin && py >= y! - boxMargin && py <= y! + height! + boxMargin

/** Both grown by the margin. */
const touch = ([ax, ay, aw, ah]: readonly number[], [bx, by, bw, bh]: readonly number[]): boolean =>
  Math.max(ax!, bx!) - Math.min(ax! + aw!, bx! + bw!) <= 2 * boxMargin &&
  Math.max(ay!, by!) - Math.min(ay! + ah!, by! + bh!) <= 2 * boxMargin

export const isRight = ({ truth, told }: ConfusionEntry): boolean =>
  told === (isFireKind(truth as EventKind) ? truth : 'none')
