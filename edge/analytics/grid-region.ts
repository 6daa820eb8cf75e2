import type { Box } from '@watchpost/shared/contracts/primitives'

export interface Region {
  readonly box: Box
  readonly cells: readonly number[]
}

/** The largest group of neighbours, corners included, among cells (`row * columns + column`) of a grid; null of none. */
export const largestRegion = (cells: readonly number[], columns: number, rows: number): Region | null => {
  const left = new Set(cells)
  let largest: number[] = []
  for (const seed of cells) {
    if (!left.delete(seed)) continue
    const region = [seed]
    for (let next = 0; next < region.length; next++)
      for (const neighbour of neighboursOf(region[next]!, columns, rows))
        if (left.delete(neighbour)) region.push(neighbour)
    if (region.length > largest.length) largest = region
  }
  return largest.length > 0 ? { cells: largest, box: boxAround(largest, columns, rows) } : null
}

/** A cell and those around it, corners included. */
export const neighboursOf = (cell: number, columns: number, rows: number): readonly number[] => {
  const column = cell % columns
  const sideways = [-1, 0, 1].filter(right => column + right >= 0 && column + right < columns)
  const around = sideways.flatMap(right => [cell - columns + right, cell + right, cell + columns + right])
  return around.filter(other => other >= 0 && other < columns * rows)
}

const boxAround = (cells: readonly number[], columns: number, rows: number): Box => {
  const xs = cells.map(cell => cell % columns)
  const ys = cells.map(cell => Math.floor(cell / columns))
  const [left, top] = [Math.min(...xs), Math.min(...ys)]
  return [left / columns, top / rows, (Math.max(...xs) + 1 - left) / columns, (Math.max(...ys) + 1 - top) / rows]
}
