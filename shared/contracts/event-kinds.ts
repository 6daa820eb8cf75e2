/** Every kind of event. A plain list apart from the schemas, so that a browser can have it without a schema library. */
export const eventKinds = [
  'flood-level',
  'forest-fire',
  'straw-burning',
  'urban-fire',
  'red-light',
  'wrong-way',
  'line-crossing',
  'no-entry',
  'illegal-stopping',
  'data-loss',
] as const
