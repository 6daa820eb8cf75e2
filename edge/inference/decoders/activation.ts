import { Type } from '@sinclair/typebox'

export const Activation = Type.Union(
  ['none', 'sigmoid'].map(name => Type.Literal(name)),
  { default: 'none', description: 'What is still to be applied to the output; none when the model ends in it.' },
)

export const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
export const clamp01 = (value: number): number => (value > 0 ? (value < 1 ? value : 1) : 0)
export const activate = (name: string): ((value: number) => number) => (name === 'sigmoid' ? sigmoid : clamp01)
