import type { Box } from '@watchpost/shared/contracts/primitives'

export interface TrueBox {
  /** Class of the data, by name; by number where the data has no names. */
  readonly className: string
  readonly box: Box
  /** Around many that are not told apart: whatever is found in it is neither right nor wrong. */
  readonly crowd?: true
}

/** One picture and what is true of it. */
export interface Sample {
  readonly path: string
  readonly boxes: readonly TrueBox[]
  /** Classes that the picture shows, with or without boxes. Of a mask it is known when it has been read. */
  readonly shows: readonly string[]
  /** PNG in which 255 is the thing. */
  readonly maskPath?: string
}

export type DataLayout = 'yolo' | 'coco' | 'masks' | 'classes' | 'negatives'

export interface DataSet {
  readonly layout: DataLayout
  /** In the order of their numbers; holes are classes without a name. */
  readonly classes: readonly string[]
  /** false: classes are numbers, and only --map can say which is which. */
  readonly named: boolean
  /** By which the files name classes, where these are not their places in `classes`. */
  readonly numbers?: ReadonlyMap<number, string>
  readonly samples: readonly Sample[]
  /** Reason → how often. Nothing is left out silently. */
  readonly leftOut: Readonly<Record<string, number>>
}

/** The class of a mask's 255 pixels. */
export const maskClass = 'mask'
