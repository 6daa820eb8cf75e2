import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Box } from '@watchpost/shared/contracts/primitives'
import { createAnalytic } from '../../edge/analytics/create-analytic.js'
import { wholeFrame } from '../../edge/analytics/close-up.js'
import { listPictures, readPicture } from '../../edge/capture/picture-files.js'
import type { PlumeAnalytic } from '../../edge/config/agent-config.js'
import { cutOut } from '../../edge/frames/cut-out.js'
import type { Frame } from '../../edge/frames/frame.js'
import { startMs } from '../edge/analytics/inputs.js'
import { plumeConfig } from '../edge/rules/plume-chain.js'
import { startShippedModel } from '../helpers/shipped-model.js'

/**
 * After how many frames smoke is told in sequences of `models/training/onsets.py`, a frame a second, and in how many without any.
 * `--zone`: in a zone of three fifths of the picture's width and height around the plume, seen in the whole picture, and by a close-up.
 */
const clearFrames = 8
const soonFrames = 20
const frameWidth = 640
const zoneSize = 0.6
const middle: Box = [0.5, 0.5, 0, 0]

const [root, option] = process.argv.slice(2)
if (root === undefined || (option !== undefined && option !== '--zone')) {
  console.error('usage: npm run bench -- plume-onset FOLDER [--zone], a folder that models/training/onsets.py has made')
  process.exit(2)
}
const { model, inference, stop } = await startShippedModel('smoke-flame')
const { thresholds, input: modelInput } = model.manifest

const watching = ([left, top, width, height]: Box, closeUp: boolean): PlumeAnalytic => ({
  ...plumeConfig,
  closeUp,
  zones: [
    {
      id: 'hills',
      landUse: 'forest',
      polygon: [
        [left, top],
        [left + width, top],
        [left + width, top + height],
        [left, top + height],
      ],
    },
  ],
})

/** A zone around the plume of a sequence, within the picture; the middle of a calm one. */
const zoneOf = (folder: string): Box => {
  const file = join(folder, 'plume.json')
  const [x, y, width, height]: Box = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : middle
  const start = (at: number) => Math.min(Math.max(at - zoneSize / 2, 0), 1 - zoneSize)
  return [start(x + width / 2), start(y + height / 2), zoneSize, zoneSize]
}

/** Frame at which smoke or flame is first told; null if it never is. */
const toldAt = async (folder: string, config: PlumeAnalytic): Promise<number | null> => {
  const analytic = createAnalytic(config, { cameraId: 'bench', thresholds, modelInput })
  for (const [number, file] of (await listPictures(folder)).entries()) {
    const { picture } = await readPicture(file, frameWidth)
    const frame: Frame = { cameraId: 'bench', ...picture, takenAt: startMs + number * 1000, number: number + 1 }
    const near = analytic.closeUp!(frame)
    const result = await inference.detect(model.manifest.id, near ? cutOut(frame, near.region) : frame)
    const { readings } = analytic.update({ frame, result, ...(near ? { closeUp: { ...near, result } } : {}) })
    if (readings.some(reading => reading.type === 'plume' && reading.present)) return number
  }
  return null
}

const foldersOf = (kind: 'onset' | 'calm') => readdirSync(join(root, kind)).map(name => join(root, kind, name))

const figures = async (configOf: (folder: string) => PlumeAnalytic) => {
  const toldOf = async (kind: 'onset' | 'calm') => {
    const told: (number | null)[] = []
    for (const folder of foldersOf(kind)) told.push(await toldAt(folder, configOf(folder)))
    return told
  }
  const [onsets, calm] = [await toldOf('onset'), await toldOf('calm')]
  const after = onsets.flatMap(at => (at !== null && at >= clearFrames ? [at - clearFrames] : [])).sort((a, b) => a - b)
  return {
    onsets: {
      sequences: onsets.length,
      toldBefore: onsets.filter(at => at !== null && at < clearFrames).length,
      toldWithin20Frames: after.filter(frames => frames <= soonFrames).length,
      told: after.length,
      medianFrames: after[after.length >> 1] ?? null,
    },
    calm: { sequences: calm.length, told: calm.filter(at => at !== null).length },
  }
}

const found =
  option === '--zone'
    ? {
        wholePicture: await figures(folder => watching(zoneOf(folder), false)),
        closeUp: await figures(folder => watching(zoneOf(folder), true)),
      }
    : await figures(() => watching(wholeFrame, false))
await stop()
console.log(JSON.stringify({ model: `${model.manifest.id} ${model.manifest.version}`, ...found }, null, 2))
