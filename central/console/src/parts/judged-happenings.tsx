import { useInfiniteQuery } from '@tanstack/react-query'
import type { Label } from '@watchpost/shared/api/labels'
import { useEffect, useRef } from 'react'
import { Link, useSearchParams } from 'wouter'
import { api, evidenceUrl } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'

const keys = ['camera', 'kind', 'model', 'modelVersion', 'verdict'] as const

/** What is behind the count that was chosen in the table; nothing while none is. */
export const JudgedHappenings = ({ cameraName }: { readonly cameraName: (cameraId: string) => string }) => {
  const { t } = useLanguage()
  const [search, setSearch] = useSearchParams()
  const query = Object.fromEntries(keys.map(key => [key, search.get(key) ?? '']).filter(([, value]) => value !== ''))
  const isChosen = query.camera !== undefined && query.verdict !== undefined
  const pages = useInfiniteQuery({
    queryKey: ['labels', query],
    enabled: isChosen,
    queryFn: ({ pageParam }) => api.labels({ ...query, limit: '24', ...(pageParam && { before: String(pageParam) }) }),
    initialPageParam: 0,
    getNextPageParam: page => page.next ?? undefined,
  })
  const heading = useRef<HTMLHeadingElement>(null)
  const cell = JSON.stringify(query)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another cell was chosen, so the eye is led there again.
  useEffect(() => {
    if (isChosen) heading.current?.focus()
  }, [isChosen, cell])
  if (!isChosen) return null
  const items = pages.data?.pages.flatMap(page => page.items) ?? []
  const close = (): void =>
    setSearch(before => new URLSearchParams([...before].filter(([key]) => key.startsWith('only'))), { replace: true })
  return (
    <section className="stack" id="judged" aria-labelledby="judged-title">
      <div className="row spread">
        <h2 id="judged-title" ref={heading} tabIndex={-1}>
          {t('precision.behind')} · {cameraName(query.camera ?? '')} · {query.model} {query.modelVersion}
        </h2>
        <button type="button" className="quiet" onClick={close}>
          {t('precision.close')}
        </button>
      </div>
      {pages.isError && <p className="notice critical">{t('app.error')}</p>}
      {pages.isPending && <p className="muted">{t('app.loading')}</p>}
      <ul className="wall">
        {items.map(label => (
          <Happening key={label.number} label={label} />
        ))}
      </ul>
      {pages.hasNextPage && (
        <button type="button" onClick={() => void pages.fetchNextPage()}>
          {t('precision.more')}
        </button>
      )}
    </section>
  )
}

const tones = { true: 'good', false: 'major', duplicate: 'plain', unsure: 'minor' } as const

const Happening = ({ label }: { readonly label: Label }) => {
  const { t, time } = useLanguage()
  const { verdict, incidentId, pictureSha256, phenomenonTime } = label
  return (
    <li className="card camera">
      {pictureSha256 ? (
        <img className="judged-picture" src={evidenceUrl(pictureSha256)} alt="" loading="lazy" />
      ) : (
        <div className="no-picture muted small">{t('incident.noEvidence')}</div>
      )}
      <div className="padded stack">
        <div className="row spread">
          <strong>{t(`kind.${label.kind}`)}</strong>
          <span className={`badge ${tones[verdict.value]}`}>{t(`verdict.${verdict.value}`)}</span>
        </div>
        <p className="small muted">
          <time dateTime={phenomenonTime}>{time(phenomenonTime, 'full')}</time> · {t('incident.confidence')}{' '}
          {Math.round(label.confidence * 100)} %
        </p>
        {verdict.note && <p className="small">{verdict.note}</p>}
        <p className="row spread small">
          <span className="muted">{t('precision.judgedBy', { by: verdict.by, time: time(verdict.at, 'full') })}</span>
          {incidentId ? (
            <Link href={`/incidents/${incidentId}`}>{t('precision.open')}</Link>
          ) : (
            <span className="muted">{t('precision.noIncident')}</span>
          )}
        </p>
      </div>
    </li>
  )
}
