import type { CommittedRecord, LogConsumer } from '../ingest/committed-record.js'
import type { SeriesPoint, TimeSeriesStore } from './time-series-store.js'

/** Feeds observations of the committed log to a store. Rejects while the store is away: the log is the queue in front of it. */
export const createTimeSeriesConsumer =
  (store: Pick<TimeSeriesStore, 'write'>): LogConsumer =>
  async records => {
    const points = records.flatMap(pointOf)
    if (points.length > 0) await store.write(points)
  }

const pointOf = ({ siteId, cameraId, envelope }: CommittedRecord): SeriesPoint[] => {
  if (envelope.type !== 'observation.v1') return []
  const { analytic, property, value, unit, quality, phenomenonTime } = envelope.data
  return [{ siteId, cameraId, analytic, property, at: Date.parse(phenomenonTime), value, unit, quality }]
}
