import { boxLabelsByKind } from '@watchpost/shared/api/box-labels'
import type { Incident, IncidentEvent, LabelledBox } from '@watchpost/shared/api/incidents'
import { useEffect, useRef, useState } from 'react'
import { evidenceUrl } from '../api/client.js'
import { BoxEditor } from '../boxes/box-editor.js'
import { useLanguage } from '../i18n/language.js'
import { isTyping } from './is-typing.js'
import { Picture } from './picture.js'

export interface BoxDraft {
  readonly sha256: string
  readonly boxes: readonly LabelledBox[]
}

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

export interface EvidenceProps {
  readonly incident: Incident
  readonly event: IncidentEvent
  /** Boxes being corrected on one of the event's pictures. */
  readonly draft: BoxDraft | null
  readonly onDraft: (draft: BoxDraft | null) => void
  /** Another event of the happening is to be looked at. */
  readonly onChoose: (eventId: string) => void
}

/** The event's picture, large, with its boxes, to be corrected if need be; below it the other pictures of the happening. */
export const EvidenceView = ({ incident, event, draft, onDraft, onChoose }: EvidenceProps) => {
  const { t, time, word } = useLanguage()
  const [chosen, setChosen] = useState<string | null>(null)
  const shots = shotsOfHappening(incident.events, event)
  const own = shots.filter(shot => shot.event.eventId === event.eventId)
  const shown =
    shots.find(({ picture }) => picture.sha256 === (draft?.sha256 ?? chosen)) ??
    own.find(isMoment) ??
    own[0] ??
    shots[0]
  if (shown === undefined) return <p className="muted">{t('incident.noEvidence')}</p>
  const { picture } = shown
  const alt = `${t(`kind.${event.kind}`)}, ${t(`role.${picture.role}`)}`
  const isOwn = shown.event.eventId === event.eventId
  const boxes = boxesOn(shown)
  return (
    <figure className="evidence stack">
      {!picture.stored && <p className="notice">{t('incident.pending')}</p>}
      {picture.stored && draft && (
        <BoxEditor
          key={draft.sha256}
          sha256={picture.sha256}
          alt={alt}
          boxes={draft.boxes}
          offered={boxLabelsByKind[event.kind]}
          onChange={changed => onDraft({ ...draft, boxes: changed })}
          onLeave={() => onDraft(null)}
        />
      )}
      {picture.stored && !draft && (
        <Picture
          sha256={picture.sha256}
          alt={alt}
          boxes={boxes.map(({ box, label, isReviewed }) => ({ box, name: word(`object.${label}`, label), isReviewed }))}
        />
      )}
      <figcaption className="row spread small muted">
        <span>
          {t(`role.${picture.role}`)} · <time dateTime={picture.takenAt}>{time(picture.takenAt, 'full')}</time>
          <Corrected shot={shown} />
        </span>
        {picture.stored && (
          <a href={evidenceUrl(picture.sha256)} target="_blank" rel="noreferrer">
            {t('incident.enlarge')}
          </a>
        )}
      </figcaption>
      {picture.stored && !draft && isOwn && (
        <CorrectButton onPress={() => onDraft({ sha256: picture.sha256, boxes: boxes.map(toLabelledBox) })} />
      )}
      {!isOwn && (
        <p className="row small muted">
          {t('boxes.otherEvent')}
          <button type="button" className="quiet" onClick={() => onChoose(shown.event.eventId)}>
            {t('boxes.toOtherEvent')}
          </button>
        </p>
      )}
      {shots.length > 1 && (
        <fieldset className="strip" aria-label={t('incident.pictures')} disabled={draft !== null}>
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

interface ShownBox extends LabelledBox {
  readonly isReviewed: boolean
}

/** As a reviewer corrected them, else the event's own on the picture of its moment. */
const boxesOn = (shot: Shot): readonly ShownBox[] => {
  const { verdict, box, label, kind } = shot.event
  if (verdict?.pictureSha256 === shot.picture.sha256) return verdict.boxes.map(item => ({ ...item, isReviewed: true }))
  if (!box || !isMoment(shot)) return []
  return [{ box, label: label ?? boxLabelsByKind[kind][0] ?? kind, isReviewed: false }]
}

const toLabelledBox = ({ box, label }: ShownBox): LabelledBox => ({ box, label })

const Corrected = ({ shot: { event, picture } }: { readonly shot: Shot }) => {
  const { t } = useLanguage()
  if (event.verdict?.pictureSha256 !== picture.sha256) return null
  const { by, boxes } = event.verdict
  return <> · {t(boxes.length > 0 ? 'boxes.corrected' : 'boxes.correctedToNone', { by })}</>
}

const CorrectButton = ({ onPress }: { readonly onPress: () => void }) => {
  const { t } = useLanguage()
  const press = useRef(onPress)
  press.current = onPress
  useEffect(() => {
    const onKey = (key: KeyboardEvent): void => {
      if (key.key !== 'b' || isTyping(key.target) || key.ctrlKey || key.metaKey || key.altKey) return
      key.preventDefault()
      press.current()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  return (
    <div>
      <button type="button" onClick={onPress}>
        {t('boxes.correct')} <kbd>b</kbd>
      </button>
    </div>
  )
}
