import { parseTruth, type Truth } from '../../scripts/score/truth.js'

/** The least a truth must hold. */
export const leastTruth = {
  schemaVersion: 2,
  scene: 'example',
  family: 'flood-street',
  use: 'score',
  seed: 1,
  light: 'day',
  weather: [],
  fps: 2,
  width: 640,
  height: 360,
  durationS: 100,
  camera: { location: [107.6, 16.46] },
}

/** A truth as a file would give it, with these fields changed. */
export const truthWith = (change: object): Truth => parseTruth({ ...leastTruth, ...change }, 'truth.json')

/** What makes a scene one in which fires are looked for. */
export const plumeZone = {
  plumeZones: [
    {
      id: 'z',
      landUse: 'forest',
      polygon: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    },
  ],
}
