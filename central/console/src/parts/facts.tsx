import type { Incident, IncidentEvent } from '@watchpost/shared/api/incidents'
import { useLanguage } from '../i18n/language.js'
import { useCityWords } from './use-city-words.js'

/** What is known of one event, as a list of names and values; what is not known is left out. */
export const Facts = ({ incident, event }: { readonly incident: Incident; readonly event: IncidentEvent }) => {
  const { t, name, word, measure } = useLanguage()
  const { levelName, wardName } = useCityWords()
  const { measure: measured, model, level } = event
  const facts: readonly (readonly [string, string | null])[] = [
    [word(`measure.${measured?.property}`, t('incident.value')), measured && measure(measured)],
    [t('incident.level'), level && levelName(level)],
    [t('incident.zone'), event.zone],
    [t('incident.camera'), `${name(incident.cameraName)} (${incident.cameraId})`],
    [t('incident.ward'), incident.wardId && wardName(incident.wardId)],
    [t('incident.assignee'), incident.assignee && wardName(incident.assignee)],
    [t('incident.confidence'), `${Math.round(event.confidence * 100)} %`],
    [t('incident.model'), model && `${model.id} ${model.version}`],
    [t('incident.hash'), event.evidence[0]?.sha256 ?? null],
  ]
  return (
    <section className="card padded">
      <h2>{t('incident.facts')}</h2>
      <dl className="facts">
        {facts.map(
          ([title, value]) =>
            value && (
              <div key={title}>
                <dt>{title}</dt>
                <dd className={value.length === 64 ? 'hash' : ''}>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  )
}
