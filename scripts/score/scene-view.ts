import { rounded } from './metrics/figures.js'
import { precisionRecall } from './metrics/violations.js'
import type { SceneScore } from './score-scene.js'

/** One scene in the JSON. */
export const sceneView = ({ run, flood, fire, bearings, violations, tracks }: SceneScore) => {
  const { truth, playedS, heldS, frames, reconnects, events } = run
  const dropped = Object.values(frames.dropped).reduce((sum, count) => sum + count, 0)
  return {
    scene: truth.scene,
    family: truth.family,
    use: truth.use,
    light: truth.light,
    weather: truth.weather,
    playedS: rounded(playedS, 1),
    heldS: rounded(heldS, 1),
    frames: { due: frames.due, dropped, reasons: frames.dropped, droppedShare: rounded(dropped / frames.due, 3) },
    reconnects,
    flood: flood && {
      readings: flood.readings,
      goodShare: rounded(flood.goodShare, 3),
      rmseCm: rounded(flood.rmseCm, 2),
      maeCm: rounded(flood.maeCm, 2),
      biasCm: rounded(flood.biasCm, 2),
      lagS: flood.lagS,
      rmseWithoutLagCm: rounded(flood.rmseWithoutLagCm, 2),
      suspension: {
        blindS: rounded(flood.suspension.blindS, 1),
        suspendedS: rounded(flood.suspension.suspendedS, 1),
        rightlyS: rounded(flood.suspension.rightlyS, 1),
      },
      wrongWhileSuspendedS: rounded(flood.wrongWhileSuspendedS, 1),
      crossings: flood.crossings.map(({ level, cm, at, toEventS, toIncidentS }) => ({
        level,
        cm,
        at: rounded(at, 1),
        toEventS: rounded(toEventS, 1),
        toIncidentS: rounded(toIncidentS, 1),
      })),
    },
    fire: fire && {
      detections: fire.detections.map(one => ({
        happening: one.happening.id,
        kind: one.happening.kind,
        told: one.kind,
        missed: one.isCensored,
        fromOnsetS: rounded(one.fromOnsetS, 1),
        fromOnePercentS: rounded(one.fromOnePercentS, 1),
        toIncidentS: rounded(one.toIncidentS, 1),
      })),
      confusion: fire.confusion,
      bearings: bearings.map(({ t, toldDeg, trueDeg, errorDeg }) => ({
        t: rounded(t, 1),
        toldDeg,
        trueDeg: rounded(trueDeg, 1),
        errorDeg: rounded(errorDeg, 1),
      })),
    },
    traffic: violations && {
      ...precisionRecall([violations]),
      missedViolations: violations.missed.map(({ id, kind, from, at }) => ({ id, kind, at: at ?? from })),
      inventedViolations: violations.invented.map(({ kind, t }) => ({ kind, t: rounded(t, 1) })),
      tracks: tracks && {
        frames: tracks.frames,
        idf1: rounded(tracks.idf1, 3),
        hota: rounded(tracks.hota, 3),
        detA: rounded(tracks.detection, 3),
        assA: rounded(tracks.association, 3),
      },
    },
    events: events.length,
  }
}
