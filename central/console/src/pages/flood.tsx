import { useQuery } from '@tanstack/react-query'
import type { CityView, SeriesView } from '@watchpost/shared/api/incidents'
import { useState } from 'react'
import { api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { LevelChart } from '../parts/level-chart.js'
import { Loaded } from '../parts/loading.js'
import { useNow } from '../parts/use-now.js'

const minuteMs = 60_000
/** Length of each range and of the windows it is averaged over. */
const ranges = {
  '15m': { lengthMs: 15 * minuteMs, windowMs: 5000 },
  '1h': { lengthMs: 60 * minuteMs, windowMs: 15_000 },
  '6h': { lengthMs: 360 * minuteMs, windowMs: minuteMs },
  '24h': { lengthMs: 1440 * minuteMs, windowMs: 5 * minuteMs },
} as const
type Range = keyof typeof ranges
type HotspotView = CityView['hotspots'][number]

export const FloodPage = () => {
  const { t } = useLanguage()
  const [range, setRange] = useState<Range>('15m')
  const city = useQuery({ queryKey: ['city'], queryFn: api.city, staleTime: Number.POSITIVE_INFINITY })
  return (
    <div className="page stack">
      <div className="row spread">
        <h1>{t('flood.title')}</h1>
        <fieldset className="row">
          {(Object.keys(ranges) as Range[]).map(name => (
            <button key={name} type="button" aria-pressed={name === range} onClick={() => setRange(name)}>
              {t(`range.${name}`)}
            </button>
          ))}
        </fieldset>
      </div>
      <Loaded query={city}>
        {({ hotspots }) =>
          hotspots.length === 0 ? (
            <p className="muted">{t('flood.empty')}</p>
          ) : (
            hotspots.map(hotspot => <HotspotChart key={hotspot.id} hotspot={hotspot} range={range} />)
          )
        }
      </Loaded>
    </div>
  )
}

const HotspotChart = ({ hotspot, range }: { readonly hotspot: HotspotView; readonly range: Range }) => {
  const { t, name, language } = useLanguage()
  const now = useNow(5000)
  const { lengthMs, windowMs } = ranges[range]
  const query = useQuery({
    queryKey: ['series', hotspot.cameraId, range],
    queryFn: () =>
      api.series({
        cameraId: hotspot.cameraId,
        property: 'floodLevel',
        from: new Date(Date.now() - lengthMs).toISOString(),
        to: new Date().toISOString(),
        windowMs,
      }),
    refetchInterval: 5000,
  })
  return (
    <section className="card padded stack">
      <Loaded query={query}>
        {series => (
          <>
            <div className="row spread">
              <h2>{name(hotspot.name)}</h2>
              <Latest series={series} />
            </div>
            {series.values.length === 0 && <p className="muted">{t('flood.none')}</p>}
            <LevelChart
              values={series.values.map(({ at, value }) => ({ at: Date.parse(at) / 1000, value }))}
              levels={hotspot.levels.map(level => ({ ...level, name: name(level.name) }))}
              from={(now - lengthMs) / 1000}
              to={now / 1000}
              label={t('flood.chart')}
              locale={language === 'vi' ? 'vi-VN' : 'en-GB'}
            />
          </>
        )}
      </Loaded>
    </section>
  )
}

const Latest = ({ series }: { readonly series: SeriesView }) => {
  const { t, time } = useLanguage()
  const last = series.values.at(-1)
  if (last === undefined) return null
  return (
    <p className="row">
      <span className="muted small">
        {t('flood.now')} <time dateTime={last.at}>{time(last.at)}</time>
      </span>
      <strong className="level number">
        {last.value === null ? t('flood.suspended') : `${last.value.toFixed(0)} cm`}
      </strong>
    </p>
  )
}
