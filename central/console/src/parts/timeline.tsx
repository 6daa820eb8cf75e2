import { useMutation } from '@tanstack/react-query'
import type { Incident, TimelineEntry } from '@watchpost/shared/api/incidents'
import { type FormEvent, useRef } from 'react'
import { api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import type { Key } from '../i18n/vi.js'
import { useCityWords } from './use-city-words.js'

/** What happened to an incident, newest first, and a place to add a note. */
export const Timeline = ({
  incident,
  onChoose,
  onNote,
}: {
  readonly incident: Incident
  readonly onChoose: (eventId: string) => void
  readonly onNote: () => void
}) => {
  const { t, time, word } = useLanguage()
  const { wardName } = useCityWords()
  /** States, severities, verdicts and wards have names; everything else is shown as written. */
  const worded = (action: string, value: string): string =>
    action === 'assigned' ? wardName(value) : word(`${action}.${value}`, value)
  const changeOf = ({ action, from, to }: TimelineEntry): string =>
    [from, to]
      .filter(value => value !== null)
      .map(value => worded(action, value))
      .join(' → ')
  const form = useRef<HTMLFormElement>(null)
  const save = useMutation({
    mutationFn: (note: string) => api.note(incident.id, note),
    onSuccess: () => {
      form.current?.reset()
      onNote()
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const note = String(new FormData(event.currentTarget).get('note')).trim()
    if (note !== '') save.mutate(note)
  }
  return (
    <section className="card padded">
      <h2>{t('incident.timeline')}</h2>
      <form ref={form} className="row note" onSubmit={submit}>
        <input name="note" aria-label={t('incident.note')} placeholder={t('incident.note')} maxLength={2000} />
        <button type="submit" disabled={save.isPending}>
          {t('incident.noteSave')}
        </button>
      </form>
      {save.isError && (
        <p className="notice critical" role="alert">
          {save.error.message}
        </p>
      )}
      <ol className="timeline">
        {[...incident.timeline].reverse().map(entry => (
          <li key={entry.hash}>
            <time className="number small muted" dateTime={entry.at}>
              {time(entry.at)}
            </time>
            <span>
              <strong>{t(`action.${entry.action}` as Key)}</strong> {changeOf(entry)}
              {entry.note && <span className="timeline-note">{entry.note}</span>}
              <span className="muted small"> {entry.by === 'system' ? t('by.system') : entry.by}</span>
              {entry.eventId && (
                <button type="button" className="quiet small" onClick={() => onChoose(entry.eventId ?? '')}>
                  {t('incident.evidence')}
                </button>
              )}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
