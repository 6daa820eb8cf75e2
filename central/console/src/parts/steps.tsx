import type { Incident, IncidentState } from '@watchpost/shared/api/incidents'
import { type FormEvent, type KeyboardEvent, useId, useState } from 'react'
import { useLanguage } from '../i18n/language.js'
import type { Key } from '../i18n/vi.js'
import { useCityWords } from './use-city-words.js'

export interface Step {
  readonly to: IncidentState
  readonly assignee?: string
}

/** What may be done next. Handing over asks to whom first: central refuses an assignment to nobody. */
export const Steps = ({
  incident,
  busy,
  onStep,
}: {
  readonly incident: Incident
  readonly busy: boolean
  readonly onStep: (step: Step) => void
}) => {
  const { t } = useLanguage()
  const [asking, setAsking] = useState(false)
  const choose = (to: IncidentState): void => {
    setAsking(to === 'assigned' && !asking)
    if (to !== 'assigned') onStep({ to })
  }
  const assign = (assignee: string): void => {
    setAsking(false)
    onStep({ to: 'assigned', assignee })
  }
  return (
    <>
      <fieldset className="row" aria-label={t('incident.next')}>
        {incident.allowedStates.map((to, index) => (
          <button
            key={to}
            type="button"
            className={index === 0 ? 'primary' : ''}
            disabled={busy}
            aria-expanded={to === 'assigned' ? asking : undefined}
            onClick={() => choose(to)}
          >
            {t(`do.${to}` as Key)}
            {to === 'acknowledged' && <kbd>a</kbd>}
          </button>
        ))}
      </fieldset>
      {asking && <AssignForm onAssign={assign} onCancel={() => setAsking(false)} />}
    </>
  )
}

const AssignForm = ({
  onAssign,
  onCancel,
}: {
  readonly onAssign: (assignee: string) => void
  readonly onCancel: () => void
}) => {
  const { t } = useLanguage()
  const { wardNames } = useCityWords()
  const suggestions = useId()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const assignee = String(new FormData(event.currentTarget).get('assignee')).trim()
    if (assignee !== '') onAssign(assignee)
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onCancel()
  }
  return (
    <form className="card padded row assign" onSubmit={submit} onKeyDown={onKey}>
      <label>
        {t('assign.to')}
        {/* Asked for by the button just pressed, so the focus belongs here. */}
        <input name="assignee" required maxLength={120} list={suggestions} autoComplete="off" ref={focusOnShow} />
      </label>
      <datalist id={suggestions}>
        {wardNames.map(ward => (
          <option key={ward} value={ward} />
        ))}
      </datalist>
      <button type="submit" className="primary">
        {t('do.assigned')}
      </button>
      <button type="button" onClick={onCancel}>
        {t('assign.cancel')}
      </button>
    </form>
  )
}

const focusOnShow = (input: HTMLInputElement | null): void => input?.focus()
