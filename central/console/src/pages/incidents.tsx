import { useInfiniteQuery } from '@tanstack/react-query'
import type { IncidentSummary } from '@watchpost/shared/api/incidents'
import { eventKinds } from '@watchpost/shared/contracts/event-kinds'
import { useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import { api, evidenceUrl } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { SeverityBadge, StateBadge } from '../parts/badges.js'
import { isTyping } from '../parts/is-typing.js'
import { useNow } from '../parts/use-now.js'
import { IncidentDetail } from './incident.js'

export const IncidentsPage = ({ selected }: { readonly selected: string | undefined }) => {
  const { t } = useLanguage()
  const [, go] = useLocation()
  const [open, setOpen] = useState(true)
  const [kind, setKind] = useState('')
  const pages = useInfiniteQuery({
    queryKey: ['incidents', open, kind],
    queryFn: ({ pageParam }) => api.incidents({ open, kind, cursor: pageParam }),
    initialPageParam: '',
    getNextPageParam: page => page.nextCursor ?? undefined,
    // The stream tells of changes; this is for the time it is down.
    refetchInterval: 15_000,
  })
  const incidents = pages.data?.pages.flatMap(page => page.items) ?? []

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return
      const step =
        event.key === 'j' || event.key === 'ArrowDown' ? 1 : event.key === 'k' || event.key === 'ArrowUp' ? -1 : 0
      if (step === 0 || incidents.length === 0) return
      event.preventDefault()
      const at = incidents.findIndex(({ id }) => id === selected)
      const next = incidents[Math.min(incidents.length - 1, Math.max(0, at + step))]
      if (next === undefined) return
      go(`/incidents/${next.id}`)
      document.getElementById(`incident-${next.id}`)?.scrollIntoView({ block: 'nearest' })
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [incidents, selected, go])

  return (
    <div className={`queue-page ${selected ? 'has-selection' : ''}`}>
      <section className="queue" aria-label={t('queue.title')}>
        <div className="queue-head">
          <h1 className="visually-hidden">{t('queue.title')}</h1>
          <div className="row">
            <button type="button" aria-pressed={open} onClick={() => setOpen(true)}>
              {t('queue.open')}
            </button>
            <button type="button" aria-pressed={!open} onClick={() => setOpen(false)}>
              {t('queue.all')}
            </button>
            <select value={kind} onChange={event => setKind(event.target.value)} aria-label={t('queue.allKinds')}>
              <option value="">{t('queue.allKinds')}</option>
              {eventKinds
                .filter(name => name !== 'data-loss')
                .map(name => (
                  <option key={name} value={name}>
                    {t(`kind.${name}`)}
                  </option>
                ))}
            </select>
          </div>
        </div>
        {pages.isError && incidents.length === 0 && <p className="notice critical">{t('app.error')}</p>}
        {pages.isSuccess && incidents.length === 0 && <p className="empty muted">{t('queue.empty')}</p>}
        <ol className="queue-list">
          {incidents.map(incident => (
            <QueueItem key={incident.id} incident={incident} selected={incident.id === selected} />
          ))}
        </ol>
        {pages.hasNextPage && (
          <button type="button" className="quiet" onClick={() => void pages.fetchNextPage()}>
            {t('queue.more')}
          </button>
        )}
        <Keys />
      </section>
      <section className="queue-detail" aria-live="polite">
        {selected ? (
          <IncidentDetail key={selected} id={selected} />
        ) : (
          <p className="empty muted">{t('queue.choose')}</p>
        )}
      </section>
    </div>
  )
}

const QueueItem = ({ incident, selected }: { readonly incident: IncidentSummary; readonly selected: boolean }) => {
  const { t, name, ago } = useLanguage()
  const [, go] = useLocation()
  const now = useNow(5000)
  return (
    <li id={`incident-${incident.id}`} className="arrives">
      <button
        type="button"
        className={`queue-item ${incident.severity}`}
        aria-current={selected ? 'true' : undefined}
        onClick={() => go(`/incidents/${incident.id}`)}
      >
        {incident.thumbnailSha256 ? (
          <img src={evidenceUrl(incident.thumbnailSha256)} alt="" loading="lazy" />
        ) : (
          <span className="no-picture" aria-hidden="true" />
        )}
        <span className="queue-item-text">
          <span className="queue-item-title">
            <strong>{t(`kind.${incident.kind}`)}</strong>
            {incident.measure?.unit === 'cm' && (
              <span className="number">
                {Math.round(incident.measure.value)} {incident.measure.unit}
              </span>
            )}
          </span>
          <span className="muted small">{name(incident.cameraName)}</span>
          <span className="row">
            <SeverityBadge severity={incident.severity} />
            <StateBadge state={incident.state} />
            <span className="muted small number">
              #{incident.number} · {ago(incident.openedAt, now)}
            </span>
          </span>
        </span>
      </button>
    </li>
  )
}

const Keys = () => {
  const { t } = useLanguage()
  const keys = [
    ['j', 'keys.next'],
    ['k', 'keys.previous'],
    ['a', 'keys.acknowledge'],
    ['t', 'keys.true'],
    ['f', 'keys.false'],
    ['d', 'keys.duplicate'],
    ['u', 'keys.unsure'],
    ['b', 'keys.boxes'],
  ] as const
  return (
    <p className="keys small muted">
      {keys.map(([key, meaning]) => (
        <span key={key}>
          <kbd>{key}</kbd> {t(meaning)}
        </span>
      ))}
    </p>
  )
}
