import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useLanguage } from '../i18n/language.js'

/** Shows what a query holds, or that it is loading, or what went wrong and a way to try again. */
export const Loaded = <T,>({
  query,
  children,
}: {
  readonly query: UseQueryResult<T>
  readonly children: (data: T) => ReactNode
}) => {
  const { t } = useLanguage()
  if (query.data !== undefined) return children(query.data)
  if (query.isError)
    return (
      <div className="notice critical stack" role="alert">
        <p>
          {t('app.error')} <span className="small">{query.error.message}</span>
        </p>
        <button type="button" onClick={() => void query.refetch()}>
          {t('app.retry')}
        </button>
      </div>
    )
  return (
    <p className="muted" role="status">
      {t('app.loading')}
    </p>
  )
}
