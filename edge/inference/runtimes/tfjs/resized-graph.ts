import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { io } from '@tensorflow/tfjs'

/**
 * Reads a TF.js graph model for an input size that may differ from its own: the input's declared shape and the sizes
 * that upsampling steps have written into the graph grow in proportion. A convolutional graph needs no more.
 */
export const readResizedGraph = async (path: string, size: readonly [height: number, width: number]) => {
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(path, 'utf8')) as Graph
  const shards = await Promise.all(
    weightsManifest.flatMap(({ paths }) => paths.map(shard => readFile(join(dirname(path), shard)))),
  )
  const bytes = Buffer.concat(shards)
  // TF.js keeps views of it, so it must not be Node's pooled memory.
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  const weightSpecs = weightsManifest.flatMap(group => group.weights)
  const dimensions = modelTopology.node.find(({ op }) => op === 'Placeholder')?.attr.shape?.shape?.dim ?? []
  const [, height, width] = dimensions.map(dimension => Number(dimension.size))
  if (height && width && (height !== size[0] || width !== size[1])) {
    const upsampled = modelTopology.node.filter(({ op }) => op === 'ResizeBilinear').map(({ input }) => input[1]!)
    grow(new Set(upsampled), weightSpecs, weightData, [size[0] / height, size[1] / width])
    dimensions[1]!.size = String(size[0])
    dimensions[2]!.size = String(size[1])
  }
  return { modelTopology, weightSpecs, weightData }
}

interface Graph {
  readonly modelTopology: { readonly node: readonly Node[] }
  readonly weightsManifest: io.WeightsManifestConfig
}

interface Node {
  readonly op: string
  readonly input: readonly string[]
  readonly attr: Readonly<Record<string, { readonly shape?: { readonly dim: { size: string }[] } }>>
}

const bytesOf: Readonly<Record<string, number>> = { float32: 4, int32: 4, float16: 2, uint16: 2, uint8: 1, bool: 1 }

const grow = (
  names: ReadonlySet<string>,
  specs: readonly io.WeightsManifestEntry[],
  data: ArrayBuffer,
  [vertical, horizontal]: readonly [number, number],
): void => {
  const view = new DataView(data)
  let offset = 0
  for (const { name, shape, dtype, quantization } of specs) {
    if (names.has(name)) {
      view.setInt32(offset, view.getInt32(offset, true) * vertical, true)
      view.setInt32(offset + 4, view.getInt32(offset + 4, true) * horizontal, true)
    }
    offset += shape.reduce((product, length) => product * length, bytesOf[quantization?.dtype ?? dtype]!)
  }
}
