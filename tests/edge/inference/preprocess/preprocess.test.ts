import { readFileSync } from 'node:fs'
import type { ModelInput } from '@watchpost/shared/manifest/model-manifest'
import { describe, expect, it } from 'vitest'
import { createPreprocess } from '../../../../edge/inference/preprocess/preprocess.js'

interface Reference {
  readonly source: { readonly width: number; readonly height: number; readonly pixels: readonly number[] }
  readonly cases: readonly {
    readonly width: number
    readonly height: number
    readonly method: string
    readonly values: readonly number[]
  }[]
}
const { source, cases } = JSON.parse(
  readFileSync(new URL('../../../fixtures/models/resize-reference.json', import.meta.url), 'utf8'),
) as Reference
const pixels = Uint8Array.from(source.pixels)

const inputOf = (changes: Partial<ModelInput>): ModelInput => ({
  name: 'images',
  width: 4,
  height: 4,
  layout: 'nhwc',
  channels: 'rgb',
  resize: 'stretch',
  mean: [0, 0, 0],
  std: [1, 1, 1],
  ...changes,
})

const run = (input: ModelInput, width: number, height: number, from: Uint8Array): Float32Array => {
  // Filled with rubbish first: every value must be written.
  const out = new Float32Array(input.width * input.height * 3).fill(-999)
  createPreprocess(input, width, height).fill(from, out)
  return out
}

describe('preprocess', () => {
  it.each(cases)('resizes to $width×$height ($method) as OpenCV does', ({ width, height, values }) => {
    const out = run(inputOf({ width, height }), source.width, source.height, pixels)
    const apart = Math.max(...values.map((value, i) => Math.abs(value - out[i]!)))
    expect(apart).toBeLessThan(0.01)
  })

  it('averages any number of pixels when a picture shrinks a lot', () => {
    const wide = new Uint8Array(64 * 2 * 3).map((_, i) => Math.floor(i / 3) % 64)
    const out = run(inputOf({ width: 4, height: 2 }), 64, 2, wide)
    expect([out[0], out[3], out[6], out[9]]).toEqual([7.5, 23.5, 39.5, 55.5])
  })

  it('copies a picture of the right size unchanged, and takes frames of a single row or column', () => {
    const out = run(inputOf({ width: source.width, height: source.height }), source.width, source.height, pixels)
    expect(Array.from(out)).toEqual(source.pixels)
    const column = run(inputOf({ width: 3, height: 2 }), 1, 2, Uint8Array.of(1, 2, 3, 4, 5, 6))
    expect(Array.from(column)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 4, 5, 6])
    const row = run(inputOf({ width: 2, height: 2 }), 2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6))
    expect(Array.from(row)).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])
  })

  it('normalises in the order of the model channels, planar or interleaved', () => {
    const two = Uint8Array.of(10, 20, 30, 40, 50, 60)
    const bgr = { width: 2, height: 1, channels: 'bgr', mean: [1, 2, 3], std: [1, 2, 4] } as const
    expect(Array.from(run(inputOf({ ...bgr, layout: 'nhwc' } as never), 2, 1, two))).toEqual([
      29, 9, 1.75, 59, 24, 9.25,
    ])
    expect(Array.from(run(inputOf({ ...bgr, layout: 'nchw' } as never), 2, 1, two))).toEqual([
      29, 59, 9, 24, 1.75, 9.25,
    ])
  })

  it('letterboxes into the top left corner and pads with the normalised pad value', () => {
    const input = inputOf({
      width: 4,
      height: 4,
      resize: 'letterbox',
      padValue: 100,
      mean: [50, 50, 50],
      std: [10, 10, 10],
    })
    const plan = createPreprocess(input, 8, 4)
    expect(plan.geometry).toEqual({ inputWidth: 4, inputHeight: 4, contentWidth: 4, contentHeight: 2 })
    const out = new Float32Array(48)
    plan.fill(new Uint8Array(8 * 4 * 3).fill(200), out)
    expect(Array.from(out.subarray(0, 24))).toEqual(new Array(24).fill(15))
    expect(Array.from(out.subarray(24))).toEqual(new Array(24).fill(5))
  })

  it('takes the lowest height in which a picture fills the width, else the tallest', () => {
    const input = inputOf({ width: 8, height: 4, tallerHeights: [6, 8], resize: 'letterbox', layout: 'nchw' })
    const sizeOf = (width: number, height: number) => {
      const { geometry, values } = createPreprocess(input, width, height)
      return [geometry.inputHeight, geometry.contentWidth, geometry.contentHeight, values / 24]
    }
    expect(sizeOf(16, 8)).toEqual([4, 8, 4, 4])
    expect(sizeOf(16, 9)).toEqual([6, 8, 5, 6])
    expect(sizeOf(32, 24)).toEqual([6, 8, 6, 6])
    expect(sizeOf(5, 5)).toEqual([8, 8, 8, 8])
    expect(sizeOf(5, 10)).toEqual([8, 4, 8, 8])
  })

  it('keeps colours apart in a taller input, too', () => {
    const input = inputOf({ width: 2, height: 2, tallerHeights: [4], resize: 'letterbox', layout: 'nchw', padValue: 9 })
    const { values, fill } = createPreprocess(input, 2, 3)
    const out = new Float32Array(values)
    fill(
      Uint8Array.from({ length: 18 }, (_, i) => (i % 3) + 1),
      out,
    )
    expect(Array.from(out)).toEqual([1, 2, 3].flatMap(colour => [...new Array(6).fill(colour), 9, 9]))
  })

  it('refuses a frame whose size does not fit its bytes', () => {
    expect(() => run(inputOf({}), 8, 8, new Uint8Array(8 * 8 * 3 - 1))).toThrow(/Frame of 8x8 has 191 bytes/)
  })

  it('prepares 640×360 for a 416 letterbox input within the budget of 2 ms of CPU time, with room for a busy machine', () => {
    const input = inputOf({ width: 416, height: 416, layout: 'nchw', resize: 'letterbox' })
    const plan = createPreprocess(input, 640, 360)
    const frame = new Uint8Array(new SharedArrayBuffer(640 * 360 * 3)).map((_, i) => i % 251)
    const out = new Float32Array(416 * 416 * 3)
    for (let i = 0; i < 30; i++) plan.fill(frame, out)
    const before = process.cpuUsage()
    for (let i = 0; i < 50; i++) plan.fill(frame, out)
    const { user, system } = process.cpuUsage(before)
    const ms = (user + system) / 1000 / 50
    console.log(`preprocess 640x360 to 416: ${ms.toFixed(2)} ms`)
    expect(ms).toBeLessThan(6)
  })
})
