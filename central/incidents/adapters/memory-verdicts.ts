import type { PlacedEvent } from '../incident-store.js'
import type { JudgedEvent, StoredVerdict, VerdictCount, VerdictFilter, VerdictStore } from '../verdict-store.js'

/** `verdicts` in the order they were given; their numbers count from 1. */
export const createMemoryVerdicts = (
  verdicts: readonly StoredVerdict[],
  events: ReadonlyMap<string, PlacedEvent>,
): VerdictStore => {
  const judged = (filter: VerdictFilter): JudgedEvent[] =>
    verdicts
      .map((verdict, index) => judgedOf(verdict, index + 1, events.get(verdict.eventId)!))
      .filter(item => matches(item, filter))

  const asOf = ({ through, values, ...filter }: VerdictFilter & { readonly through: number }): JudgedEvent[] =>
    newestBy(
      judged(filter).filter(item => item.number <= through),
      item => item.verdict.eventId,
    ).filter(item => matches(item, { ...(values && { values }) }))

  const happenings = ({ values, ...filter }: VerdictFilter): JudgedEvent[] =>
    newestBy(judged(filter), item =>
      JSON.stringify([events.get(item.verdict.eventId)?.happeningKey, modelOf(item)]),
    ).filter(item => matches(item, { ...(values && { values }) }))

  return {
    newest: async () => verdicts.length,
    history: async eventId => verdicts.filter(verdict => verdict.eventId === eventId),
    labelled: async (filter, { after, limit }) => {
      const chosen = asOf(filter).filter(({ verdict }) => ['true', 'false'].includes(verdict.value))
      const pictures = new Set(chosen.map(({ verdict }) => verdict.pictureSha256))
      return asOf({ through: filter.through, values: ['true', 'false', 'unsure'] })
        .filter(({ verdict }) => verdict.pictureSha256 !== null && pictures.has(verdict.pictureSha256))
        .filter(({ verdict }) => !after || keyOf(verdict) > `${after.pictureSha256} ${after.eventId}`)
        .sort((a, b) => (keyOf(a.verdict) < keyOf(b.verdict) ? -1 : 1))
        .slice(0, limit)
    },
    tally: async filter => {
      const groups = groupsOf(asOf(filter), ({ verdict }) => [verdict.value, verdict.pictureSha256 !== null])
      return groups.map(([first, ...rest]) => ({
        value: first.verdict.value,
        hasPicture: first.verdict.pictureSha256 !== null,
        count: rest.length + 1,
      }))
    },
    counts: async filter => {
      const groups = groupsOf(happenings(filter), item => [
        item.cameraId,
        item.event.kind,
        item.event.model?.id ?? '',
        item.event.model?.version ?? '',
        item.verdict.value,
      ])
      return groups.map(
        ([first, ...rest]): VerdictCount => ({
          cameraId: first.cameraId,
          kind: first.event.kind,
          model: modelOf(first),
          value: first.verdict.value,
          count: rest.length + 1,
          newestAt: Math.max(first.verdict.at, ...rest.map(({ verdict }) => verdict.at)),
        }),
      )
    },
    happenings: async (filter, { before, limit }) =>
      happenings(filter)
        .filter(({ number }) => before === undefined || number < before)
        .sort((a, b) => b.number - a.number)
        .slice(0, limit),
  }
}

const judgedOf = (verdict: StoredVerdict, number: number, placed: PlacedEvent): JudgedEvent => ({
  number,
  verdict,
  incidentId: placed.incidentId,
  cameraId: placed.cameraId,
  phenomenonAt: placed.phenomenonAt,
  event: placed.event,
})

const modelOf = ({ event: { model } }: JudgedEvent): VerdictCount['model'] =>
  model ? { id: model.id, version: model.version } : null

const keyOf = ({ pictureSha256, eventId }: StoredVerdict): string => `${pictureSha256} ${eventId}`

const matches = ({ cameraId, event, verdict, phenomenonAt }: JudgedEvent, filter: VerdictFilter): boolean =>
  (!filter.cameraIds || filter.cameraIds.includes(cameraId)) &&
  (!filter.kinds || filter.kinds.includes(event.kind)) &&
  (!filter.values || filter.values.includes(verdict.value)) &&
  (filter.modelId === undefined || event.model?.id === filter.modelId) &&
  (filter.modelVersion === undefined || event.model?.version === filter.modelVersion) &&
  (filter.fromMs === undefined || phenomenonAt >= filter.fromMs) &&
  (filter.toMs === undefined || phenomenonAt < filter.toMs)

const newestBy = (items: readonly JudgedEvent[], keyOfItem: (item: JudgedEvent) => string): JudgedEvent[] => [
  ...new Map(items.map(item => [keyOfItem(item), item])).values(),
]

type Group = readonly [JudgedEvent, ...JudgedEvent[]]

/** In order of their keys. */
const groupsOf = (items: readonly JudgedEvent[], keyOfItem: (item: JudgedEvent) => readonly unknown[]): Group[] => {
  const groups = new Map<string, [JudgedEvent, ...JudgedEvent[]]>()
  for (const item of items) {
    const key = JSON.stringify(keyOfItem(item))
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}
