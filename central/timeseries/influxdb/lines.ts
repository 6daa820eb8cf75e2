import { Point } from '@influxdata/influxdb-client'
import { qualities, type SeriesPoint } from '../time-series-store.js'

export const measurement = 'observation'

/**
 * Line protocol with millisecond times. The quality is a number, because some servers that speak this protocol drop
 * texts, and because the worst of a window is then its maximum. A reading without a value has a quality only.
 */
export const lineOf = ({ siteId, cameraId, analytic, property, at, value, unit, quality }: SeriesPoint): string => {
  const point = new Point(measurement)
    .tag('site_id', siteId)
    .tag('camera_id', cameraId)
    .tag('analytic', analytic)
    .tag('property', property)
    .stringField('unit', unit)
    .intField('quality', qualities.indexOf(quality))
    .timestamp(at)
  if (value !== null) point.floatField('value', value)
  return point.toLineProtocol()!
}
