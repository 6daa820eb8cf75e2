import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { AgentModelView, ModelView, PackageView, RolloutBody } from '@watchpost/shared/api/models'
import { type ReactNode, useState } from 'react'
import { api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { Confirmed } from '../parts/confirmed.js'
import { Loaded } from '../parts/loading.js'
import { PackageUpload } from '../parts/package-upload.js'
import { ShadowReports } from '../parts/shadow-report.js'

const refreshMs = 5000

export const ModelsPage = () => {
  const { t } = useLanguage()
  const models = useQuery({ queryKey: ['models'], queryFn: api.models, refetchInterval: refreshMs })
  const me = useQuery({ queryKey: ['me'], queryFn: api.me })
  const mayChange = me.data?.role === 'engineer' || me.data?.role === 'admin'
  return (
    <div className="page stack">
      <div className="row spread">
        <h1>{t('models.title')}</h1>
        {mayChange && <PackageUpload />}
      </div>
      <Loaded query={models}>
        {items => (
          <>
            {items.length === 0 && <p className="muted">{t('models.empty')}</p>}
            {items.map(model => (
              <ModelCard key={model.id} model={model} mayChange={mayChange} />
            ))}
          </>
        )}
      </Loaded>
    </div>
  )
}

const ModelCard = ({ model, mayChange }: { readonly model: ModelView; readonly mayChange: boolean }) => {
  const { t } = useLanguage()
  const cache = useQueryClient()
  const change = useMutation({
    mutationFn: (body: RolloutBody) => api.rollOut(model.id, body),
    onSettled: () => cache.invalidateQueries({ queryKey: ['models'] }),
  })
  const ask = (body: RolloutBody): void => change.mutate(body)
  return (
    <section className="card padded stack" aria-labelledby={`model-${model.id}`}>
      <h2 id={`model-${model.id}`}>{model.id}</h2>
      <ul className="stack">
        {model.agents.map(agent => (
          <AgentRow key={agent.agentId} agent={agent} ask={mayChange ? ask : undefined} />
        ))}
      </ul>
      <p role="status" className="small">
        {change.isError && (
          <span className="notice critical">{t('models.refusedBy', { reason: change.error.message })}</span>
        )}
        {change.data && t('models.sent', { count: String(change.data.accepted.length) })}
      </p>
      <Packages model={model} ask={mayChange ? ask : undefined} />
      <ShadowReports model={model} ask={mayChange ? ask : undefined} />
    </section>
  )
}

type Ask = ((body: RolloutBody) => void) | undefined

const AgentRow = ({ agent, ask }: { readonly agent: AgentModelView; readonly ask: Ask }) => {
  const { t, time } = useLanguage()
  const { candidate, last, previous } = agent
  const candidateTone = candidate?.phase === 'failed' ? 'critical' : 'plain'
  return (
    <li className="stack model-agent">
      <div className="row spread">
        <strong>{agent.agentId}</strong>
        <span className={`badge ${agent.status === 'online' ? 'good' : 'major'}`}>
          {t(agent.status === 'online' ? 'agents.online' : 'models.waiting')}
        </span>
      </div>
      <dl className="facts">
        <Fact name={t('models.version')}>{`${agent.modelId} ${agent.version}`}</Fact>
        <Fact name={t('models.digest')}>{digestWords(agent.digest, t('models.configured'))}</Fact>
        {previous && <Fact name={t('models.previous')}>{digestWords(previous.digest, t('models.configured'))}</Fact>}
        <Fact name={t('models.runs')}>{agent.cameras.map(({ name }) => name).join(', ')}</Fact>
      </dl>
      {agent.probationUntil && (
        <p className="notice small">{t('models.probation', { time: time(agent.probationUntil, 'full') })}</p>
      )}
      {candidate && (
        <div className="row">
          <p className={`badge ${candidateTone}`} title={candidate.digest}>
            {t('models.candidate')} {candidate.version ?? candidate.digest.slice(0, 8)}:{' '}
            {t(`models.phase.${candidate.phase}`)}
            {candidate.receivedBytes ? ` ${(candidate.receivedBytes / 1e6).toFixed(1)} MB` : ''}
          </p>
          {ask && (
            <button type="button" onClick={() => ask({ mode: 'stop', agents: [agent.agentId] })}>
              {t('models.stop')}
            </button>
          )}
        </div>
      )}
      {candidate?.problem && <p className="notice critical small">{candidate.problem}</p>}
      {agent.problems.map(problem => (
        <p key={problem} className="notice critical small">
          {problem}
        </p>
      ))}
      {last && (
        <p className="small muted">
          {time(last.at, 'full')} · {t(`models.happened.${last.what}`)} (
          {last.digest?.slice(0, 8) ?? t('models.configured')}): {last.reason}
        </p>
      )}
      {ask && previous && (
        <Confirmed
          label={t('models.rollback')}
          question={t('models.confirmRollback')}
          onYes={() => ask({ mode: 'rollback', agents: [agent.agentId] })}
        />
      )}
    </li>
  )
}

const digestWords = (digest: string | null | undefined, configured: string): string =>
  digest?.slice(0, 12) ?? configured

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const Packages = ({ model, ask }: { readonly model: ModelView; readonly ask: Ask }) => {
  const { t } = useLanguage()
  return (
    <section className="stack">
      <h3>{t('models.packages')}</h3>
      {model.packages.length === 0 && <p className="muted small">{t('models.noPackages')}</p>}
      <ul className="stack">
        {model.packages.map(one => (
          <PackageRow key={one.sha256} model={model} one={one} ask={ask} />
        ))}
      </ul>
    </section>
  )
}

const shares = [0.1, 0.25, 0.5] as const

const PackageRow = ({
  model,
  one,
  ask,
}: {
  readonly model: ModelView
  readonly one: PackageView
  readonly ask: Ask
}) => {
  const { t, time, number } = useLanguage()
  const [camera, setCamera] = useState('')
  const [share, setShare] = useState<number>(shares[1])
  const cameras = model.agents.flatMap(agent => agent.cameras)
  const runsEverywhere = model.agents.every(({ digest }) => digest === one.sha256)
  return (
    <li className="stack model-package">
      <p>
        <strong>
          {one.id} {one.version}
        </strong>{' '}
        <span className="small muted">
          {number(one.bytes / 1e6, 1)} MB · {one.runtime}/{one.decoder} · {one.licence}
          {one.signedBy ? ` · ${t('models.signed')}` : ''} · {one.uploadedBy}, {time(one.uploadedAt, 'full')}
        </span>
      </p>
      <p className="hash small">{one.sha256}</p>
      {ask && !runsEverywhere && (
        <div className="row">
          <label className="row small">
            {t('models.where')}
            <select value={camera} onChange={event => setCamera(event.target.value)}>
              <option value="">{t('models.allCameras')}</option>
              {cameras.map(({ cameraId, name }) => (
                <option key={cameraId} value={cameraId}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label className="row small">
            {t('models.share')}
            <select value={share} onChange={event => setShare(Number(event.target.value))}>
              {shares.map(value => (
                <option key={value} value={value}>
                  {number(value * 100)} %
                </option>
              ))}
            </select>
          </label>
          <button
            type="button"
            onClick={() =>
              ask({
                mode: 'shadow',
                digest: one.sha256,
                cpuShare: share,
                ...(camera === '' ? {} : { cameras: [camera] }),
              })
            }
          >
            {t('models.shadow')}
          </button>
        </div>
      )}
    </li>
  )
}
