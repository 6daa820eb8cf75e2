import type { IncidentState } from '@watchpost/shared/api/incidents'
import type { Severity } from '@watchpost/shared/contracts/primitives'
import { useLanguage } from '../i18n/language.js'
import type { Key } from '../i18n/vi.js'

export const SeverityBadge = ({ severity }: { readonly severity: Severity }) => {
  const { t } = useLanguage()
  return <span className={`badge ${severity}`}>{t(`severity.${severity}`)}</span>
}

const strong: readonly IncidentState[] = ['new', 'reopened']

export const StateBadge = ({ state }: { readonly state: IncidentState }) => {
  const { t } = useLanguage()
  return <span className={`badge ${strong.includes(state) ? '' : 'plain'}`}>{t(`state.${state}` as Key)}</span>
}

export const ConditionBadge = ({ condition }: { readonly condition: string }) => {
  const { t } = useLanguage()
  const tone = condition === 'ok' ? 'good' : condition === 'starting' || condition === 'unknown' ? 'plain' : 'major'
  return <span className={`badge ${tone}`}>{t(`condition.${condition}` as Key)}</span>
}
