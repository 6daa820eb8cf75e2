import type { PageRequest } from '../incident-store.js'

/** Collects conditions with their values; one with an undefined value is left out. Texts are ours, values are always bound. */
export const conditions = () => {
  const texts: string[] = []
  const values: unknown[] = []
  return {
    values,
    sql: (): string => (texts.length === 0 ? '' : `WHERE ${texts.join(' AND ')}`),
    is: (text: string, ...bound: readonly (string | number | undefined)[]): void => {
      if (bound.includes(undefined)) return
      texts.push(text)
      values.push(...bound)
    },
    oneOf: (column: string, options: readonly string[] | undefined): void => {
      if (!options) return
      texts.push(`${column} IN (${options.map(() => '?').join(', ')})`)
      values.push(...options)
    },
    after: (column: string, { after }: PageRequest): void => {
      if (!after) return
      texts.push(`(${column}, id) < (?, ?)`)
      values.push(after.at, after.id)
    },
  }
}
