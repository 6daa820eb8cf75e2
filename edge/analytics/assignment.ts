/**
 * Pairs rows with columns so that the sum of the scores is greatest, leaving out pairs below `minScore` (Hungarian method
 * with potentials, O(n³)). Greedy pairing gives two motorbikes that pass each other to the wrong tracks; this does not.
 */
export const assign = (
  rows: number,
  columns: number,
  scoreOf: (row: number, column: number) => number,
  minScore: number,
): readonly (readonly [row: number, column: number])[] => {
  if (rows === 0 || columns === 0) return []
  const size = Math.max(rows, columns)
  const score = (row: number, column: number) => (row < rows && column < columns ? scoreOf(row, column) : 0)
  const gains = Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => {
      const value = score(row, column)
      return value >= minScore ? value : 0
    }),
  )
  return cheapest(gains.map(row => row.map(gain => -gain)))
    .map((row, column) => [row, column] as const)
    .filter(([row, column]) => row < rows && column < columns && gains[row]![column]! > 0)
}

/** Row of each column in the cheapest perfect matching of a square cost matrix. */
const cheapest = (costs: readonly (readonly number[])[]): readonly number[] => {
  const size = costs.length
  const rowPotential = new Array<number>(size + 1).fill(0)
  const columnPotential = new Array<number>(size + 1).fill(0)
  /** Index 0 is a stand-in: rows and columns count from 1 in here. */
  const rowOf = new Array<number>(size + 1).fill(0)
  const cameFrom = new Array<number>(size + 1).fill(0)
  for (let row = 1; row <= size; row++) {
    rowOf[0] = row
    const slack = new Array<number>(size + 1).fill(Number.POSITIVE_INFINITY)
    const visited = new Array<boolean>(size + 1).fill(false)
    let column = 0
    while (rowOf[column] !== 0) {
      visited[column] = true
      const at = rowOf[column]!
      let delta = Number.POSITIVE_INFINITY
      let next = 0
      for (let other = 1; other <= size; other++) {
        if (visited[other]) continue
        const reduced = costs[at - 1]![other - 1]! - rowPotential[at]! - columnPotential[other]!
        if (reduced < slack[other]!) {
          slack[other] = reduced
          cameFrom[other] = column
        }
        if (slack[other]! < delta) {
          delta = slack[other]!
          next = other
        }
      }
      for (let other = 0; other <= size; other++) {
        if (visited[other]) {
          rowPotential[rowOf[other]!]! += delta
          columnPotential[other]! -= delta
        } else slack[other]! -= delta
      }
      column = next
    }
    while (column !== 0) {
      rowOf[column] = rowOf[cameFrom[column]!]!
      column = cameFrom[column]!
    }
  }
  return rowOf.slice(1).map(row => row - 1)
}
