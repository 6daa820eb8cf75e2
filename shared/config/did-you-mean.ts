/** The candidate that was probably meant, or undefined when none is close. */
export const didYouMean = (given: string, candidates: readonly string[]): string | undefined => {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '')
  const scored = candidates
    .map(candidate => ({ candidate, distance: editDistance(plain(given), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance)
  const best = scored[0]
  // A third of the word may be wrong: `hots` means host, `log` does not mean map.
  return best && best.distance <= Math.max(1, Math.floor(given.length / 3)) ? best.candidate : undefined
}

/** Optimal string alignment: insertions, deletions, replacements and swapped neighbours count one each. */
const editDistance = (a: string, b: string): number => {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : 999
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, replaced, swapped))
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
