import { intersections } from './metrics/bearing.js'
import { maxOf, meanOf, rounded, shareOf } from './metrics/figures.js'
import { type ConfusionEntry, type FireDetection, fireKinds, isRight } from './metrics/fire.js'
import { errorFigures, type LightOfFlood } from './metrics/flood.js'
import { type IncidentScore, rateOf, scoreIncidents } from './metrics/incidents.js'
import { precisionRecall, violationKinds } from './metrics/violations.js'
import type { SeenIncident } from './run-records.js'
import type { SceneScore } from './score-scene.js'

/** The figures of a whole run. Null: nothing was measured. */
export const summarise = (scores: readonly SceneScore[], incidents: readonly SeenIncident[]) => {
  const incidentScore = scoreAllIncidents(scores, incidents)
  return {
    flood: floodSummary(scores),
    fire: fireSummary(scores),
    traffic: trafficSummary(scores),
    ...incidentSummary(scores, incidentScore),
  }
}

export type Summary = ReturnType<typeof summarise>

export const scoreAllIncidents = (scores: readonly SceneScore[], incidents: readonly SeenIncident[]): IncidentScore => {
  const realOf = new Map(scores.map(({ run, realOf: reals }) => [run.truth.scene, reals]))
  return scoreIncidents(incidents, (scene, happeningId) => realOf.get(scene)?.get(happeningId))
}

const floodSummary = (scores: readonly SceneScore[]) => {
  const floods = scores.flatMap(({ flood }) => flood ?? [])
  const errorsIn = (...lights: readonly LightOfFlood[]) =>
    floods.filter(({ light }) => lights.includes(light)).flatMap(({ errors }) => errors)
  const all = errorFigures(floods.flatMap(({ errors }) => errors))
  const crossings = floods.flatMap(flood => flood.crossings)
  const delays = crossings.flatMap(({ toEventS }) => toEventS ?? [])
  const sum = (of: (flood: (typeof floods)[number]) => number) => floods.reduce((total, flood) => total + of(flood), 0)
  const [blindS, suspendedS, rightlyS] = [
    sum(({ suspension }) => suspension.blindS),
    sum(({ suspension }) => suspension.suspendedS),
    sum(({ suspension }) => suspension.rightlyS),
  ]
  return {
    rmseCmDay: rounded(errorFigures(errorsIn('day')).rmseCm, 2),
    /** Night, rain and dusk: everything that is not a clear day. */
    rmseCmNight: rounded(errorFigures(errorsIn('night', 'rain', 'dusk')).rmseCm, 2),
    rmseCmByLight: Object.fromEntries(
      (['day', 'dusk', 'night', 'rain'] as const).map(light => [
        light,
        rounded(errorFigures(errorsIn(light)).rmseCm, 2),
      ]),
    ),
    biasCm: rounded(all.biasCm, 2),
    maeCm: rounded(all.maeCm, 2),
    goodShare: rounded(meanOf(floods.flatMap(({ goodShare }) => goodShare ?? [])), 3),
    wrongWhileSuspended:
      blindS === 0
        ? null
        : rounded(
            sum(({ wrongWhileSuspendedS }) => wrongWhileSuspendedS),
            1,
          ),
    suspended: {
      share: rounded(shareOf(suspendedS, sumOf(scores.filter(({ flood }) => flood).map(({ run }) => run.playedS))), 3),
      /** Of the time that had to be suspended, how much was; of what was suspended, how much had to be. */
      recall: rounded(shareOf(rightlyS, blindS), 3),
      precision: rounded(shareOf(rightlyS, suspendedS), 3),
    },
    secondsToEvent: { mean: rounded(meanOf(delays), 1), worst: rounded(maxOf(delays), 1) },
    secondsToIncident: rounded(meanOf(crossings.flatMap(({ toIncidentS }) => toIncidentS ?? [])), 1),
    levelsReached: crossings.length,
    levelsTold: delays.length,
  }
}

const fireSummary = (scores: readonly SceneScore[]) => {
  const detections = scores.flatMap(({ fire }) => fire?.detections ?? [])
  const confusion = scores.flatMap(({ fire }) => fire?.confusion ?? [])
  // Saying nothing of fog is no proof of knowing kinds: a model that never says anything would be right most of the time.
  const judged = confusion.filter(({ truth, told }) => told !== 'none' || fireKinds.some(kind => kind === truth))
  const since = (of: (detection: FireDetection) => number | null) => detections.flatMap(one => of(one) ?? [])
  const meetings = intersections(
    scores.flatMap(({ run, fire }) => (fire?.detections ?? []).map(detection => ({ truth: run.truth, detection }))),
  )
  const bearings = scores.flatMap(score => score.bearings.map(({ errorDeg }) => Math.abs(errorDeg)))
  return {
    /** The slowest; a fire that was missed counts until the end of its scene, so the true figure is at least this. */
    secondsToDetect: rounded(maxOf(since(({ fromOnePercentS }) => fromOnePercentS)), 1),
    secondsToDetectMean: rounded(meanOf(since(({ fromOnePercentS }) => fromOnePercentS)), 1),
    secondsFromOnset: rounded(maxOf(since(({ fromOnsetS }) => fromOnsetS)), 1),
    secondsToIncident: rounded(maxOf(since(({ toIncidentS }) => toIncidentS)), 1),
    fires: detections.length,
    missed: detections.filter(({ isCensored }) => isCensored).length,
    kindAccuracy: rounded(shareOf(judged.filter(isRight).length, judged.length), 3),
    confusion: matrixOf(confusion),
    bearingErrorDeg: rounded(meanOf(bearings), 2),
    bearingErrorM: rounded(maxOf(meetings.flatMap(({ errorM }) => errorM ?? [])), 1),
    intersections: meetings,
  }
}

const matrixOf = (entries: readonly ConfusionEntry[]): Readonly<Record<string, Readonly<Record<string, number>>>> => {
  const matrix: Record<string, Record<string, number>> = {}
  for (const { truth, told } of entries) {
    const row = matrix[truth] ?? {}
    row[told] = (row[told] ?? 0) + 1
    matrix[truth] = row
  }
  return matrix
}

const trafficSummary = (scores: readonly SceneScore[]) => {
  const judged = scores.filter(({ violations }) => violations !== null)
  const of = (some: readonly SceneScore[]) => some.flatMap(({ violations }) => violations ?? [])
  const figures = ({ precision, recall, ...counts }: ReturnType<typeof precisionRecall>) => ({
    precision: rounded(precision, 3),
    recall: rounded(recall, 3),
    ...counts,
  })
  const tracks = scores.flatMap(score => score.tracks ?? [])
  const weighted = (value: (track: (typeof tracks)[number]) => number | null) => {
    const known = tracks.filter(track => value(track) !== null)
    return rounded(shareOf(sumOf(known.map(track => value(track)! * track.frames)), sumOf(known.map(t => t.frames))), 3)
  }
  const overall = figures(precisionRecall(of(judged)))
  return {
    precision: overall.precision,
    recall: overall.recall,
    counts: { found: overall.found, missed: overall.missed, invented: overall.invented },
    day: figures(precisionRecall(of(judged.filter(({ run }) => run.truth.light === 'day')))),
    night: figures(precisionRecall(of(judged.filter(({ run }) => run.truth.light !== 'day')))),
    byViolation: Object.fromEntries(violationKinds.map(kind => [kind, figures(precisionRecall(of(judged), kind))])),
    /** Means over scenes, weighted by analysed frames. */
    idf1: weighted(({ idf1 }) => idf1),
    hota: weighted(({ hota }) => hota),
    detA: weighted(({ detection }) => detection),
    assA: weighted(({ association }) => association),
  }
}

const incidentSummary = (scores: readonly SceneScore[], score: IncidentScore) => {
  const played = scores.map(({ run }) => run.playedS)
  const quiet = scores.filter(({ run }) => run.truth.family === 'quiet')
  const quietNames = new Set(quiet.map(({ run }) => run.truth.scene))
  const rate = rateOf(score.falseOnes.length, played)
  const quietOnes = score.falseOnes.filter(({ scene }) => quietNames.has(scene)).length
  const figures = ({ count, cameraDays, perCameraDay, upper95PerCameraDay }: typeof rate) => ({
    count,
    cameraDays: rounded(cameraDays, 5),
    perCameraDay: rounded(perCameraDay, 2),
    upper95PerCameraDay: rounded(upper95PerCameraDay, 1),
  })
  return {
    falseIncidentsPerCameraDay: rounded(rate.perCameraDay, 2),
    falseIncidents: {
      all: figures(rate),
      quiet: figures(
        rateOf(
          quietOnes,
          quiet.map(({ run }) => run.playedS),
        ),
      ),
      /** The same by the scenes' own clocks: hours that were shown in minutes count as hours. */
      quietByClock: figures(
        rateOf(
          quietOnes,
          quiet.map(({ run }) => run.playedS * run.truth.timeScale),
        ),
      ),
    },
    duplicatesPerHappening: rounded(score.duplicatesPerHappening, 3),
    incidents: score.raised,
    exposureCameraDays: rounded(rate.cameraDays, 5),
  }
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
