import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseOptions } from '../../scripts/score/options.js'
import { replayScene, replayStartedAt, replayedRun } from '../../scripts/score/replay-scene.js'
import { replayText } from '../../scripts/score/replay-text.js'
import { loadScenes } from '../../scripts/score/scenes.js'
import { scoreScene } from '../../scripts/score/score-scene.js'
import { event, reading, runOf } from './run-example.js'
import { plumeZone, truthWith } from './truth-example.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const at = (second: number) => new Date(Date.parse(replayStartedAt) + second * 1000).toISOString()

describe('a replayed scene', () => {
  it('takes levels and events from the lines of a replay, at the seconds of the scene', () => {
    const lines = [
      { type: 'observation.v1', property: 'floodLevel', value: 12.5, quality: 'good', phenomenonTime: at(2) },
      { type: 'observation.v1', property: 'floodShare', value: 0.4, quality: 'good', phenomenonTime: at(2) },
      { type: 'event.v1', happeningId: 'h', kind: 'forest-fire', phase: 'began', phenomenonTime: at(7.5) },
    ]
    const { levels, events } = replayedRun(lines.map(line => `${JSON.stringify(line)}\n`).join(''), 'hill')
    expect(levels).toEqual([{ t: 2, cm: 12.5, quality: 'good' }])
    expect(events).toMatchObject([{ scene: 'hill', kind: 'forest-fire', t: 7.5, receivedT: 7.5, box: null }])
  })

  it('is told in one line: levels with error and bias, fires with delay, false ones and violations', () => {
    const street = truthWith({
      gauge: {
        points: [
          { cm: 0, x: 0.5, y: 0.9 },
          { cm: 50, x: 0.5, y: 0.4 },
        ],
      },
      levels: [{ name: 'high', cm: 30, severity: 'major' }],
      frames: [
        { t: 0, waterCm: 10 },
        { t: 100, waterCm: 10 },
      ],
    })
    expect(replayText(scoreScene(runOf(street, { levels: [reading(5, 12), reading(10, 8)] }), [], null))).toBe(
      'example              level RMSE 2.00 cm, bias 0.00 cm, 2 readings',
    )
    const hill = truthWith({ family: 'hillside', ...plumeZone })
    const stray = event({ kind: 'forest-fire', t: 33 })
    expect(replayText(scoreScene(runOf(hill, { events: [stray] }), [], null))).toMatch(/FALSE forest-fire at 33 s/)
    expect(replayText(scoreScene(runOf(hill), [], null))).toMatch(/nothing told$/)
    const fire = { id: 'f', kind: 'forest-fire', from: 20, until: 90, onsetAt: 20, onePercentAt: 35 }
    const burning = truthWith({ family: 'hillside', ...plumeZone, happenings: [fire] })
    const told = (t: number) => runOf(burning, { events: [event({ kind: 'forest-fire', t, receivedT: t })] })
    expect(replayText(scoreScene(told(30), [], null))).toMatch(/f told as forest-fire 5 s before 1 %$/)
    expect(replayText(scoreScene(told(42), [], null))).toMatch(/f told as forest-fire 7 s after 1 %$/)
  })

  it('chooses packages by id and refuses what a replay cannot give', () => {
    const options = parseOptions(['--replay', '--model', 'smoke-flame=/tmp/candidate'])
    expect(options).toMatchObject({ replay: true, models: new Map([['smoke-flame', '/tmp/candidate']]) })
    expect(() => parseOptions(['--model', 'smoke-flame'])).toThrow(/--model smoke-flame: write ID=DIR/)
    expect(() => parseOptions(['--model', 'smoke=/tmp'])).toThrow(/scenes use water-segmentation, smoke-flame/)
    expect(() => parseOptions(['--replay', '--require-holds'])).toThrow(/leave out --require-holds/)
  })

  it('goes through the real pipeline and refuses a folder that is no package', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'watchpost-replay-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const [scene] = loadScenes(join(root, 'tests/fixtures/city'), { names: ['hillside-mist'], use: 'develop' })
    const options = { root, folder, signal: AbortSignal.timeout(110_000) }
    const run = await replayScene(scene!, { ...options, models: new Map() })
    // The plume above the fog, not the fog: metrics/fire.ts holds the event's box against the true plume.
    expect(replayText(scoreScene(run, [], null))).toMatch(
      /^hillside-mist {8}fire-eight told as forest-fire \d+ s \S+ 1 %$/,
    )
    await expect(replayScene(scene!, { ...options, models: new Map([['smoke-flame', folder]]) })).rejects.toThrow(
      /manifest\.json/,
    )
  }, 120_000)
})
