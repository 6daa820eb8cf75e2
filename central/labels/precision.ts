import type { VerdictValue } from '@watchpost/shared/api/incidents'
import type { PrecisionRow } from '@watchpost/shared/api/labels'
import { utcTime } from '@watchpost/shared/contracts/primitives'
import type { VerdictCount } from '../incidents/verdict-store.js'
import { wilson } from './wilson.js'

/** One row per camera, kind and model version, in the order of the counts. Unsure and duplicates say nothing about precision. */
export const precisionOf = (counts: readonly VerdictCount[]): PrecisionRow[] => {
  const rows = new Map<string, VerdictCount[]>()
  for (const count of counts) {
    const key = JSON.stringify([count.cameraId, count.kind, count.model])
    rows.set(key, [...(rows.get(key) ?? []), count])
  }
  return [...rows.values()].map(rowOf)
}

const rowOf = (counts: readonly VerdictCount[]): PrecisionRow => {
  const of = (value: VerdictValue): number => counts.find(count => count.value === value)?.count ?? 0
  const { cameraId, kind, model } = counts[0]!
  const interval = wilson(of('true'), of('true') + of('false'))
  return {
    cameraId,
    kind,
    model,
    true: of('true'),
    false: of('false'),
    unsure: of('unsure'),
    duplicate: of('duplicate'),
    precision: interval?.share ?? null,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    newestAt: utcTime(Math.max(...counts.map(({ newestAt }) => newestAt))),
  }
}
