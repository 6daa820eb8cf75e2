import { describe, expect, it } from 'vitest'
import { createAnalytic } from '../../../edge/analytics/create-analytic.js'
import type { PlumeAnalytic } from '../../../edge/config/agent-config.js'
import type { Decoded } from '../../../edge/inference/inference-result.js'
import { createRule } from '../../../edge/rules/create-rule.js'
import { inputAt, startMs } from '../analytics/inputs.js'
import { seeded } from '../analytics/seeded.js'
import { plumeConfig } from './plume-chain.js'

const [columns, rows] = [28, 16]
const hills: PlumeAnalytic = {
  ...plumeConfig,
  zones: [
    {
      id: 'hills',
      landUse: 'forest',
      polygon: [
        [0, 0.25],
        [1, 0.25],
        [1, 0.9],
        [0, 0.9],
      ],
    },
  ],
}
const context = { cameraId: 'bach-ma-1', thresholds: { smoke: 0.8, flame: 0.56 } }

/** Score of smoke at a frame and cell; what is missing is calm. */
type Scores = (frame: number, column: number, row: number) => number | undefined

/** One camera from analytic to rule over scripted scores; scores waver as a model's do, calm ones around 0.02. */
const watch = (settings: Partial<PlumeAnalytic> = {}, restored?: unknown) => {
  const config = { ...hills, ...settings }
  const analytic = createAnalytic(config, { ...context, restored })
  const rule = createRule(config, { cameraId: 'bach-ma-1' })
  const { between } = seeded(7)
  let at = startMs
  const wavering = (score: number) => {
    const odds = Math.log(score / (1 - score)) + between(-1, 1)
    return 1 / (1 + Math.exp(-odds))
  }
  const gridOf = (frame: number, score: Scores): Decoded => ({
    kind: 'grid',
    labels: ['smoke'],
    columns,
    rows,
    scores: Float32Array.from({ length: columns * rows }, (_, cell) =>
      wavering(score(frame, cell % columns, Math.floor(cell / columns)) ?? 0.02),
    ),
  })
  /** Events with the frame they came at. */
  const play = (frames: number, score: Scores, everySeconds = 1) =>
    Array.from({ length: frames }, (_, frame) => {
      at += everySeconds * 1000
      const { readings } = analytic.update(inputAt(at, gridOf(frame, score)))
      return rule.evaluate(readings, at).map(({ phase, geometry }) => ({ frame, phase, box: geometry?.box }))
    }).flat()
  return { analytic, play }
}

const calm: Scores = () => undefined
/** Three cells of a far plume, one after the other, from 0.15 to 0.4 within 15 frames. */
const faintPlume =
  (onset: number): Scores =>
  (frame, column, row) => {
    const order = [
      [12, 8],
      [12, 7],
      [13, 7],
    ].findIndex(([x, y]) => x === column && y === row)
    const age = frame - onset - 4 * order
    return order >= 0 && age >= 0 ? Math.min(0.4, 0.15 + age / 60) : undefined
  }
const isChimney = (column: number, row: number) => (column === 5 || column === 6) && (row === 8 || row === 9)

describe('smoke told by time', () => {
  it.each([5, 60])('tells a faint growing plume within 20 frames, one every %i seconds, and nothing before', every => {
    const events = watch().play(100, faintPlume(60), every)
    expect(events.map(({ phase }) => phase)).toEqual(['began'])
    expect(events[0]!.frame).toBeGreaterThan(60)
    expect(events[0]!.frame).toBeLessThanOrEqual(80)
  })

  it('tells a thin plume of a new camera within 15 frames of its onset', () => {
    const thin: Scores = (frame, column, row) =>
      frame >= 8 && row === 8 && (column === 12 || column === 13) ? Math.min(0.3, 0.03 + (frame - 8) * 0.03) : undefined
    const [began] = watch().play(40, thin)
    expect(began).toMatchObject({ phase: 'began' })
    expect(began!.frame).toBeLessThanOrEqual(8 + 15)
  })

  it('tells a fire that burns from the first frame on, and whose glow is all around, at once', () => {
    const burning: Scores = (_, column, row) => {
      const far = Math.hypot(column - 14, row - 8)
      return far < 1.5 ? 0.97 : far < 12 ? 0.45 : undefined
    }
    expect(watch().play(10, burning)).toMatchObject([{ phase: 'began', frame: 3 }])
  })

  it('raises nothing for cells that always score, whatever their score wavers by', () => {
    expect(watch().play(500, (_, column, row) => (isChimney(column, row) ? 0.6 : undefined))).toEqual([])
  })

  it('raises nothing for haze that slowly comes over the whole picture and goes', () => {
    const haze: Scores = frame => 0.02 + 0.5 * Math.sin((Math.PI * frame) / 400) ** 2
    expect(watch().play(400, haze)).toEqual([])
  })

  it('raises nothing while fog drifts through the valley and lifts, and then finds a faint plume', () => {
    const fog: Scores = (frame, column, row) => {
      const inValley = row >= 9 && row <= 12
      const isPatch = Math.sin((column - frame / 4) / 2) > 0.2
      return inValley && isPatch && frame < 300 ? 0.6 * (1 - frame / 300) + 0.02 : undefined
    }
    const plume = faintPlume(1_000)
    const events = watch().play(1_060, (frame, column, row) => fog(frame, column, row) ?? plume(frame, column, row))
    expect(events.map(({ phase }) => phase)).toEqual(['began'])
    expect(events[0]!.frame).toBeGreaterThan(1_000)
  })

  describe('in a valley full of fog', () => {
    const fog: Scores = (_, column, row) => (row >= 9 && row <= 12 && column < 18 ? 0.5 : undefined)
    /** The bank spreads along its rows, slowly, and stays. */
    const spreading: Scores = (frame, column, row) => {
      const isNew = (row === 9 || row === 10) && column >= 18 && column <= 21
      return isNew && frame > 200 ? 0.02 + 0.28 * Math.min(1, (frame - 200) / 60) : fog(frame, column, row)
    }
    /** Three cells above it; a fourth is held against the fog below. */
    const rising: Scores = (frame, column, row) =>
      frame > 260 && column === 8 && row >= 5 && row <= 8 ? 0.4 : spreading(frame, column, row)

    it('raises nothing for fog that spreads and stays', () => {
      expect(watch().play(600, spreading)).toEqual([])
    })

    it('tells a plume that rises out of it, and where, while the fog spreads elsewhere', () => {
      const [began, ...more] = watch().play(400, rising)
      expect(more).toEqual([])
      expect(began!.frame).toBeGreaterThan(260)
      expect(began!.frame).toBeLessThanOrEqual(300)
      const [x, y, width, height] = began!.box!
      expect([x * columns, y * rows, (x + width) * columns, (y + height) * rows]).toEqual([8, 5, 9, 8])
    })
  })

  it('raises nothing when the camera nods by a cell', () => {
    const nods: Scores = (frame, column, row) => {
      const by = frame > 100 && frame % 40 < 20 ? 1 : 0
      return isChimney(column - by, row + by) ? 0.6 : undefined
    }
    expect(watch().play(300, nods)).toEqual([])
  })

  it('raises nothing when the camera turns to hills it often takes for smoke', () => {
    const turned: Scores = (frame, column, row) => (frame > 100 && (column * 7 + row * 3) % 5 < 3 ? 0.4 : undefined)
    expect(watch().play(400, turned)).toEqual([])
  })

  it('does not take a fire for usual while it burns', () => {
    const burning: Scores = (frame, column, row) =>
      frame > 60 && Math.abs(column - 12) <= 1 && Math.abs(row - 7) <= 1 ? 0.9 : undefined
    expect(
      watch()
        .play(2_000, burning)
        .map(({ phase }) => phase),
    ).toEqual(['began'])
  })

  it('knows over a restart what is usual: no chimney is told anew and a faint plume is found at once', () => {
    const chimney: Scores = (_, column, row) => (isChimney(column, row) ? 0.93 : undefined)
    const before = watch()
    before.play(1_300, chimney)
    const stored: unknown = JSON.parse(JSON.stringify(before.analytic.state!()))
    const plume = faintPlume(0)
    const after = (frame: number, column: number, row: number) =>
      chimney(frame, column, row) ?? plume(frame, column, row)
    expect(watch({}, stored).play(100, chimney)).toEqual([])
    expect(watch({}, stored).play(40, after, 10)).toMatchObject([{ phase: 'began' }])
    expect(watch({}, { version: 0 }).play(100, chimney)).toMatchObject([{ phase: 'began' }])
  })

  it('tells sooner the more sensitive it is set', () => {
    const began = (sensitivity: number) => watch({ sensitivity }).play(200, faintPlume(60), 10)[0]?.frame ?? 200
    expect(began(4)).toBeLessThan(began(1))
    expect(began(1)).toBeLessThan(began(0.25))
  })

  it('forgets nothing of the usual when the camera reconnects', () => {
    const { analytic, play } = watch()
    play(100, calm)
    analytic.reset()
    expect(play(40, faintPlume(0), 10)).toMatchObject([{ phase: 'began' }])
  })
})
