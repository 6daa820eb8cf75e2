/**
 * Pairs rows with columns so that the sum of gains is greatest; a row or column may stay alone, and pairs that gain nothing
 * are left out. Hungarian method with potentials over the cost `−gain`, padded to a square with zeros.
 */
export const bestPairs = (
  rows: number,
  columns: number,
  gainOf: (row: number, column: number) => number,
): readonly (readonly [row: number, column: number])[] => {
  const size = Math.max(rows, columns)
  const gain = (row: number, column: number): number =>
    row < rows && column < columns ? Math.max(0, gainOf(row, column)) : 0
  const gains = Array.from({ length: size }, (_, row) => Array.from({ length: size }, (_, column) => gain(row, column)))
  return columnsOfRows(gains)
    .map((column, row) => [row, column] as const)
    .filter(([row, column]) => gains[row]![column]! > 0)
}

/** Column of each row in the perfect matching of greatest gain. Shortest augmenting paths, O(n³). */
const columnsOfRows = (gains: readonly (readonly number[])[]): readonly number[] => {
  const size = gains.length
  const free = -1
  const rowOf: number[] = new Array(size).fill(free)
  const u: number[] = new Array(size).fill(0)
  const v: number[] = new Array(size).fill(0)
  for (let start = 0; start < size; start++) {
    const distance: number[] = new Array(size).fill(Number.POSITIVE_INFINITY)
    const before: number[] = new Array(size).fill(free)
    const done: boolean[] = new Array(size).fill(false)
    let row = start
    let last = free
    let reached = 0
    let column = free
    for (;;) {
      let next = free
      for (let other = 0; other < size; other++) {
        if (done[other]) continue
        const through = reached - gains[row]![other]! - u[row]! - v[other]!
        if (through < distance[other]!) {
          distance[other] = through
          before[other] = last
        }
        if (next === free || distance[other]! < distance[next]!) next = other
      }
      column = next
      reached = distance[column]!
      done[column] = true
      if (rowOf[column] === free) break
      row = rowOf[column]!
      last = column
    }
    u[start]! += reached
    for (let other = 0; other < size; other++) {
      if (!done[other] || other === column) continue
      u[rowOf[other]!]! += reached - distance[other]!
      v[other]! -= reached - distance[other]!
    }
    while (column !== free) {
      const previous = before[column]!
      rowOf[column] = previous === free ? start : rowOf[previous]!
      column = previous
    }
  }
  const columnOf: number[] = new Array(size).fill(free)
  for (const [column, row] of rowOf.entries()) columnOf[row] = column
  return columnOf
}
