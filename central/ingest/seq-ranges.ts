export interface SeqRange {
  readonly from: number
  /** Inclusive. */
  readonly to: number
}

/** A set of sequence numbers kept as sorted, disjoint, never touching ranges: a stream without gaps is one range. */
export interface SeqRanges {
  has(seq: number): boolean
  /** Returns how many numbers were not in the set before. */
  add(from: number, to: number): number
  /** Returns how many numbers were in the set before. */
  remove(from: number, to: number): number
  /** The parts of `from..to` that are not in the set, ascending. */
  missing(from: number, to: number): readonly SeqRange[]
  /** The parts of `from..to` that are in the set, ascending. */
  present(from: number, to: number): readonly SeqRange[]
  /** The last number of the unbroken run that begins at `from`; `from - 1` when `from` itself is missing. */
  runFrom(from: number): number
  list(): readonly SeqRange[]
  /** How many numbers are in the set. */
  size(): number
  /** What changed since the last call, so that saving costs what changed, not what there is. `to: null`: gone. */
  takeChanges(): readonly RangeChange[]
}

export interface RangeChange {
  readonly from: number
  readonly to: number | null
}

export const createSeqRanges = (initial: readonly SeqRange[] = []): SeqRanges => {
  const ranges: { from: number; to: number }[] = []
  const changes = new Map<number, number | null>()
  let size = 0

  const replace = (start: number, end: number, added: { from: number; to: number }[]): void => {
    for (const range of ranges.splice(start, end - start, ...added)) changes.set(range.from, null)
    for (const range of added) changes.set(range.from, range.to)
  }

  /** Index of the first range that ends at or after `seq`. */
  const firstEndingFrom = (seq: number): number => {
    const last = ranges.at(-1)
    if (last === undefined || last.to < seq) return ranges.length
    let [low, high] = [0, ranges.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (ranges[middle]!.to < seq) low = middle + 1
      else high = middle
    }
    return low
  }

  const missing = (from: number, to: number): readonly SeqRange[] => {
    const gaps: SeqRange[] = []
    let next = from
    for (let index = firstEndingFrom(from); next <= to; index++) {
      const range = ranges[index]
      if (range === undefined || range.from > to) break
      if (range.from > next) gaps.push({ from: next, to: range.from - 1 })
      next = Math.max(next, range.to + 1)
    }
    if (next <= to) gaps.push({ from: next, to })
    return gaps
  }

  const add = (from: number, to: number): number => {
    const last = ranges.at(-1)
    // The usual case by far: the next message of a stream.
    if (last !== undefined && from === last.to + 1 && to >= from) {
      last.to = to
      changes.set(last.from, to)
      size += to - from + 1
      return to - from + 1
    }
    const added = missing(from, to).reduce((sum, gap) => sum + gap.to - gap.from + 1, 0)
    if (added === 0) return 0
    const start = firstEndingFrom(from - 1)
    let end = start
    let merged = { from, to }
    while (ranges[end] !== undefined && ranges[end]!.from <= to + 1) {
      merged = { from: Math.min(merged.from, ranges[end]!.from), to: Math.max(merged.to, ranges[end]!.to) }
      end++
    }
    replace(start, end, [merged])
    size += added
    return added
  }

  const remove = (from: number, to: number): number => {
    const start = firstEndingFrom(from)
    let end = start
    let removed = 0
    const left: { from: number; to: number }[] = []
    while (ranges[end] !== undefined && ranges[end]!.from <= to) {
      const range = ranges[end]!
      removed += Math.min(range.to, to) - Math.max(range.from, from) + 1
      if (range.from < from) left.push({ from: range.from, to: from - 1 })
      if (range.to > to) left.push({ from: to + 1, to: range.to })
      end++
    }
    replace(start, end, left)
    size -= removed
    return removed
  }

  for (const { from, to } of [...initial].sort((a, b) => a.from - b.from)) add(from, to)
  changes.clear()
  return {
    add,
    remove,
    missing,
    present: (from, to) => {
      const parts: SeqRange[] = []
      for (let index = firstEndingFrom(from); ranges[index] !== undefined && ranges[index]!.from <= to; index++)
        parts.push({ from: Math.max(ranges[index]!.from, from), to: Math.min(ranges[index]!.to, to) })
      return parts
    },
    has: seq => {
      const range = ranges[firstEndingFrom(seq)]
      return range !== undefined && range.from <= seq
    },
    runFrom: from => {
      const range = ranges[firstEndingFrom(from)]
      return range !== undefined && range.from <= from ? range.to : from - 1
    },
    list: () => ranges.map(range => ({ ...range })),
    size: () => size,
    takeChanges: () => {
      const taken = [...changes].map(([from, to]) => ({ from, to }))
      changes.clear()
      return taken
    },
  }
}
