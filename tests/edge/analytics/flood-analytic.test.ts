import { Value } from '@sinclair/typebox/value'
import { Observation } from '@watchpost/shared/contracts/observation'
import { describe, expect, it } from 'vitest'
import { createAnalytic } from '../../../edge/analytics/create-analytic.js'
import type { Reading } from '../../../edge/analytics/reading.js'
import type { FloodAnalytic } from '../../../edge/config/agent-config.js'
import type { Decoded } from '../../../edge/inference/inference-result.js'
import { floodDefaults, inputAt, maskOf, startMs, waterBelow } from './inputs.js'
import { seeded } from './seeded.js'

const config: FloodAnalytic = {
  ...floodDefaults,
  gauge: {
    points: [
      { x: 0.5, y: 0.9, cm: 0 },
      { x: 0.5, y: 0.1, cm: 100 },
    ],
    halfWidth: 0.03,
  },
  roadZone: [
    [0.1, 0.5],
    [0.4, 0.5],
    [0.4, 1],
    [0.1, 1],
  ],
  levels: [{ name: 'ankle', cm: 10, severity: 'minor' }],
}
const rowOf = (cm: number) => 0.9 - 0.008 * cm

/** Feeds one mask a second and returns everything that came out. */
const run = (masks: Iterable<Decoded>, settings: Partial<FloodAnalytic> = {}) => {
  const analytic = createAnalytic({ ...config, ...settings }, { cameraId: 'le-loi-1' })
  const outputs = [...masks].map((mask, second) => analytic.update(inputAt(startMs + second * 1000, mask)))
  const readings = outputs.flatMap(output => output.readings)
  return {
    analytic,
    observations: outputs.flatMap(output => output.observations),
    levels: readings.filter((reading): reading is Reading & { type: 'level' } => reading.type === 'level'),
    shares: readings.filter(
      (reading): reading is Reading & { type: 'flooded-share' } => reading.type === 'flooded-share',
    ),
  }
}
const seconds = (count: number, mask: (second: number) => Decoded) =>
  Array.from({ length: count }, (_, second) => mask(second))
const dry = () => maskOf(() => 0.03)

describe('flood analytic', () => {
  it('reads a dry road as 0 cm, good', () => {
    expect(run(seconds(5, dry)).levels.at(-1)).toMatchObject({ levelCm: 0, quality: 'good', bound: 'exact' })
  })

  it('follows a rise and a fall within 2 cm and without delay, under mask noise', () => {
    const random = seeded(11)
    const truth = (second: number) => 45 - 35 * Math.cos(second / 60)
    const { levels } = run(
      seconds(240, second => {
        const mask = waterBelow(rowOf(truth(second)))
        if (mask.kind === 'mask')
          for (const [index, score] of mask.scores.entries()) mask.scores[index] = score + random.between(-0.2, 0.2)
        return mask
      }),
    )
    const errors = levels.slice(5).map((level, index) => level.levelCm! - truth(index + 5))
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)).toBeLessThan(2)
    expect(levels.slice(3).every(level => level.quality === 'good')).toBe(true)
  })

  it('does not lag behind water that rises by a centimetre a second', () => {
    const { levels } = run(seconds(40, second => waterBelow(rowOf(20 + second))))
    for (const second of [15, 25, 35]) expect(Math.abs(levels[second]!.levelCm! - (20 + second))).toBeLessThan(1)
  })

  it('is not moved by two wild readings of five', () => {
    const wild = (second: number) => second === 20 || second === 22
    const { levels } = run(seconds(26, second => waterBelow(rowOf(wild(second) ? 90 : 20))))
    for (const level of levels.slice(18)) expect(Math.abs(level.levelCm! - 20)).toBeLessThan(1)
  })

  it('tells the rate of a steady rise in cm per hour, through waves that pass', () => {
    const { levels } = run(seconds(400, second => waterBelow(rowOf(20 + second / 60 + (second % 90 < 3 ? 15 : 0)))))
    expect(levels.at(-1)!.rateCmPerHour).toBeGreaterThan(50)
    expect(levels.at(-1)!.rateCmPerHour).toBeLessThan(70)
  })

  it('has no rate before a minute has been seen', () => {
    expect(run(seconds(50, () => waterBelow(rowOf(30)))).levels.at(-1)!.rateCmPerHour).toBeNull()
  })

  it('holds the old level, uncertain, while the wave of a truck passes', () => {
    const { levels } = run(seconds(40, second => waterBelow(rowOf(second >= 15 && second < 21 ? 55 : 20))))
    expect(Math.max(...levels.map(level => level.levelCm!))).toBeLessThan(22)
    expect(levels.filter(level => level.reason?.includes('awaits confirmation')).length).toBeGreaterThan(0)
    expect(levels.at(-1)!.quality).toBe('good')
  })

  it('believes a sudden step once further readings agree', () => {
    const { levels } = run(seconds(30, second => waterBelow(rowOf(second >= 10 ? 55 : 20))))
    expect(levels.at(-1)).toMatchObject({ quality: 'good' })
    expect(levels.at(-1)!.levelCm).toBeCloseTo(55, 0)
  })

  it('reports water above the calibrated span as at least its top, uncertain', () => {
    expect(run(seconds(8, () => maskOf(() => 0.98))).levels.at(-1)).toMatchObject({
      levelCm: 100,
      bound: 'atLeast',
      quality: 'uncertain',
      reason: 'the water stands above the calibrated span',
    })
  })

  it('reports no water at the foot of a river gauge as at most its lowest mark', () => {
    const river = { points: config.gauge!.points.map(point => ({ ...point, cm: point.cm - 50 })), halfWidth: 0.03 }
    expect(run(seconds(8, dry), { gauge: river }).levels.at(-1)).toMatchObject({
      levelCm: -50,
      bound: 'atMost',
      quality: 'uncertain',
    })
  })

  it('doubts a level on which the halves of the strip disagree', () => {
    const { levels } = run(seconds(8, () => maskOf((x, y) => (y > rowOf(x < 0.5 ? 60 : 30) ? 0.95 : 0.05))))
    expect(levels.at(-1)!.quality).toBe('uncertain')
    expect(levels.at(-1)!.reason).toMatch(/halves of the strip differ by (29|30|31) cm/)
  })

  it('suspends when no frame shows a clear line, and keeps the last median uncertain until then', () => {
    const random = seeded(3)
    const noise = () => maskOf(() => random.next())
    const { levels } = run(seconds(60, second => (second < 20 ? waterBelow(rowOf(30)) : noise())))
    expect(levels[22]).toMatchObject({ quality: 'uncertain', reason: 'the gauge shows no clear water line' })
    expect(levels[22]!.levelCm).toBeCloseTo(30, 0)
    expect(levels.at(-1)).toMatchObject({ quality: 'suspended', levelCm: null })
  })

  it('gives nulls with the reason while it is suspended, at once, and starts anew afterwards', () => {
    const { analytic } = run(seconds(12, () => waterBelow(rowOf(60))))
    analytic.suspend('the lens is covered')
    const during = analytic.update(inputAt(startMs + 12_200, dry()))
    expect(
      during.observations.map(({ property, value, quality, reason }) => ({ property, value, quality, reason })),
    ).toEqual([
      { property: 'floodLevel', value: null, quality: 'suspended', reason: 'the lens is covered' },
      { property: 'floodShare', value: null, quality: 'suspended', reason: 'the lens is covered' },
    ])
    analytic.suspend(null)
    expect(analytic.update(inputAt(startMs + 14_000, dry())).readings[0]).toMatchObject({
      levelCm: 0,
      quality: 'uncertain',
    })
  })

  it('measures the flooded share of the road zone', () => {
    expect(run(seconds(6, () => maskOf((_, y) => (y > 0.75 ? 0.9 : 0.1)))).shares.at(-1)!.share).toBeCloseTo(0.5, 1)
  })

  it('publishes observations of the contract once per slot', () => {
    const { observations } = run(seconds(121, () => waterBelow(rowOf(30))))
    expect(observations.filter(one => one.property === 'floodLevel')).toHaveLength(25)
    expect(observations.filter(one => one.property === 'floodShare')).toHaveLength(25)
    expect(observations.some(one => one.property === 'floodRate')).toBe(true)
    for (const one of observations) expect([...Value.Errors(Observation, one)]).toEqual([])
  })

  it('refuses a result that is not a mask, and a configuration with nothing to measure', () => {
    expect(() => run([{ kind: 'detections', detections: [] }])).toThrow(
      /reads a mask, but model test-model gives detections/,
    )
    expect(() => run([], { gauge: undefined, roadZone: undefined })).toThrow(/neither a gauge nor a roadZone/)
  })

  describe('from a close-up', () => {
    const modelInput = { width: 448, height: 256 }
    const frame = { width: 640, height: 360 }
    const small = {
      points: [
        { x: 0.7, y: 0.9, cm: 0 },
        { x: 0.7, y: 0.6, cm: 100 },
      ],
      halfWidth: 0.02,
    }
    const open = (settings: Partial<FloodAnalytic>) =>
      createAnalytic({ ...config, gauge: small, ...settings }, { cameraId: 'le-loi-1', modelInput })

    it('asks for the part around the gauge, with the whole frame only for a road zone', () => {
      const { region, withWhole } = open({}).closeUp!(frame)!
      expect(withWhole).toBe(true)
      expect(region[2] * frame.width).toBeCloseTo(448, 6)
      expect(region[3] * frame.height).toBeCloseTo(256, 6)
      const { roadZone: _, ...withoutZone } = { ...config, gauge: small }
      const gaugeOnly = createAnalytic(withoutZone, { cameraId: 'le-loi-1', modelInput })
      expect(gaugeOnly.closeUp!(frame)).toEqual({ region, withWhole: false })
    })

    it('asks for none when told so, without a gauge, and of a frame no larger than the input', () => {
      expect(open({ closeUp: false }).closeUp!(frame)).toBeNull()
      expect(open({}).closeUp!(modelInput)).toBeNull()
      const { gauge: _, ...withoutGauge } = config
      expect(createAnalytic(withoutGauge, { cameraId: 'le-loi-1', modelInput }).closeUp!(frame)).toBeNull()
    })

    it('reads the level in it, and the road zone in the whole', () => {
      const analytic = open({})
      const { region } = analytic.closeUp!(frame)!
      const rowInRegion = (0.9 - 0.003 * 40 - region[1]) / region[3]
      const outputs = Array.from({ length: 6 }, (_, second) => {
        const input = inputAt(startMs + second * 1000, dry())
        const near = { ...input.result!, decoded: waterBelow(rowInRegion) }
        return analytic.update({ ...input, closeUp: { region, result: near } })
      })
      const [level, share] = outputs.at(-1)!.readings
      expect(level).toMatchObject({ type: 'level', quality: 'good' })
      expect((level as Reading & { type: 'level' }).levelCm).toBeCloseTo(40, 0)
      expect(share).toMatchObject({ type: 'flooded-share', share: 0 })
    })
  })
})
