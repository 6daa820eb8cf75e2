import { useState } from 'react'
import { useLanguage } from '../i18n/language.js'

/** A change of what watches the city is asked twice, without a dialogue that hides what it is about. */
export const Confirmed = ({
  label,
  question,
  onYes,
}: {
  readonly label: string
  readonly question: string
  readonly onYes: () => void
}) => {
  const { t } = useLanguage()
  const [isAsking, setAsking] = useState(false)
  if (!isAsking)
    return (
      <button type="button" onClick={() => setAsking(true)}>
        {label}
      </button>
    )
  return (
    <fieldset className="row notice" aria-label={label}>
      <span className="small">{question}</span>
      <button
        type="button"
        className="primary"
        ref={button => button?.focus()}
        onClick={() => {
          setAsking(false)
          onYes()
        }}
      >
        {t('models.confirm')}
      </button>
      <button type="button" onClick={() => setAsking(false)}>
        {t('models.cancel')}
      </button>
    </fieldset>
  )
}
