import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createAnalytic } from '../../edge/analytics/create-analytic.js'
import { listPictures, readPicture } from '../../edge/capture/picture-files.js'
import type { PlumeAnalytic } from '../../edge/config/agent-config.js'
import type { Frame } from '../../edge/frames/frame.js'
import { startMs } from '../edge/analytics/inputs.js'
import { plumeConfig } from '../edge/rules/plume-chain.js'
import { startShippedModel } from '../helpers/shipped-model.js'

/** After how many frames smoke is told in sequences of `models/training/onsets.py`, a frame a second, and in how many without any. */
const clearFrames = 8
const soonFrames = 20
const frameWidth = 640
const wholePicture: PlumeAnalytic = {
  ...plumeConfig,
  zones: [
    {
      id: 'hills',
      landUse: 'forest',
      polygon: [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    },
  ],
}

const [root] = process.argv.slice(2)
if (root === undefined) {
  console.error('usage: npm run bench -- plume-onset FOLDER, which models/training/onsets.py has made')
  process.exit(2)
}
const { model, inference, stop } = await startShippedModel('smoke-flame')

/** Frame at which smoke or flame is first told; null if it never is. */
const toldAt = async (folder: string): Promise<number | null> => {
  const analytic = createAnalytic(wholePicture, { cameraId: 'bench', thresholds: model.manifest.thresholds })
  for (const [number, file] of (await listPictures(folder)).entries()) {
    const { picture } = await readPicture(file, frameWidth)
    const frame: Frame = { cameraId: 'bench', ...picture, takenAt: startMs + number * 1000, number: number + 1 }
    const { readings } = analytic.update({ frame, result: await inference.detect(model.manifest.id, frame) })
    if (readings.some(reading => reading.type === 'plume' && reading.present)) return number
  }
  return null
}

const sequences = async (kind: 'onset' | 'calm'): Promise<readonly (number | null)[]> => {
  const told: (number | null)[] = []
  for (const name of readdirSync(join(root, kind))) told.push(await toldAt(join(root, kind, name)))
  return told
}

const [onsets, calm] = [await sequences('onset'), await sequences('calm')]
await stop()
const after = onsets.flatMap(at => (at !== null && at >= clearFrames ? [at - clearFrames] : [])).sort((a, b) => a - b)
console.log(
  JSON.stringify(
    {
      model: `${model.manifest.id} ${model.manifest.version}`,
      onsets: {
        sequences: onsets.length,
        toldBefore: onsets.filter(at => at !== null && at < clearFrames).length,
        toldWithin20Frames: after.filter(frames => frames <= soonFrames).length,
        told: after.length,
        medianFrames: after[after.length >> 1] ?? null,
      },
      calm: { sequences: calm.length, told: calm.filter(at => at !== null).length },
    },
    null,
    2,
  ),
)
