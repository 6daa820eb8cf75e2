import { describe, expect, it } from 'vitest'
import { cutOut } from '../../../edge/frames/cut-out.js'
import type { Frame } from '../../../edge/frames/frame.js'

/** Each pixel tells its column and row. */
const frame: Frame = (() => {
  const [width, height] = [10, 6]
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3))
  for (let index = 0; index < width * height; index++)
    pixels.set([index % width, Math.floor(index / width), 9], index * 3)
  return { cameraId: 'le-loi-1', width, height, pixels, takenAt: 1_000, number: 7 }
})()
const placesOf = ({ pixels }: Frame) =>
  Array.from({ length: pixels.length / 3 }, (_, index) => [pixels[index * 3], pixels[index * 3 + 1]])

describe('a part of a frame', () => {
  it('holds the pixels of the region and stays of the same camera and moment', () => {
    const part = cutOut(frame, [0.3, 0.5, 0.2, 1 / 3])
    expect(part).toMatchObject({ cameraId: 'le-loi-1', width: 2, height: 2, takenAt: 1_000, number: 7 })
    expect(placesOf(part)).toEqual([
      [3, 3],
      [4, 3],
      [3, 4],
      [4, 4],
    ])
    expect(part.pixels.buffer).toBeInstanceOf(SharedArrayBuffer)
  })

  it('is the frame itself for the whole of it', () => {
    const part = cutOut(frame, [0, 0, 1, 1])
    expect([part.width, part.height]).toEqual([10, 6])
    expect([...part.pixels]).toEqual([...frame.pixels])
  })

  it('leaves out what lies outside the frame, and keeps a pixel of the narrowest region', () => {
    expect(placesOf(cutOut(frame, [0.9, 0.9, 0.5, 0.5]))).toEqual([[9, 5]])
    expect(placesOf(cutOut(frame, [0.42, 0.5, 0.001, 0.001]))).toEqual([[4, 3]])
    expect(placesOf(cutOut(frame, [1, 1, 0.2, 0.2]))).toEqual([[9, 5]])
  })
})
