import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Incident, IncidentEvent, IncidentState, VerdictValue } from '@watchpost/shared/api/incidents'
import { verdictValues } from '@watchpost/shared/api/verdict-values'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { ApiError, api, evidenceUrl } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import type { Key } from '../i18n/vi.js'
import { SeverityBadge, StateBadge } from '../parts/badges.js'
import { Loaded } from '../parts/loading.js'
import { Picture } from '../parts/picture.js'
import { Timeline } from '../parts/timeline.js'
import { useLevelName } from '../parts/use-level-name.js'

const verdictKeys: Readonly<Record<string, VerdictValue>> = { t: 'true', f: 'false', d: 'duplicate', u: 'unsure' }

export const IncidentDetail = ({ id }: { readonly id: string }) => {
  const query = useQuery({ queryKey: ['incident', id], queryFn: () => api.incident(id), refetchInterval: 15_000 })
  return <Loaded query={query}>{incident => <Opened incident={incident} />}</Loaded>
}

/** The event whose evidence is shown first: the most severe, then the newest, among those with pictures. */
const leading = (events: readonly IncidentEvent[]): IncidentEvent | undefined =>
  events.filter(event => event.evidence.length > 0).at(-1) ?? events.at(-1)

const Opened = ({ incident }: { readonly incident: Incident }) => {
  const { t, name, time } = useLanguage()
  const levelName = useLevelName()
  const cache = useQueryClient()
  const [chosen, setChosen] = useState<string | null>(null)
  const event = incident.events.find(({ eventId }) => eventId === chosen) ?? leading(incident.events)
  const refresh = (): void => {
    for (const key of ['incident', 'incidents']) void cache.invalidateQueries({ queryKey: [key] })
  }
  const move = useMutation({
    mutationFn: (to: IncidentState) => api.transition(incident, { to }),
    onSettled: refresh,
  })
  const judge = useMutation({
    mutationFn: (value: VerdictValue) => api.verdict(event?.eventId ?? '', { value }),
    onSettled: refresh,
  })

  const { mutate: moveTo } = move
  const { mutate: judgeAs } = judge
  const mayAcknowledge = incident.allowedStates.includes('acknowledged')
  useEffect(() => {
    const onKey = (key: KeyboardEvent): void => {
      const typing = key.target instanceof HTMLElement && ['INPUT', 'TEXTAREA', 'SELECT'].includes(key.target.tagName)
      if (typing || key.ctrlKey || key.metaKey || key.altKey) return
      const verdict = verdictKeys[key.key]
      if (verdict !== undefined) judgeAs(verdict)
      if (key.key === 'a' && mayAcknowledge) moveTo('acknowledged')
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [judgeAs, moveTo, mayAcknowledge])

  const conflict = move.error instanceof ApiError && move.error.status === 412
  return (
    <article className="incident stack">
      <Link href="/incidents" className="button back">
        ← {t('incident.back')}
      </Link>
      <header className="stack">
        <div className="row">
          <SeverityBadge severity={incident.severity} />
          <StateBadge state={incident.state} />
          <span className="muted number">#{incident.number}</span>
        </div>
        <h1>
          {t(`kind.${incident.kind}`)} · {name(incident.cameraName)}
        </h1>
        <p className="muted">
          {t('incident.opened')} <time dateTime={incident.openedAt}>{time(incident.openedAt, 'full')}</time>
          {incident.level && ` · ${levelName(incident.level)}`}
        </p>
      </header>
      {incident.resolutionProposed && <p className="notice">{t('incident.proposed')}</p>}
      {conflict && (
        <p className="notice critical" role="alert">
          {t('incident.conflict')}
        </p>
      )}
      {move.isError && !conflict && (
        <p className="notice critical" role="alert">
          {move.error.message}
        </p>
      )}
      <fieldset className="row" aria-label={t('incident.next')}>
        {incident.allowedStates.map((to, index) => (
          <button
            key={to}
            type="button"
            className={index === 0 ? 'primary' : ''}
            disabled={move.isPending}
            onClick={() => moveTo(to)}
          >
            {t(`do.${to}` as Key)}
            {to === 'acknowledged' && <kbd>a</kbd>}
          </button>
        ))}
      </fieldset>
      {event && <EvidenceView event={event} />}
      {event && (
        <fieldset className="row verdicts" aria-label={t('incident.verdict')}>
          <span className="muted small">{t('incident.verdict')}</span>
          {verdictValues.map(value => (
            <button
              key={value}
              type="button"
              aria-pressed={event.verdict?.value === value}
              disabled={judge.isPending}
              onClick={() => judgeAs(value)}
            >
              {t(`verdict.${value}`)} <kbd>{Object.keys(verdictKeys).find(key => verdictKeys[key] === value)}</kbd>
            </button>
          ))}
          {event.verdict && (
            <span className="small muted">
              {t('incident.verdictGiven', { by: event.verdict.by, value: t(`verdict.${event.verdict.value}`) })}
            </span>
          )}
        </fieldset>
      )}
      <div className="incident-columns">
        {event && <Facts incident={incident} event={event} />}
        <Timeline incident={incident} onChoose={setChosen} onNote={refresh} />
      </div>
    </article>
  )
}

const EvidenceView = ({ event }: { readonly event: IncidentEvent }) => {
  const { t, time } = useLanguage()
  const [chosen, setChosen] = useState<string | null>(null)
  const pictures = event.evidence.filter(({ mediaType }) => mediaType === 'image/jpeg')
  const shown =
    pictures.find(({ sha256 }) => sha256 === chosen) ?? pictures.find(({ role }) => role === 'at') ?? pictures[0]
  if (shown === undefined) return <p className="muted">{t('incident.noEvidence')}</p>
  return (
    <figure className="evidence stack">
      {shown.stored ? (
        <Picture
          sha256={shown.sha256}
          alt={`${t(`kind.${event.kind}`)}, ${t(`role.${shown.role}`)}`}
          box={shown.role === 'at' || shown.role === 'snapshot' ? event.box : null}
          label={event.label}
        />
      ) : (
        <p className="notice">{t('incident.pending')}</p>
      )}
      <figcaption className="row spread small muted">
        <span>
          {t(`role.${shown.role}`)} · <time dateTime={shown.takenAt}>{time(shown.takenAt, 'full')}</time>
        </span>
        <a href={evidenceUrl(shown.sha256)} target="_blank" rel="noreferrer">
          {t('incident.enlarge')}
        </a>
      </figcaption>
      {pictures.length > 1 && (
        <div className="strip">
          {pictures.map(picture => (
            <button
              key={picture.sha256}
              type="button"
              aria-pressed={picture === shown}
              onClick={() => setChosen(picture.sha256)}
            >
              {picture.stored && <img src={evidenceUrl(picture.sha256)} alt="" loading="lazy" />}
              {t(`role.${picture.role}`)}
            </button>
          ))}
        </div>
      )}
    </figure>
  )
}

const Facts = ({ incident, event }: { readonly incident: Incident; readonly event: IncidentEvent }) => {
  const { t, name } = useLanguage()
  const levelName = useLevelName()
  const facts: readonly (readonly [Key, string | null])[] = [
    ['incident.value', event.measure && `${event.measure.value.toFixed(1)} ${event.measure.unit}`],
    ['incident.level', event.level && levelName(event.level)],
    ['incident.zone', event.zone],
    ['incident.camera', `${name(incident.cameraName)} (${incident.cameraId})`],
    ['incident.ward', incident.wardId],
    ['incident.confidence', `${Math.round(event.confidence * 100)} %`],
    ['incident.model', event.model && `${event.model.id} ${event.model.version}`],
    ['incident.hash', event.evidence[0]?.sha256 ?? null],
  ]
  return (
    <section className="card padded">
      <h2>{t('incident.facts')}</h2>
      <dl className="facts">
        {facts.map(
          ([key, value]) =>
            value && (
              <div key={key}>
                <dt>{t(key)}</dt>
                <dd className={key === 'incident.hash' ? 'hash' : ''}>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  )
}
