import { describe, expect, it } from 'vitest'
import { createLamp } from '../../../edge/analytics/lamp.js'
import { type Bulb, lampBoxes, signalFrame } from './street.js'

const config = { red: [...lampBoxes.red], amber: [...lampBoxes.amber], green: [...lampBoxes.green] } as Parameters<
  typeof createLamp
>[0]

/** Shows one colour per 125 ms frame. */
const watch = (colours: readonly (Bulb | null)[], daylight = 0.3, lamp = createLamp(config)) => {
  for (const [frame, colour] of colours.entries()) lamp.observe(signalFrame(frame * 125, colour, daylight))
  return lamp
}
const hold = <T>(value: T, frames: number): T[] => new Array<T>(frames).fill(value)

describe('lamp of a signal', () => {
  it.each([0, 0.3, 0.7, 1])('is read by night and by day (daylight %f)', daylight => {
    const colours = [...hold('green', 40), ...hold('amber', 24), ...hold('red', 40)] as Bulb[]
    const lamp = watch([...colours, ...colours], daylight)
    for (const [second, colour] of [
      [4, 'green'],
      [7, 'amber'],
      [12, 'red'],
      [17, 'green'],
      [20, 'amber'],
      [25, 'red'],
    ] as const)
      expect(lamp.at(second * 1000).colour, `second ${second}`).toBe(colour)
  })

  it('knows since when it shows its colour, and what it showed before', () => {
    const lamp = watch([...hold('green' as const, 16), ...hold('red' as const, 16)])
    expect(lamp.at(3875)).toEqual({ colour: 'red', sinceMs: 1875 })
    expect(lamp.at(2000)).toEqual({ colour: 'red', sinceMs: 0 })
    expect(lamp.at(1999).colour).toBe('green')
  })

  it('is not misled by frames in which the shutter caught it unlit, nor by a single odd frame', () => {
    const flickering = Array.from({ length: 80 }, (_, frame) => (frame % 2 ? null : ('red' as const)))
    const lamp = watch([...hold('green' as const, 16), ...flickering, 'amber', ...flickering])
    expect(lamp.at(4000).colour).toBe('red')
    expect(lamp.at(22_000)).toEqual({ colour: 'red', sinceMs: 20_000 })
  })

  it('is unknown when nothing has been lit for a while, and before anything was seen', () => {
    expect(createLamp(config).at(5000).colour).toBe('unknown')
    const lamp = watch([...hold('red' as const, 16), ...hold(null, 40)])
    expect(lamp.at(1800).colour).toBe('red')
    expect(lamp.at(6000).colour).toBe('unknown')
  })

  it('does without an amber box', () => {
    const lamp = watch(
      [...hold('green' as const, 16), ...hold('red' as const, 16)],
      0.3,
      createLamp({ red: config.red, green: config.green }),
    )
    expect([lamp.at(1500).colour, lamp.at(3500).colour]).toEqual(['green', 'red'])
  })
})
