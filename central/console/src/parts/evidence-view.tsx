import type { Incident, IncidentEvent } from '@watchpost/shared/api/incidents'
import { useState } from 'react'
import { evidenceUrl } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { Picture } from './picture.js'

interface Shot {
  readonly event: IncidentEvent
  readonly picture: IncidentEvent['evidence'][number]
}

const shotsOf = (event: IncidentEvent): readonly Shot[] =>
  event.evidence.filter(({ mediaType }) => mediaType === 'image/jpeg').map(picture => ({ event, picture }))

/**
 * Every picture of the event's happening, oldest first: what came after the moment arrives with a later event of the
 * same happening, and a reviewer wants before, at and after side by side.
 */
const shotsOfHappening = (events: readonly IncidentEvent[], of: IncidentEvent): readonly Shot[] => {
  const shots = events.filter(({ happeningId }) => happeningId === of.happeningId).flatMap(shotsOf)
  const once = new Map(shots.map(shot => [shot.picture.sha256, shot]))
  return [...once.values()].sort((a, b) => a.picture.takenAt.localeCompare(b.picture.takenAt))
}

const isMoment = ({ picture: { role } }: Shot): boolean => role === 'at' || role === 'snapshot'

/** The event's picture, large, with its box; below it the other pictures of the happening. */
export const EvidenceView = ({ incident, event }: { readonly incident: Incident; readonly event: IncidentEvent }) => {
  const { t, time, word } = useLanguage()
  const [chosen, setChosen] = useState<string | null>(null)
  const shots = shotsOfHappening(incident.events, event)
  const own = shots.filter(shot => shot.event.eventId === event.eventId)
  const shown = shots.find(({ picture }) => picture.sha256 === chosen) ?? own.find(isMoment) ?? own[0] ?? shots[0]
  if (shown === undefined) return <p className="muted">{t('incident.noEvidence')}</p>
  const { picture } = shown
  const label = shown.event.label
  return (
    <figure className="evidence stack">
      {picture.stored ? (
        <Picture
          sha256={picture.sha256}
          alt={`${t(`kind.${event.kind}`)}, ${t(`role.${picture.role}`)}`}
          box={isMoment(shown) ? shown.event.box : null}
          label={label && word(`object.${label}`, label)}
        />
      ) : (
        <p className="notice">{t('incident.pending')}</p>
      )}
      <figcaption className="row spread small muted">
        <span>
          {t(`role.${picture.role}`)} · <time dateTime={picture.takenAt}>{time(picture.takenAt, 'full')}</time>
        </span>
        {picture.stored && (
          <a href={evidenceUrl(picture.sha256)} target="_blank" rel="noreferrer">
            {t('incident.enlarge')}
          </a>
        )}
      </figcaption>
      {shots.length > 1 && (
        <fieldset className="strip" aria-label={t('incident.pictures')}>
          {shots.map(shot => (
            <button
              key={shot.picture.sha256}
              type="button"
              aria-pressed={shot === shown}
              onClick={() => setChosen(shot.picture.sha256)}
            >
              {shot.picture.stored && <img src={evidenceUrl(shot.picture.sha256)} alt="" loading="lazy" />}
              <span>
                {t(`role.${shot.picture.role}`)} · <span className="number">{time(shot.picture.takenAt)}</span>
              </span>
            </button>
          ))}
        </fieldset>
      )}
    </figure>
  )
}
