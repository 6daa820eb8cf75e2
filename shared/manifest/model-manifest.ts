import { type Static, Type } from '@sinclair/typebox'
import { Fraction, Id, Sha256 } from '../contracts/primitives.js'

const relativePath = Type.String({
  pattern: '^(?!/)(?!.*(^|/)\\.\\.(/|$))[A-Za-z0-9._/-]+$',
  description: 'Path inside the package folder.',
})

const FileDigest = Type.Object({ sha256: Sha256, bytes: Type.Integer({ minimum: 0 }) }, { additionalProperties: false })

export const ModelInput = Type.Object(
  {
    name: Type.String(),
    width: Type.Integer({ minimum: 16, maximum: 4096 }),
    height: Type.Integer({ minimum: 16, maximum: 4096 }),
    tallerHeights: Type.Optional(
      Type.Array(Type.Integer({ minimum: 16, maximum: 4096 }), {
        minItems: 1,
        description:
          'Letterbox only: further heights the weights can take, rising. A picture gets the lowest one in which it fills the width, so that 4:3 cameras are not shrunk to fit 16:9.',
      }),
    ),
    layout: Type.Union([Type.Literal('nchw'), Type.Literal('nhwc')]),
    channels: Type.Union([Type.Literal('rgb'), Type.Literal('bgr')]),
    resize: Type.Union([Type.Literal('stretch'), Type.Literal('letterbox')]),
    padValue: Type.Optional(Type.Number({ minimum: 0, maximum: 255, description: 'Letterbox only; default 114.' })),
    mean: Type.Tuple([Type.Number(), Type.Number(), Type.Number()]),
    std: Type.Tuple([Type.Number(), Type.Number(), Type.Number()]),
  },
  {
    additionalProperties: false,
    description: 'value = (pixel 0..255 - mean) / std, per channel in the order of `channels`.',
  },
)

const Weights = Type.Object(
  {
    path: relativePath,
    sha256: Sha256,
    bytes: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
)

/** `manifest.json` of a model package. */
export const ModelManifest = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    id: Id,
    version: Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?$' }),
    task: Type.Union(
      ['vehicles', 'smoke-flame', 'water-segmentation', 'detection', 'classification'].map(task => Type.Literal(task)),
    ),
    runtime: Type.Union([Type.Literal('onnx'), Type.Literal('tfjs'), Type.Literal('scripted')]),
    decoder: Type.Object(
      {
        name: Type.String({
          minLength: 1,
          description: 'yolox, centernet, grid, segmentation, classification, or a further one of the agent.',
        }),
      },
      { additionalProperties: true, description: 'Further keys are options of the decoder.' },
    ),
    weights: Weights,
    derivedFrom: Type.Optional(
      Type.Object(
        {
          npmPackage: Type.String(),
          npmVersion: Type.String(),
          path: relativePath,
          sha256: Sha256,
          converter: Type.Literal('tfjs-graph-to-onnx'),
          outputs: Type.Array(Type.String(), { minItems: 1 }),
        },
        {
          additionalProperties: false,
          description:
            'The weights are not in the folder: they are made at first start from a declared npm package, then cached.',
        },
      ),
    ),
    input: ModelInput,
    outputs: Type.Array(
      Type.Object(
        { name: Type.String(), shape: Type.Array(Type.Integer({ minimum: 1 })) },
        { additionalProperties: false },
      ),
      { minItems: 1 },
    ),
    labels: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    thresholds: Type.Record(Type.String(), Fraction),
    tolerance: Type.Number({ minimum: 0 }),
    golden: Type.Array(Type.Object({ image: relativePath, expected: relativePath }, { additionalProperties: false })),
    licence: Type.String({ minLength: 1 }),
    sources: Type.Array(
      Type.Object(
        { name: Type.String(), licence: Type.String(), use: Type.String(), url: Type.Optional(Type.String()) },
        { additionalProperties: false },
      ),
    ),
    metrics: Type.Record(Type.String(), Type.Unknown()),
    files: Type.Optional(
      Type.Record(relativePath, FileDigest, {
        description:
          'Every file of the package but the manifest, written when it is signed: from then on none may change, be missing or be added.',
      }),
    ),
    signature: Type.Optional(
      Type.Object({
        algorithm: Type.Literal('ed25519'),
        keyId: Type.String({ description: 'First 16 hexadecimal digits of the SHA-256 of the raw public key.' }),
        value: Type.String({ description: 'Base64 of the signature over the manifest without this field.' }),
      }),
    ),
  },
  { $id: 'ModelManifest', additionalProperties: false },
)

export type ModelManifest = Static<typeof ModelManifest>
export type ModelInput = Static<typeof ModelInput>
