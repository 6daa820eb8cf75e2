import { describe, expect, it } from 'vitest'
import { createSceneMonitor, type SceneChange } from '../../../edge/frames/scene-monitor.js'
import { type Appearance, pictureOf, sceneOf } from './scene-fixture.js'

const street = sceneOf(11)
const square = sceneOf(12)

interface Part {
  readonly seconds: number
  readonly scene?: typeof street
  /** By the share of this part that has passed, 0..1. */
  readonly look?: (share: number, second: number) => Appearance
  /** The noise of every frame is the same: the picture stands. */
  readonly frozen?: boolean
}

const play = (...parts: Part[]): string[] => playEvery(1, ...parts)
const playEvery = (stepSeconds: number, ...parts: Part[]): string[] =>
  watch({ stepSeconds }, ...parts).map(({ condition, phase }) => `${condition} ${phase}`)

/** Plays parts one after the other, one frame per `stepSeconds`. */
const watch = ({ stepSeconds }: { stepSeconds: number }, ...parts: Part[]): SceneChange[] => {
  const monitor = createSceneMonitor({ cameraId: 'gate' })
  const changes: SceneChange[] = []
  let second = 0
  for (const { seconds, scene = street, look = () => ({}), frozen = false } of parts) {
    for (let s = 0; s < seconds; s += stepSeconds, second += stepSeconds) {
      const seed = frozen ? 0 : second
      changes.push(...monitor.offer(pictureOf(scene, look(s / seconds, s), seed, second * 1000)))
    }
  }
  return changes
}
const usual: Part = { seconds: 20 }

describe('scene monitor', () => {
  it('says nothing about an ordinary street', () => {
    expect(play({ seconds: 90 })).toEqual([])
  })

  it('reports a black picture and its end, each with words for people', () => {
    const changes = watch({ stepSeconds: 1 }, usual, { seconds: 20, look: () => ({ gain: 0, offset: 6 }) }, usual)
    expect(changes.map(({ condition, phase, at }) => [condition, phase, at / 1000])).toEqual([
      ['black', 'began', 30],
      ['black', 'ended', 43],
    ])
    expect(changes[0]!.hint).toContain('lens cap')
  })

  it('does not call a dark street with a few lamps black', () => {
    const lamps = (x: number, y: number) => (street(x, y) > 195 ? 200 : 14)
    expect(play({ seconds: 60, scene: lamps, look: () => ({ noise: 4 }) })).toEqual([])
  })

  it('reports a covered lens, also when it was covered from the start', () => {
    const cloth: Part = { seconds: 20, look: () => ({ gain: 0.03, offset: 90 }) }
    expect(play(usual, cloth, usual)).toEqual(['covered began', 'covered ended'])
    expect(play(cloth)).toEqual(['covered began'])
  })

  it('reports a picture that stands still for a minute, and not a quiet scene with noise', () => {
    expect(play(usual, { seconds: 70, frozen: true }, { seconds: 5 })).toEqual(['frozen began', 'frozen ended'])
    expect(play({ seconds: 90, look: () => ({ noise: 1.2 }) })).toEqual([])
  })

  it('reports lost focus and its end', () => {
    expect(play(usual, { seconds: 40, look: () => ({ blur: 5 }) }, usual)).toEqual(['blurred began', 'blurred ended'])
  })

  it('reports a pushed camera with the direction, until it is turned back', () => {
    const changes = watch({ stepSeconds: 1 }, usual, { seconds: 30, look: () => ({ shiftX: 30, shiftY: -10 }) }, usual)
    expect(changes.map(({ condition, phase }) => [condition, phase])).toEqual([
      ['moved', 'began'],
      ['moved', 'ended'],
    ])
    expect(changes[0]!.message).toMatch(/shifted by (8|9|10) % of its width and -(5|6|7) % of its height/)
    expect(changes[0]!.at).toBeLessThan(40_000)
  })

  it('reports a camera turned to another scene and keeps reporting it', () => {
    expect(playEvery(4, { seconds: 40 }, { seconds: 400, scene: square })).toEqual(['moved began'])
  })

  it('reports a push that comes together with a change of light', () => {
    expect(play(usual, { seconds: 30, look: () => ({ shiftX: 25, gain: 0.5, offset: 10 }) })).toEqual(['moved began'])
  })

  it('says nothing when night falls, the camera turns to infra-red, and day comes back', () => {
    const dusk: Part = { seconds: 600, look: share => ({ gain: 1 - 0.7 * share, noise: 3 + 3 * share }) }
    const night: Part = { seconds: 120, scene: infraRed, look: () => ({ colour: 0, gain: 0.6, noise: 6 }) }
    const dawn: Part = { seconds: 600, look: share => ({ gain: 0.3 + 0.7 * share, noise: 6 - 3 * share }) }
    expect(playEvery(5, { seconds: 40 }, dusk, night, dawn)).toEqual([])
  })

  it('says nothing when lamps go on or clouds pass', () => {
    const clouds: Part = { seconds: 60, look: (_share, second) => ({ gain: second % 20 < 10 ? 1 : 0.6, offset: 5 }) }
    expect(play(usual, clouds, { seconds: 30, look: () => ({ gain: 1.25, offset: 15 }) })).toEqual([])
  })

  it('says nothing while the street floods up to half of the picture and drains again', () => {
    const flood: Part = { seconds: 600, look: share => ({ flooded: 0.5 * share }) }
    const drain: Part = { seconds: 600, look: share => ({ flooded: 0.5 - 0.5 * share }) }
    expect(playEvery(5, { seconds: 40 }, flood, drain)).toEqual([])
  })

  it('says nothing when a flood rises within a minute', () => {
    expect(play(usual, { seconds: 60, look: share => ({ flooded: 0.5 * share }) })).toEqual([])
  })

  it('says nothing about a lorry that parks in a third of the picture', () => {
    const lorry = (x: number, y: number) => (x > 60 && x < 170 && y > 60 && y < 170 ? 200 : street(x, y))
    expect(play(usual, { seconds: 60, scene: lorry })).toEqual([])
  })

  it('notices a push although frames come from key frames two seconds apart', () => {
    const changes = watch({ stepSeconds: 2 }, { seconds: 40 }, { seconds: 40, look: () => ({ shiftX: 30 }) })
    expect(changes.map(({ condition }) => condition)).toEqual(['moved'])
  })

  it('learns anew when told that the view is right now', () => {
    const monitor = createSceneMonitor({ cameraId: 'gate' })
    const phases: string[] = []
    for (let s = 0; s < 120; s++) {
      if (s === 60) monitor.relearn()
      const picture = pictureOf(s < 20 ? street : square, {}, s, s * 1000)
      phases.push(...monitor.offer(picture).map(({ phase }) => phase))
    }
    expect(phases).toEqual(['began', 'ended'])
    expect(monitor.current()).toEqual([])
  })

  it('does not call a folder of equal pictures frozen', () => {
    const monitor = createSceneMonitor({ cameraId: 'gate', mayStandStill: true })
    const changes: SceneChange[] = []
    for (let s = 0; s < 90; s++) changes.push(...monitor.offer(pictureOf(street, {}, 0, s * 1000)))
    expect(changes).toEqual([])
  })
})

/** At night the lamp at the camera lights what is near: other contrasts, partly the other way round. */
function infraRed(x: number, y: number): number {
  return 240 - street(x, y) * 0.8
}
