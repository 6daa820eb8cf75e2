import { describe, expect, it } from 'vitest'
import { createSeqRanges } from '../../../central/ingest/seq-ranges.js'
import { createStreamLedger, type RangeKind, type StreamLedger } from '../../../central/ingest/stream-ledger.js'

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
const randomOf = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

/** Applies changes the way the database does. */
const createSaved = () => {
  const rows = new Map<string, { kind: RangeKind; from: number; to: number }>()
  let rest = { duplicates: 0, byType: {} as Readonly<Record<string, number>> }
  return {
    take: (ledger: StreamLedger) => {
      const { ranges, duplicates, byType } = ledger.takeChanges()
      rest = { duplicates, byType }
      for (const { kind, from, to } of ranges)
        if (to === null) rows.delete(`${kind}/${from}`)
        else rows.set(`${kind}/${from}`, { kind, from, to })
    },
    restore: () => createStreamLedger({ ...rest, ranges: [...rows.values()] }),
  }
}

describe('createSeqRanges', () => {
  it.each([1, 2, 3, 4, 5])('behaves like a plain set (seed %i)', seed => {
    const random = randomOf(seed)
    const ranges = createSeqRanges()
    const plain = new Set<number>()
    const saved = new Map<number, number>()
    for (let step = 0; step < 600; step++) {
      const from = 1 + Math.floor(random() * 300)
      const to = from + Math.floor(random() * 12)
      const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index)
      if (random() < 0.6) {
        expect(ranges.add(from, to)).toBe(numbers.filter(number => !plain.has(number)).length)
        for (const number of numbers) plain.add(number)
      } else {
        expect(ranges.remove(from, to)).toBe(numbers.filter(number => plain.has(number)).length)
        for (const number of numbers) plain.delete(number)
      }
      for (const change of ranges.takeChanges())
        if (change.to === null) saved.delete(change.from)
        else saved.set(change.from, change.to)
      expect(ranges.size()).toBe(plain.size)
      const probe = 1 + Math.floor(random() * 320)
      expect(ranges.has(probe)).toBe(plain.has(probe))
      let end = probe - 1
      while (plain.has(end + 1)) end++
      expect(ranges.runFrom(probe)).toBe(end)
      const gaps = ranges
        .missing(probe, probe + 30)
        .flatMap(gap => Array.from({ length: gap.to - gap.from + 1 }, (_, i) => gap.from + i))
      const held = ranges.present(probe, probe + 30).reduce((sum, part) => sum + part.to - part.from + 1, 0)
      expect(held + gaps.length).toBe(31)
      expect(gaps).toEqual(Array.from({ length: 31 }, (_, i) => probe + i).filter(number => !plain.has(number)))
    }
    const listed = ranges.list()
    expect(listed.every((range, index) => index === 0 || range.from > listed[index - 1]!.to + 1)).toBe(true)
    expect([...saved].sort((a, b) => a[0] - b[0])).toEqual(listed.map(({ from, to }) => [from, to]))
  })
})

describe('createStreamLedger', () => {
  it.each([11, 12, 13, 14, 15, 16])('accounts for every number once, in any order, over restarts (seed %i)', seed => {
    const random = randomOf(seed)
    const size = 400
    const fate = Array.from({ length: size + 1 }, () => {
      const dice = random()
      return dice < 0.8 ? 'sent' : dice < 0.87 ? 'refused' : dice < 0.95 ? 'thinned' : 'not-held'
    })
    const deliveries = Array.from({ length: size }, (_, index) => index + 1).flatMap(seq =>
      Array.from({ length: 1 + Math.floor(random() * 3) }, () => seq),
    )
    for (let i = deliveries.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[deliveries[i], deliveries[j]] = [deliveries[j]!, deliveries[i]!]
    }
    const saved = createSaved()
    let ledger = createStreamLedger()
    const done = new Set<number>()
    let committed = 0
    let duplicates = 0
    for (const seq of deliveries) {
      const what = fate[seq]
      if (what === 'sent') {
        if (ledger.accept(seq, 'observation.v1')) committed++
        else duplicates++
      } else if (what === 'refused') ledger.refuse(seq)
      else ledger.declareLost(seq, seq, what as 'thinned')
      done.add(seq)
      let contiguous = 0
      while (done.has(contiguous + 1)) contiguous++
      expect(ledger.ackedSeq()).toBe(contiguous)
      saved.take(ledger)
      if (random() < 0.02) ledger = saved.restore()
    }
    const view = saved.restore().view(7)
    const count = (what: string) => fate.slice(1).filter(each => each === what).length
    expect(view).toMatchObject({ epoch: 7, ackedSeq: size, highestSeq: size, firstGap: null, duplicates })
    expect(view.received).toBe(count('sent'))
    expect(committed).toBe(count('sent'))
    expect(view.refused).toBe(count('refused'))
    expect(view.byType).toEqual({ 'observation.v1': count('sent') })
    const lost = view.lost.reduce((sum, range) => sum + range.to - range.from + 1, 0)
    expect(view.received + view.refused + lost).toBe(size)
  })

  it('shows the first gap and does not acknowledge past it', () => {
    const ledger = createStreamLedger()
    for (const seq of [1, 2, 5, 6, 9]) ledger.accept(seq, 'event.v1')
    expect(ledger.view(1)).toMatchObject({
      ackedSeq: 2,
      highestSeq: 9,
      firstGap: { from: 3, to: 4 },
      ranges: [
        { from: 1, to: 2 },
        { from: 5, to: 6 },
        { from: 9, to: 9 },
      ],
    })
  })

  it('commits a message that arrives after it was declared lost or refused', () => {
    const ledger = createStreamLedger()
    ledger.declareLost(1, 3, 'thinned')
    ledger.refuse(4)
    expect(ledger.accept(2, 'event.v1')).toBe(true)
    expect(ledger.accept(4, 'event.v1')).toBe(true)
    expect(ledger.view(1)).toMatchObject({
      received: 2,
      refused: 0,
      ackedSeq: 4,
      lost: [
        { from: 1, to: 1 },
        { from: 3, to: 3 },
      ],
    })
  })

  it('takes the reason of the event that explains a hole', () => {
    const ledger = createStreamLedger()
    ledger.declareLost(1, 6, 'not-held')
    expect(ledger.declareLost(2, 8, 'thinned')).toBe(2)
    expect(ledger.view(1).lost).toMatchObject([
      { from: 1, to: 1, reason: expect.stringContaining('no longer held') },
      { from: 2, to: 8, reason: expect.stringContaining('thinned') },
    ])
  })

  it('never takes back what was committed', () => {
    const ledger = createStreamLedger()
    ledger.accept(1, 'event.v1')
    expect(ledger.declareLost(1, 1, 'not-held')).toBe(0)
    expect(ledger.refuse(1)).toBe(false)
    expect(ledger.view(1)).toMatchObject({ received: 1, refused: 0, lost: [] })
  })
})
