import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Incident, IncidentEvent, VerdictValue } from '@watchpost/shared/api/incidents'
import { verdictValues } from '@watchpost/shared/api/verdict-values'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { ApiError, api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { SeverityBadge, StateBadge } from '../parts/badges.js'
import { type BoxDraft, EvidenceView } from '../parts/evidence-view.js'
import { Facts } from '../parts/facts.js'
import { isTyping } from '../parts/is-typing.js'
import { Loaded } from '../parts/loading.js'
import { type Step, Steps } from '../parts/steps.js'
import { Timeline } from '../parts/timeline.js'
import { useCityWords } from '../parts/use-city-words.js'

const verdictKeys: Readonly<Record<string, VerdictValue>> = { t: 'true', f: 'false', d: 'duplicate', u: 'unsure' }

export const IncidentDetail = ({ id }: { readonly id: string }) => {
  const query = useQuery({ queryKey: ['incident', id], queryFn: () => api.incident(id), refetchInterval: 15_000 })
  return <Loaded query={query}>{incident => <Opened incident={incident} />}</Loaded>
}

const gravity = ['info', 'minor', 'major', 'critical']

/** The event shown first: the gravest that has a picture of its moment, then the newest. Events come newest first. */
const leading = (events: readonly IncidentEvent[]): IncidentEvent | undefined => {
  const pictured = events.filter(({ evidence }) => evidence.length > 0)
  const ofMoment = pictured.filter(
    ({ phase, evidence }) => phase !== 'ended' && evidence.some(({ role }) => role === 'at' || role === 'snapshot'),
  )
  const [gravest] = [...ofMoment].sort((a, b) => gravity.indexOf(b.severity) - gravity.indexOf(a.severity))
  return gravest ?? pictured[0] ?? events[0]
}

const Opened = ({ incident }: { readonly incident: Incident }) => {
  const { t, name, time } = useLanguage()
  const { levelName } = useCityWords()
  const cache = useQueryClient()
  const [chosen, setChosen] = useState<string | null>(null)
  const [draft, setDraft] = useState<BoxDraft | null>(null)
  const event = incident.events.find(({ eventId }) => eventId === chosen) ?? leading(incident.events)
  const refresh = (): void => {
    for (const key of ['incident', 'incidents']) void cache.invalidateQueries({ queryKey: [key] })
  }
  const move = useMutation({
    mutationFn: (step: Step) => api.transition(incident, step),
    onSettled: refresh,
  })
  const judge = useMutation({
    mutationFn: (value: VerdictValue) =>
      api.verdict(event?.eventId ?? '', { value, ...(draft && { boxes: [...draft.boxes], picture: draft.sha256 }) }),
    // What was drawn is kept until central has it.
    onSuccess: () => setDraft(null),
    onSettled: refresh,
  })

  const { mutate: takeStep } = move
  const { mutate: judgeAs, isPending: isJudging } = judge
  const mayAcknowledge = incident.allowedStates.includes('acknowledged')
  useEffect(() => {
    const onKey = (key: KeyboardEvent): void => {
      if (key.repeat || isTyping(key.target) || key.ctrlKey || key.metaKey || key.altKey) return
      const verdict = verdictKeys[key.key]
      if (verdict !== undefined && !isJudging) judgeAs(verdict)
      if (key.key === 'a' && mayAcknowledge) takeStep({ to: 'acknowledged' })
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [judgeAs, isJudging, takeStep, mayAcknowledge])

  const choose = (eventId: string): void => {
    setDraft(null)
    setChosen(eventId)
  }
  /** The event stays the one that is drawn on, whatever graver one comes in meanwhile. */
  const draw = (next: BoxDraft | null): void => {
    setDraft(next)
    if (event) setChosen(event.eventId)
  }
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
          {t('incident.refused')} <span className="small">{move.error.message}</span>
        </p>
      )}
      <Steps incident={incident} busy={move.isPending} onStep={step => takeStep(step)} />
      {event && (
        <EvidenceView
          key={event.eventId}
          incident={incident}
          event={event}
          draft={draft}
          onDraft={draw}
          onChoose={choose}
        />
      )}
      {event && draft && (
        <div className="row draft">
          {event.verdict && (
            <button
              type="button"
              className="primary"
              disabled={isJudging}
              onClick={() => judgeAs(event.verdict!.value)}
            >
              {t('boxes.save')}
            </button>
          )}
          <button type="button" onClick={() => setDraft(null)}>
            {t('boxes.cancel')}
          </button>
          {!event.verdict && <span className="small muted">{t('boxes.withVerdict')}</span>}
        </div>
      )}
      {event && (
        <fieldset className="row verdicts" aria-label={t('incident.verdict')}>
          <span className="muted small">{t('incident.verdict')}</span>
          {verdictValues.map(value => (
            <button
              key={value}
              type="button"
              aria-pressed={event.verdict?.value === value}
              disabled={isJudging}
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
      {judge.isError && (
        <p className="notice critical" role="alert">
          {t('incident.refused')} <span className="small">{judge.error.message}</span>
        </p>
      )}
      <div className="incident-columns">
        {event && <Facts incident={incident} event={event} />}
        <Timeline incident={incident} onChoose={choose} onNote={refresh} />
      </div>
    </article>
  )
}
