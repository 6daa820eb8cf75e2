import { boxLabelsByKind, numberedLabels } from '@watchpost/shared/api/box-labels'
import type { CocoDocument } from '@watchpost/shared/api/labels'

/** Numbers of labels in one export: the known ones always have the same, others follow in the order they are met. */
export interface Categories {
  /** From 1. */
  numberOf(label: string): number
  readonly all: () => CocoDocument['categories']
}

export const createCategories = (): Categories => {
  const numbers = new Map(numberedLabels.map((label, index) => [label, index + 1]))
  return {
    numberOf: label => {
      const number = numbers.get(label) ?? numbers.size + 1
      numbers.set(label, number)
      return number
    },
    all: () => [...numbers].map(([name, id]) => ({ id, name, supercategory: supercategoryOf(name) })),
  }
}

const supercategoryOf = (label: string): string => {
  if (boxLabelsByKind['forest-fire'].includes(label)) return 'fire'
  if (boxLabelsByKind['red-light'].includes(label)) return 'traffic'
  return label === 'water' ? 'flood' : 'other'
}
