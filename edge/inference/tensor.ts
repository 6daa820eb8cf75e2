/** Row-major. `data` belongs to the session and is valid until its next `run`. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** By output name, each in the shape that the manifest declares; with a taller input the graph says how many rows there are more. */
export type Tensors = Readonly<Record<string, Tensor>>
