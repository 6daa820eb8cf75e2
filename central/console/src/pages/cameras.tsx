import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { CameraView } from '@watchpost/shared/api/incidents'
import { api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { ConditionBadge } from '../parts/badges.js'
import { Loaded } from '../parts/loading.js'
import { Picture } from '../parts/picture.js'
import { useNow } from '../parts/use-now.js'

/** Cameras in trouble first: the wall is looked at to find them. */
const byNeed = (a: CameraView, b: CameraView): number =>
  Number(a.condition === 'ok') - Number(b.condition === 'ok') || a.id.localeCompare(b.id)

export const CamerasPage = () => {
  const { t } = useLanguage()
  const cameras = useQuery({ queryKey: ['cameras'], queryFn: api.cameras, refetchInterval: 10_000 })
  return (
    <div className="page stack">
      <h1>{t('cameras.title')}</h1>
      <Loaded query={cameras}>
        {items => (
          <ul className="wall">
            {items.length === 0 && <li className="muted">{t('cameras.empty')}</li>}
            {[...items].sort(byNeed).map(camera => (
              <CameraCard key={camera.id} camera={camera} />
            ))}
          </ul>
        )}
      </Loaded>
    </div>
  )
}

const CameraCard = ({ camera }: { readonly camera: CameraView }) => {
  const { t, name, ago, number, word } = useLanguage()
  const now = useNow(5000)
  const cache = useQueryClient()
  const take = useMutation({
    mutationFn: () => api.snapshot(camera.agentId ?? '', camera.id),
    onSettled: () => void cache.invalidateQueries({ queryKey: ['cameras'] }),
  })
  return (
    <li className="card camera">
      {camera.snapshot ? (
        <Picture sha256={camera.snapshot.sha256} alt={name(camera.name)} />
      ) : (
        <div className="no-picture muted">{t('cameras.noPicture')}</div>
      )}
      <div className="padded stack">
        <div className="row spread">
          <h2>{name(camera.name)}</h2>
          <ConditionBadge condition={camera.condition} />
        </div>
        <Hint camera={camera} />
        <p className="row spread small muted">
          <span>
            {camera.id}
            {camera.fps !== null && <span className="number"> · {number(camera.fps, 1)} fps</span>}
          </span>
          {camera.snapshot && <time dateTime={camera.snapshot.takenAt}>{ago(camera.snapshot.takenAt, now)}</time>}
        </p>
        <p className="row">
          {camera.analytics.map(analytic => (
            <span key={analytic.id} className="badge plain">
              {word(`analytic.${analytic.kind}`, analytic.kind)}
              {analytic.model && ` · ${analytic.model}`}
            </span>
          ))}
        </p>
        {camera.agentId && (
          <button type="button" disabled={take.isPending} onClick={() => take.mutate()}>
            {t('cameras.refresh')}
          </button>
        )}
        {take.isError && (
          <p className="small" role="alert">
            {t('cameras.failed')} {take.error.message}
          </p>
        )}
        {take.isSuccess && (
          <p className="small muted" role="status">
            {t('cameras.asked')}
          </p>
        )}
      </div>
    </li>
  )
}

/** What central says of a missing agent is said in the reader's language; what an agent says of its camera comes as it is. */
const Hint = ({ camera: { condition, conditionHint, agentId } }: { readonly camera: CameraView }) => {
  const { t } = useLanguage()
  if (!conditionHint) return null
  const missing = agentId ? t('cameras.agentAway', { agent: agentId }) : t('cameras.noAgent')
  const isMissing = condition === 'unknown'
  return (
    <p className="notice small" lang={isMissing ? undefined : 'en'}>
      {isMissing ? missing : conditionHint}
    </p>
  )
}
