import { describe, expect, it } from 'vitest'
import { parseCounters } from '../../scripts/score/agent-counters.js'
import { batchesOf } from '../../scripts/score/batches.js'
import { parseOptions } from '../../scripts/score/options.js'
import { plumeZone, truthWith } from './truth-example.js'

const scene = (name: string, change: object = {}) => ({
  name,
  clip: `${name}.mp4`,
  truth: truthWith({ scene: name, ...change }),
})
const names = (batches: ReturnType<typeof batchesOf>) => batches.map(batch => batch.map(({ name }) => name))
const line = {
  stopLine: [
    [0, 0.5],
    [1, 0.5],
  ],
}
const at = (longitude: number) => ({ camera: { location: [longitude, 16.4] } })
const fireAt = (longitude: number) => ({
  happenings: [{ id: 'f', kind: 'forest-fire', from: 1, until: 9, location: [longitude, 16.41] }],
})

describe('batches', () => {
  it('hold as many scenes as the machine carries, long ones together', () => {
    const scenes = [
      scene('a', { ...line, ...at(107.1), durationS: 40 }),
      scene('b', { ...line, ...at(107.2), durationS: 90 }),
      scene('c', { ...line, ...at(107.3), durationS: 80 }),
    ]
    expect(names(batchesOf(scenes, 1.3))).toEqual([['b', 'c'], ['a']])
    expect(names(batchesOf(scenes, 0.1))).toEqual([['b'], ['c'], ['a']])
  })

  it('keep two views of one fire together and other scenes of that hillside apart', () => {
    const scenes = [
      scene('smoke-a', { ...plumeZone, ...at(107.1), ...fireAt(107.12) }),
      scene('fog', { ...plumeZone, ...at(107.1) }),
      scene('smoke-b', { ...plumeZone, ...at(107.102), ...fireAt(107.12) }),
    ]
    expect(names(batchesOf(scenes, 4))).toEqual([['smoke-a', 'smoke-b'], ['fog']])
  })

  it('put cameras of different tasks at one place together', () => {
    const scenes = [scene('hill', { ...plumeZone, ...at(107.1) }), scene('road', { ...line, ...at(107.1) })]
    expect(names(batchesOf(scenes, 4))).toEqual([['hill', 'road']])
  })
})

describe("an agent's counters", () => {
  it('are read per camera from its metrics', () => {
    const text = `# HELP watchpost_edge_camera_up 1 while pictures arrive
watchpost_edge_camera_up{camera="junction"} 1
watchpost_edge_camera_up{camera="street"} 0
watchpost_edge_camera_inference_seconds{camera="junction"} 0.045
watchpost_edge_frames_dropped_total{camera="junction",reason="newer-frame"} 12
watchpost_edge_camera_reconnects_total{camera="street"} 2
watchpost_edge_outbox_messages 3
`
    const { cameras, waiting } = parseCounters(text)
    expect(waiting).toBe(3)
    expect(cameras.get('junction')).toEqual({ dropped: { 'newer-frame': 12 }, reconnects: 0, inferenceS: 0.045 })
    expect(cameras.get('street')).toEqual({ dropped: {}, reconnects: 2, inferenceS: null })
  })
})

describe('the command', () => {
  it('plays what is kept for scoring unless it is told otherwise', () => {
    expect(parseOptions([])).toMatchObject({ use: 'score', scenes: undefined, maxSeconds: undefined, tracks: true })
    expect(parseOptions(['--scenes', 'a,b', '--seconds', '30', '--no-tracks'])).toMatchObject({
      scenes: ['a', 'b'],
      maxSeconds: 30,
      tracks: false,
    })
    expect(parseOptions(['--short'])).toMatchObject({ scenes: ['flood-street', 'junction'], maxSeconds: 45 })
  })

  it('says what is wrong with a call', () => {
    expect(() => parseOptions(['--use', 'train'])).toThrow(/--use train: it is score, develop or all/)
    expect(() => parseOptions(['--seconds', 'few'])).toThrow(/--seconds few is no number above 0/)
    expect(() => parseOptions(['--short', '--scenes', 'a'])).toThrow(/leave out --scenes/)
    expect(() => parseOptions(['--fast'])).toThrow(/--fast/)
  })
})
