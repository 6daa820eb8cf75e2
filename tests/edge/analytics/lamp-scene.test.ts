import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createLamp } from '../../../edge/analytics/lamp.js'

type Quad = [number, number, number, number]
const folder = new URL('../../fixtures/city/junction/', import.meta.url)
const scene: {
  fps: number
  width: number
  height: number
  lamps: [{ red: Quad; amber: Quad; green: Quad }]
  frames: { t: number; lamp: string }[]
} = JSON.parse(readFileSync(new URL('truth.json', folder), 'utf8'))

/** Only the signal is decoded: a window of so many pixels around its bulbs. */
const window = { x: 520, y: 44, width: 72, height: 80 }
const inWindow = ([x, y, width, height]: Quad): Quad => [
  (x * scene.width - window.x) / window.width,
  (y * scene.height - window.y) / window.height,
  (width * scene.width) / window.width,
  (height * scene.height) / window.height,
]

describe('the lamp of the rendered junction, from the clip itself', () => {
  it('shows what the truth says from half a second after every change', () => {
    const crop = `crop=${window.width}:${window.height}:${window.x}:${window.y}`
    const clip = fileURLToPath(new URL('junction.mp4', folder))
    const pixels = execFileSync(
      'ffmpeg',
      ['-v', 'error', '-threads', '1', '-i', clip, '-vf', crop, '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'],
      { maxBuffer: 64 * 1024 * 1024 },
    )
    const bytes = window.width * window.height * 3
    expect(pixels.length).toBe(scene.frames.length * bytes)
    const { red, amber, green } = scene.lamps[0]
    const lamp = createLamp({ red: inWindow(red), amber: inWindow(amber), green: inWindow(green) })
    const wrong = scene.frames.flatMap(({ t, lamp: truth }, index) => {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes))
      shared.set(pixels.subarray(index * bytes, (index + 1) * bytes))
      const takenAt = Math.round(t * 1000)
      lamp.observe({
        cameraId: 'a',
        width: window.width,
        height: window.height,
        pixels: shared,
        takenAt,
        number: index + 1,
      })
      const before = scene.frames[Math.max(0, index - 5)]!
      const isSettled = t >= 0.5 && before.lamp === truth
      const { colour } = lamp.at(takenAt)
      return isSettled && colour !== truth ? [`${t} s: ${colour} instead of ${truth}`] : []
    })
    expect(wrong).toEqual([])
    expect(new Set(scene.frames.map(frame => frame.lamp))).toEqual(new Set(['green', 'amber', 'red']))
  })
})
