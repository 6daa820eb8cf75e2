import { createAnalytic } from '../../edge/analytics/create-analytic.js'
import { frameAt, startMs } from '../edge/analytics/inputs.js'
import { seeded } from '../edge/analytics/seeded.js'
import { plumeConfig } from '../edge/rules/plume-chain.js'
import { startShippedModel } from '../helpers/shipped-model.js'

/** What the smoke analytic costs a frame (what is usual per cell, evidence, three zones and an ignored one), beside the model that feeds it. */
const frames = 400
const modelFrames = 60

const cpuMsOf = async (run: () => Promise<void> | void): Promise<number> => {
  const before = process.cpuUsage()
  await run()
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1000
}

const { model, inference, stop } = await startShippedModel('smoke-flame')
const random = seeded(7)
const frame = frameAt(startMs)
for (let i = 0; i < frame.pixels.length; i++) frame.pixels[i] = Math.floor(random.between(0, 256))
const result = await inference.detect(model.manifest.id, frame)
const perFrameModel =
  (await cpuMsOf(async () => {
    for (let n = 0; n < modelFrames; n++) await inference.detect(model.manifest.id, { ...frame, number: n + 2 })
  })) / modelFrames
await stop()
const { decoded } = result
if (decoded.kind !== 'grid') throw new Error(`The model gives ${decoded.kind}, not a grid.`)

/** Scores between 0 and `most`: on a calm hill, and where most cells stand out and have to be joined. */
const perFrameAnalytic = async (most: number): Promise<number> => {
  const analytic = createAnalytic(plumeConfig, { cameraId: 'bench', thresholds: model.manifest.thresholds })
  const grids = Array.from({ length: 20 }, () => decoded.scores.map(() => random.between(0, most)))
  const ms = await cpuMsOf(() => {
    for (let n = 0; n < frames; n++)
      analytic.update({
        frame: { ...frame, takenAt: startMs + n * 1000, number: n },
        result: { ...result, decoded: { ...decoded, scores: grids[n % grids.length]! } },
      })
  })
  return ms / frames
}
const [calm, busy] = [await perFrameAnalytic(0.05), await perFrameAnalytic(1)]
const rounded = (value: number): number => Math.round(value * 1000) / 1000
console.log(
  JSON.stringify(
    {
      model: `${model.manifest.id} ${model.manifest.version}`,
      grid: `${decoded.columns}x${decoded.rows}`,
      cpuMs: { model: rounded(perFrameModel), analyticCalm: rounded(calm), analyticBusy: rounded(busy) },
      ratios: { 'calm / model': rounded(calm / perFrameModel), 'busy / model': rounded(busy / perFrameModel) },
    },
    null,
    2,
  ),
)
