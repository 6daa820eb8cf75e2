import type { HotspotFeature } from '@watchpost/shared/api/public'
import { useLanguage } from '../i18n/language.js'
import { useNow } from '../parts/use-now.js'
import { useHotspots } from './use-hotspots.js'

const severityOrder = ['critical', 'major', 'minor', 'info']
const rank = ({ properties }: HotspotFeature): number =>
  properties.levelCm === null ? 4 : properties.severity === null ? 5 : severityOrder.indexOf(properties.severity)

/** What a citizen asks: can I pass here now, and how old is the answer? */
export const CitizenPage = () => {
  const { t, toggle } = useLanguage()
  const { collection, reachable } = useHotspots()
  const features = [...(collection?.features ?? [])].sort((a, b) => rank(a) - rank(b))
  return (
    <div className="citizen">
      <header className="row spread">
        <span className="mark">
          <img src="/mark.svg" alt="" width="28" height="28" />
          <span>Watchpost</span>
        </span>
        <button type="button" className="quiet" onClick={toggle}>
          {t('app.language')}
        </button>
      </header>
      <main className="stack">
        <h1>{t('citizen.title')}</h1>
        <p className="muted">{t('citizen.lead')}</p>
        {!reachable && (
          <p className="notice critical" role="alert">
            {t('citizen.unreachable')}
          </p>
        )}
        {collection === null && reachable && <p role="status">{t('app.loading')}</p>}
        <ul className="hotspots">
          {features.map(feature => (
            <Hotspot key={feature.id} feature={feature} />
          ))}
        </ul>
        <p className="small muted">{t('citizen.warning')}</p>
      </main>
    </div>
  )
}

const Hotspot = ({ feature: { properties: place } }: { readonly feature: HotspotFeature }) => {
  const { t, name, time, ago } = useLanguage()
  const now = useNow(5000)
  // A reading that has outlived its validity is never shown as current, even if no newer answer came.
  const expired = place.validUntil !== null && Date.parse(place.validUntil) < now
  const status = expired && place.status === 'current' ? 'stale' : place.status
  const known = place.levelCm !== null && status === 'current'
  const tone = !known ? 'unknown' : (place.severity ?? 'good')
  return (
    <li className={`card hotspot ${tone}`}>
      <div className="padded stack">
        <div className="row spread">
          <h2>{name(place.name)}</h2>
          <span className={`badge ${status === 'current' ? 'good' : 'plain'}`}>{t(`citizen.status.${status}`)}</span>
        </div>
        {known ? (
          <p className="reading">
            <strong className="number">{Math.round(place.levelCm ?? 0)} cm</strong>
            <span>
              {place.alarmLevel ? name(place.alarmLevel) : t((place.levelCm ?? 0) < 1 ? 'citizen.dry' : 'citizen.wet')}
            </span>
          </p>
        ) : (
          <p className="reading">
            <strong>{t('citizen.unknown')}</strong>
            <span>{t('citizen.unknownHint')}</span>
          </p>
        )}
        <p className="row small muted">
          {known && place.trend && <span>{t(`citizen.trend.${place.trend}`)}</span>}
          {place.observedAt && (
            <time dateTime={place.observedAt}>
              {t('citizen.measured', { time: time(place.observedAt) })} ({ago(place.observedAt, now)})
            </time>
          )}
        </p>
      </div>
      {place.snapshot && (
        <figure>
          <img
            src={place.snapshot.href}
            alt={name(place.name)}
            width={place.snapshot.width}
            height={place.snapshot.height}
          />
          <figcaption className="small muted">
            {t('citizen.picture')} · <time dateTime={place.snapshot.takenAt}>{time(place.snapshot.takenAt)}</time>
          </figcaption>
        </figure>
      )}
    </li>
  )
}
