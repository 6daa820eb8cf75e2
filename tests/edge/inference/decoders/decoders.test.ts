import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { describe, expect, it } from 'vitest'
import { createDecode, decoderProblems } from '../../../../edge/inference/decoders/decoder-options.js'
import type { Decoded, Detection } from '../../../../edge/inference/inference-result.js'
import type { InputGeometry } from '../../../../edge/inference/preprocess/preprocess.js'
import { gridManifest } from '../packages.js'

const manifestOf = (changes: Record<string, unknown>): ModelManifest =>
  gridManifest('weights', changes) as unknown as ModelManifest

const stretched = (width: number, height: number): InputGeometry => ({
  inputWidth: width,
  inputHeight: height,
  contentWidth: width,
  contentHeight: height,
})

const tensor = (shape: readonly number[], values: Readonly<Record<number, number>>) => {
  const data = new Float32Array(shape.reduce((product, length) => product * length, 1))
  for (const [at, value] of Object.entries(values)) data[Number(at)] = value
  return { shape, data }
}

const detectionsOf = (decoded: Decoded): readonly Detection[] => {
  if (decoded.kind !== 'detections') throw new Error('Detections were expected.')
  return decoded.detections.map(({ label, confidence, box }) => ({
    label,
    confidence: Math.round(confidence * 1000) / 1000,
    box: box.map(value => Math.round(value * 1000) / 1000) as unknown as Detection['box'],
  }))
}

describe('decoder centernet', () => {
  // Input 32×16 with cells of 4 pixels: maps of 4 rows and 8 columns.
  const shape = [1, 2, 4, 8]
  const manifest = (changes: Record<string, unknown> = {}, thresholds = {}) =>
    manifestOf({
      decoder: { name: 'centernet', ...changes },
      outputs: [
        { name: 'heat', shape },
        { name: 'size', shape: [1, 4, 4, 8] },
      ],
      labels: ['car', 'truck'],
      thresholds: { default: 0.5, ...thresholds },
    })
  const at = (channel: number, row: number, column: number): number => (channel * 4 + row) * 8 + column
  const size = (row: number, column: number, [left, top, right, bottom]: readonly number[]) => ({
    [at(0, row, column)]: left!,
    [at(1, row, column)]: top!,
    [at(2, row, column)]: right!,
    [at(3, row, column)]: bottom!,
  })
  const run = (
    model: ModelManifest,
    heat: Record<number, number>,
    sizes: Record<number, number>,
    geometry = stretched(32, 16),
  ) => detectionsOf(createDecode(model)({ heat: tensor(shape, heat), size: tensor([1, 4, 4, 8], sizes) }, geometry))

  it('reads a box around each local maximum at or above the threshold of its label', () => {
    const heat = { [at(0, 2, 4)]: 0.9, [at(0, 2, 5)]: 0.8, [at(1, 0, 0)]: 0.49 }
    const sizes = { ...size(2, 4, [8, 4, 8, 4]), ...size(2, 5, [8, 4, 8, 4]) }
    expect(run(manifest(), heat, sizes)).toEqual([{ label: 'car', confidence: 0.9, box: [0.25, 0.25, 0.5, 0.5] }])
    const lower = run(manifest({}, { truck: 0.4 }), heat, { ...sizes, ...size(0, 0, [0, 0, 4, 4]) })
    expect(lower.map(({ label }) => label)).toEqual(['car', 'truck'])
  })

  it('reads maps with channels last the same way', () => {
    const model = {
      ...manifest(),
      outputs: [
        { name: 'heat', shape: [1, 4, 8, 2] },
        { name: 'size', shape: [1, 4, 8, 4] },
      ],
    }
    const cell = 2 * 8 + 4
    const outputs = {
      heat: tensor([1, 4, 8, 2], { [cell * 2]: 0.9 }),
      size: tensor([1, 4, 8, 4], { [cell * 4]: 8, [cell * 4 + 1]: 4, [cell * 4 + 2]: 8, [cell * 4 + 3]: 4 }),
    }
    expect(detectionsOf(createDecode(model as ModelManifest)(outputs, stretched(32, 16)))).toEqual([
      { label: 'car', confidence: 0.9, box: [0.25, 0.25, 0.5, 0.5] },
    ])
  })

  it('undoes the letterbox and cuts boxes to the frame', () => {
    const geometry = { ...stretched(32, 16), contentWidth: 32, contentHeight: 8 }
    const found = run(manifest(), { [at(0, 1, 7)]: 0.7 }, size(1, 7, [4, 8, 8, 8]), geometry)
    expect(found).toEqual([{ label: 'car', confidence: 0.7, box: [0.75, 0, 0.25, 1] }])
  })

  it('keeps, renames and tells apart labels as its options say', () => {
    const heat = { [at(0, 2, 4)]: 0.9, [at(1, 2, 4)]: 0.95 }
    const sizes = size(2, 4, [8, 4, 8, 4])
    expect(run(manifest(), heat, sizes).map(({ label }) => label)).toEqual(['truck', 'car'])
    expect(run(manifest({ sameObject: [['car', 'truck']] }), heat, sizes).map(({ label }) => label)).toEqual(['truck'])
    expect(run(manifest({ keep: ['car'], rename: { car: 'vehicle' } }), heat, sizes).map(({ label }) => label)).toEqual(
      ['vehicle'],
    )
  })

  it('says of a label whose boxes hold the rider that they do', () => {
    const heat = { [at(0, 2, 4)]: 0.9, [at(1, 2, 4)]: 0.95 }
    const outputs = { heat: tensor(shape, heat), size: tensor([1, 4, 4, 8], size(2, 4, [8, 4, 8, 4])) }
    const decoded = createDecode(manifest({ withRider: ['truck'] }))(outputs, stretched(32, 16)) as Extract<
      Decoded,
      { kind: 'detections' }
    >
    expect(decoded.detections.map(({ label, withRider }) => [label, withRider])).toEqual([
      ['truck', true],
      ['car', undefined],
    ])
    expect(decoderProblems(manifest({ withRider: ['tram'] })).join()).toContain('withRider names "tram"')
  })

  it('drops a part inside a surer object only when asked to', () => {
    const heat = { [at(0, 1, 2)]: 0.9, [at(0, 3, 4)]: 0.6 }
    const sizes = { ...size(1, 2, [8, 4, 20, 12]), ...size(3, 4, [2, 2, 2, 2]) }
    expect(run(manifest(), heat, sizes)).toHaveLength(2)
    expect(run(manifest({ inside: 0.8 }), heat, sizes)).toHaveLength(1)
    expect(run(manifest({ maxDetections: 1 }), heat, sizes)).toHaveLength(1)
  })

  it('says what does not fit', () => {
    const wrong = { ...manifest({ heatmap: 'hot', keep: ['bus'], iuo: 0.4 }) }
    expect(decoderProblems(wrong)).toEqual([
      expect.stringMatching(/decoder.iuo is not a known setting. Did you mean "iou"/),
    ])
    expect(decoderProblems(manifest({ heatmap: 'hot', keep: ['bus'] }))).toEqual([
      expect.stringMatching(/decoder.keep names "bus"/),
      expect.stringMatching(
        /decoder.heatmap names the output "hot", which is not declared; declared are "heat", "size"/,
      ),
    ])
    const sizes = { ...manifest(), labels: ['car'] } as ModelManifest
    expect(decoderProblems(sizes)).toEqual([
      expect.stringMatching(/"heat" has the shape 1×2×4×8; centernet needs one channel for each of the 1 labels/),
    ])
  })
})

describe('decoder yolox', () => {
  // Input 32×16, strides 8 and 16: 4×2 cells, then 2×1 cells, in rows of 5 + 2 numbers.
  const manifest = (changes: Record<string, unknown> = {}) =>
    manifestOf({
      decoder: { name: 'yolox', strides: [8, 16], ...changes },
      input: { ...(gridManifest('').input as object), width: 32, height: 16 },
      outputs: [{ name: 'rows', shape: [1, 10, 7] }],
      labels: ['person', 'motorcycle'],
      thresholds: { default: 0.25 },
    })
  const row = (index: number, values: readonly number[]) =>
    Object.fromEntries(values.map((value, i) => [index * 7 + i, value]))
  const run = (model: ModelManifest, values: Record<number, number>) =>
    detectionsOf(createDecode(model)({ rows: tensor([1, 10, 7], values) }, stretched(32, 16)))

  it('reads centre, size and score of a cell on each level', () => {
    const fine = row(5, [0.5, 0.5, 0, 0, 0.8, 0, 0.5])
    const coarse = row(9, [0.5, 0.5, Math.log(2), 0, 0.9, 1, 0])
    expect(run(manifest(), { ...fine, ...coarse })).toEqual([
      // Cell (1, 0) of stride 16: centre (24, 8), 32 wide, 16 high, cut at the right edge.
      { label: 'person', confidence: 0.9, box: [0.25, 0, 0.75, 1] },
      // Cell (1, 1) of stride 8: centre (12, 12), 8 by 8.
      { label: 'motorcycle', confidence: 0.4, box: [0.25, 0.5, 0.25, 0.5] },
    ])
  })

  it('drops overlapping boxes of one label, not of different ones', () => {
    const same = { ...row(5, [0.5, 0.5, 1, 1, 0.8, 0.9, 0.9]), ...row(6, [-0.1, 0.5, 1, 1, 0.8, 0.8, 0]) }
    expect(run(manifest({ keep: ['person'] }), same)).toHaveLength(1)
    expect(run(manifest(), same).map(({ label }) => label)).toEqual(['person', 'motorcycle'])
    expect(run(manifest({ keep: ['person'], iou: 0.9 }), same)).toHaveLength(2)
  })

  it('reads the rows of a taller input by its height', () => {
    const tall = manifest()
    tall.input = { ...tall.input, resize: 'letterbox', tallerHeights: [32] }
    expect(decoderProblems(tall)).toEqual([])
    // 4×4 cells of stride 8 come first: row 13 is the cell (1, 3), centre (12, 28).
    const rows = tensor([1, 20, 7], row(13, [0.5, 0.5, 0, 0, 0.8, 0, 0.5]))
    expect(detectionsOf(createDecode(tall)({ rows }, stretched(32, 32)))).toEqual([
      { label: 'motorcycle', confidence: 0.4, box: [0.25, 0.75, 0.25, 0.25] },
    ])
  })

  it('refuses taller heights that do not fit the strides, are out of order or stretched', () => {
    const tall = manifest()
    tall.input = { ...tall.input, tallerHeights: [40, 32] }
    expect(decoderProblems(tall)).toEqual([
      'input.tallerHeights goes with resize "letterbox" only; leave it out.',
      'input.tallerHeights must rise from above 16; put them in order.',
      'input.tallerHeights has 40, which is no multiple of the coarsest stride 16; take 48 or leave it out.',
    ])
    const grid = manifestOf({})
    grid.input = { ...grid.input, resize: 'letterbox', tallerHeights: [64] }
    expect(decoderProblems(grid)).toEqual(['The decoder grid reads one size; leave input.tallerHeights out.'])
    expect(decoderProblems({ ...tall, runtime: 'tfjs' })).toContain(
      'Only ONNX weights of the package itself run at several sizes; leave input.tallerHeights out.',
    )
  })

  it('refuses strides that do not make the declared number of rows', () => {
    expect(decoderProblems(manifest({ strides: [8, 16, 32] }))).toEqual([])
    expect(decoderProblems(manifest({ strides: [8] }))).toEqual([
      expect.stringMatching(/has the shape 1×10×7; yolox with this input size, these strides and 2 labels needs 1×8×7/),
    ])
  })
})

describe('decoders grid and segmentation', () => {
  const values = tensor([1, 2, 2, 4], { 0: 0.1, 3: 0.4, 7: 0.7, 8: -1, 15: 2 })

  it('give the scores of all cells, limited to 0..1, in memory of their own', () => {
    const outputs = { scores: values }
    const decoded = createDecode(manifestOf({}))(outputs, stretched(64, 32))
    if (decoded.kind !== 'grid') throw new Error('A grid was expected.')
    expect(decoded).toMatchObject({ labels: ['smoke', 'flame'], rows: 2, columns: 4 })
    expect(Array.from(decoded.scores, score => Math.round(score * 10) / 10)).toEqual([
      0.1, 0, 0, 0.4, 0, 0, 0, 0.7, 0, 0, 0, 0, 0, 0, 0, 1,
    ])
    expect(decoded.scores.buffer).not.toBe(values.data.buffer)
  })

  it('apply a sigmoid where the model does not', () => {
    const decoded = createDecode(manifestOf({ decoder: { name: 'grid', activation: 'sigmoid' } }))(
      { scores: values },
      stretched(64, 32),
    )
    if (decoded.kind !== 'grid') throw new Error('A grid was expected.')
    expect(decoded.scores[1]).toBeCloseTo(0.5)
    expect(decoded.scores[15]).toBeCloseTo(0.8808)
  })

  it('leave out cells that saw only letterbox padding', () => {
    const decoded = createDecode(manifestOf({}))({ scores: values }, { ...stretched(64, 32), contentHeight: 16 })
    expect(decoded).toMatchObject({ rows: 1, columns: 4 })
  })

  it('give the mask of the chosen label', () => {
    const manifest = manifestOf({ decoder: { name: 'segmentation', label: 'flame' } })
    const decoded = createDecode(manifest)({ scores: values }, stretched(64, 32))
    if (decoded.kind !== 'mask') throw new Error('A mask was expected.')
    expect(decoded).toMatchObject({ label: 'flame', width: 4, height: 2 })
    expect(Array.from(decoded.scores)).toEqual([0, 0, 0, 0, 0, 0, 0, 1])
    expect(decoderProblems(manifestOf({ decoder: { name: 'segmentation', label: 'water' } }))).toEqual([
      expect.stringMatching(/decoder.label names "water"/),
    ])
  })

  it('refuse outputs whose channels are not the labels', () => {
    expect(decoderProblems(manifestOf({ labels: ['smoke', 'flame', 'steam'] }))).toEqual([
      expect.stringMatching(/"scores" has the shape 1×2×2×4; grid needs one channel for each of the 3 labels/),
    ])
  })
})

describe('decoder classification', () => {
  const manifest = (activation?: string) =>
    manifestOf({
      decoder: { name: 'classification', ...(activation ? { activation } : {}) },
      outputs: [{ name: 'logits', shape: [1, 2] }],
      labels: ['wet', 'dry'],
      thresholds: {},
    })

  it('gives a score per label, by softmax unless told otherwise', () => {
    const outputs = { logits: tensor([1, 2], { 0: 0, 1: Math.log(3) }) }
    expect(createDecode(manifest())(outputs, stretched(64, 32))).toEqual({
      kind: 'classes',
      scores: { wet: expect.closeTo(0.25, 5), dry: expect.closeTo(0.75, 5) },
    })
    expect(createDecode(manifest('none'))(outputs, stretched(64, 32))).toMatchObject({ scores: { wet: 0, dry: 1 } })
  })

  it('refuses softmax of a single label, which would be 1 for every picture', () => {
    const one = (activation?: string) =>
      decoderProblems({ ...manifest(activation), labels: ['wet'], outputs: [{ name: 'logits', shape: [1, 1] }] })
    expect(one()).toEqual([expect.stringMatching(/softmax is 1 for every picture; set decoder.activation .* sigmoid/)])
    expect(one('sigmoid')).toEqual([])
  })
})
