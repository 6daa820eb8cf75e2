import type { PrecisionRow } from '@watchpost/shared/api/labels'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { useLanguage } from '../i18n/language.js'

const counted = ['true', 'false', 'unsure', 'duplicate'] as const
type Column = 'camera' | 'kind' | 'model' | 'share' | (typeof counted)[number]
const columns: readonly Column[] = ['camera', 'kind', 'model', 'share', ...counted]

interface Order {
  readonly by: Column
  readonly ascending: boolean
}

/** One row per camera, kind and model version; a count opens the happenings behind it. */
export const PrecisionTable = ({
  rows,
  cameraName,
}: {
  readonly rows: readonly PrecisionRow[]
  readonly cameraName: (cameraId: string) => string
}) => {
  const { t, language } = useLanguage()
  // The worst first: that is what somebody comes to look for.
  const [order, setOrder] = useState<Order>({ by: 'share', ascending: true })
  const sortValue = (row: PrecisionRow): string | number | null => {
    if (order.by === 'camera') return cameraName(row.cameraId)
    if (order.by === 'kind') return t(`kind.${row.kind}`)
    if (order.by === 'model') return modelName(row)
    return order.by === 'share' ? row.precision : row[order.by]
  }
  const sorted = [...rows].sort((a, b) => {
    const [x, y] = [sortValue(a), sortValue(b)]
    // What is not known stands last, whichever way it is sorted.
    if (x === null || y === null) return Number(x === null) - Number(y === null)
    const less = typeof x === 'string' ? x.localeCompare(String(y), language) : x - Number(y)
    return order.ascending ? less : -less
  })
  return (
    <table className="precision-table card">
      <thead>
        <tr>
          {columns.map(column => (
            <th
              key={column}
              scope="col"
              aria-sort={order.by === column ? (order.ascending ? 'ascending' : 'descending') : undefined}
            >
              <button
                type="button"
                className="quiet"
                onClick={() => setOrder({ by: column, ascending: order.by === column ? !order.ascending : true })}
              >
                {t(`precision.${column}`)}
                <span aria-hidden="true">{order.by === column ? (order.ascending ? ' ↑' : ' ↓') : ''}</span>
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sorted.map(row => (
          <Row key={`${row.cameraId} ${row.kind} ${modelName(row)}`} row={row} camera={cameraName(row.cameraId)} />
        ))}
      </tbody>
    </table>
  )
}

const modelName = ({ model }: PrecisionRow): string => (model ? `${model.id} ${model.version}` : '')

const Row = ({ row, camera }: { readonly row: PrecisionRow; readonly camera: string }) => {
  const { t } = useLanguage()
  const [search] = useSearchParams()
  const { model, cameraId, kind } = row
  const cell = { camera: cameraId, kind, model: model?.id ?? '', modelVersion: model?.version ?? '' }
  const isChosen = Object.entries(cell).every(([key, value]) => (search.get(key) ?? '') === value)
  const addressOf = (verdict: string): string => {
    const filter = Object.fromEntries([...search].filter(([key]) => key.startsWith('only')))
    return `/precision?${new URLSearchParams({ ...filter, ...cell, verdict })}`
  }
  return (
    <tr>
      <th scope="row">{camera}</th>
      <td data-name={t('precision.kind')}>{t(`kind.${kind}`)}</td>
      <td data-name={t('precision.model')}>{modelName(row) || t('precision.noModel')}</td>
      <td data-name={t('precision.share')}>
        <Share row={row} />
      </td>
      {counted.map(value => (
        <td key={value} data-name={t(`precision.${value}`)} className="number">
          {row[value] === 0 ? (
            <span className="muted">0</span>
          ) : (
            <Link
              href={addressOf(value)}
              className="count"
              aria-current={isChosen && search.get('verdict') === value ? 'true' : undefined}
              aria-label={t('precision.count', { name: t(`precision.${value}`), count: String(row[value]) })}
            >
              {row[value]}
            </Link>
          )}
        </td>
      ))}
    </tr>
  )
}

/** The share as a mark on its interval, and in figures. */
const Share = ({ row: { precision, low, high } }: { readonly row: PrecisionRow }) => {
  const { t, number } = useLanguage()
  if (precision === null || low === null || high === null)
    return <span className="muted">{t('precision.noneYet')}</span>
  const percent = (share: number): string => number(share * 100)
  return (
    <span className="share">
      <strong className="number">{percent(precision)} %</strong>
      <span className="share-bar" aria-hidden="true">
        <span className="share-range" style={{ left: `${low * 100}%`, width: `${(high - low) * 100}%` }} />
        <span className="share-mark" style={{ left: `${precision * 100}%` }} />
      </span>
      <span className="muted small number">{t('precision.interval', { low: percent(low), high: percent(high) })}</span>
    </span>
  )
}
