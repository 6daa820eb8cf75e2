import { useQuery } from '@tanstack/react-query'
import type { AgentModelView, ModelView, RolloutBody } from '@watchpost/shared/api/models'
import type { Disagreement, ShadowReport } from '@watchpost/shared/contracts/shadow-report'
import { Fragment } from 'react'
import { api, evidenceUrl } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { boxStyle } from './box-style.js'
import { Confirmed } from './confirmed.js'

type Ask = ((body: RolloutBody) => void) | undefined

/** The newest report of each agent's candidate; older candidates are history. */
export const ShadowReports = ({ model, ask }: { readonly model: ModelView; readonly ask: Ask }) => {
  const { t } = useLanguage()
  const reports = useQuery({
    queryKey: ['shadow', model.id],
    queryFn: () => api.shadow(model.id),
    refetchInterval: 5000,
  })
  const newest = (reports.data ?? []).filter(
    (one, index, all) => all.findIndex(other => other.agentId === one.agentId) === index,
  )
  const versions = new Map(newest.map(({ report: { candidate } }) => [candidate.digest, candidate.version]))
  return (
    <section className="stack">
      <h3>{t('models.report')}</h3>
      {newest.length === 0 && <p className="muted small">{t('models.noReport')}</p>}
      {[...versions].map(([digest, version]) => (
        <Fragment key={digest}>
          {newest
            .filter(({ report }) => report.candidate.digest === digest)
            .map(({ agentId, report }) => (
              <Report key={agentId} agentId={agentId} report={report} />
            ))}
          {ask && digest && <Decision digest={digest} version={version} agents={model.agents} ask={ask} />}
        </Fragment>
      ))}
    </section>
  )
}

interface DecisionProps {
  readonly digest: string
  readonly version: string
  readonly agents: readonly AgentModelView[]
  readonly ask: NonNullable<Ask>
}

/** What becomes of a candidate on all agents that have it, once, below their reports; only where it runs in shadow may it take over. */
const Decision = ({ digest, version, agents, ask }: DecisionProps) => {
  const { t } = useLanguage()
  const having = agents.filter(({ candidate }) => candidate?.digest === digest)
  const inShadow = having.filter(({ candidate }) => candidate?.phase === 'shadowing')
  const leftOut = having.filter(one => !inShadow.includes(one))
  if (having.length === 0) return null
  const words = { version, count: String(inShadow.length) }
  const leftOutWords = leftOut.map(({ agentId, candidate }) => `${agentId} (${t(`models.phase.${candidate!.phase}`)})`)
  return (
    <div className="row">
      {inShadow.length > 0 && (
        <Confirmed
          label={t('models.promoteAll', words)}
          question={[
            t('models.confirmPromote', words),
            ...(leftOut.length > 0 ? [t('models.notPromoted', { agents: leftOutWords.join(', ') })] : []),
          ].join(' ')}
          onYes={() => ask({ mode: 'active', digest, agents: namesOf(inShadow) })}
        />
      )}
      <button type="button" onClick={() => ask({ mode: 'stop', agents: namesOf(having) })}>
        {t('models.stopAll', { version, count: String(having.length) })}
      </button>
    </div>
  )
}

const namesOf = (agents: readonly AgentModelView[]): string[] => agents.map(({ agentId }) => agentId)

const Report = ({ agentId, report }: { readonly agentId: string; readonly report: ShadowReport }) => {
  const { t, number } = useLanguage()
  const { frames, latencyMs, cpu, candidate, active } = report
  const skipped = frames.skipped.budget + frames.skipped.busy + frames.skipped.stopped
  const pair = (pair: { p50: number; p95: number } | null): string =>
    pair ? `${number(pair.p50, 1)} / ${number(pair.p95, 1)} ms` : '–'
  return (
    <article className="stack shadow-report">
      <p>
        <strong>{agentId}</strong>: {active.id} {active.version} ↔ {candidate.id} {candidate.version}
      </p>
      <dl className="facts">
        <Fact
          name={t('models.agreement')}
          value={report.agreement === null ? '–' : `${number(report.agreement * 100, 1)} %`}
        />
        <Fact name={t('models.compared')} value={number(frames.compared)} />
        <Fact name={t('models.skipped')} value={number(skipped)} />
        <Fact name={t('models.failed')} value={number(frames.failed)} />
        <Fact name={`${t('models.latency')}, ${t('models.active')}`} value={pair(latencyMs.active)} />
        <Fact name={`${t('models.latency')}, ${t('models.candidate')}`} value={pair(latencyMs.candidate)} />
        <Fact
          name={t('models.cpu')}
          value={`${number(cpu.usedShare * 100, 1)} % / ${number(cpu.allowedShare * 100)} %`}
        />
      </dl>
      {report.classes.length > 0 && <Classes report={report} />}
      {report.disagreements.length > 0 && (
        <>
          <h4 className="small">{t('models.disagreements')}</h4>
          <ul className="disagreements">
            {report.disagreements.map(one => (
              <Difference key={`${one.cameraId} ${one.takenAt}`} one={one} />
            ))}
          </ul>
        </>
      )}
    </article>
  )
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd className="number">{value}</dd>
  </div>
)

const Classes = ({ report }: { readonly report: ShadowReport }) => {
  const { t, number } = useLanguage()
  return (
    <div className="scroll">
      <table className="classes small">
        <caption className="muted">{t(`models.unit.${report.unit as 'objects'}`)}</caption>
        <thead>
          <tr>
            <th scope="col">{t('models.class')}</th>
            <th scope="col">{t('models.agree')}</th>
            <th scope="col">{t('models.onlyActive')}</th>
            <th scope="col">{t('models.onlyCandidate')}</th>
            <th scope="col">{t('models.iou')}</th>
          </tr>
        </thead>
        <tbody>
          {report.classes.map(one => (
            <tr key={one.label}>
              <th scope="row">{one.label}</th>
              <td className="number">{number(one.agree)}</td>
              <td className="number">{number(one.onlyActive)}</td>
              <td className="number">{number(one.onlyCandidate)}</td>
              <td className="number">{one.iou === null ? '–' : number(one.iou, 2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The picture with what only the active model saw (dashed) and only the candidate (solid). */
const Difference = ({ one }: { readonly one: Disagreement }) => {
  const { t, time } = useLanguage()
  const alt = t('models.pictureOf', { camera: one.cameraId, time: time(one.takenAt) })
  const words = [
    ...one.onlyActive.map(({ label }) => `${t('models.onlyActive')}: ${label}`),
    ...one.onlyCandidate.map(({ label }) => `${t('models.onlyCandidate')}: ${label}`),
  ]
  return (
    <li className="stack small">
      <span className="picture">
        {one.thumbnail && <img src={evidenceUrl(one.thumbnail)} alt={alt} loading="lazy" />}
        {[
          ...one.onlyActive.map(seen => [seen, 'active'] as const),
          ...one.onlyCandidate.map(seen => [seen, 'candidate'] as const),
        ].map(([{ label, box }, who]) => (
          <span
            key={`${who} ${label} ${box.join()}`}
            className={`picture-box only-${who}`}
            aria-hidden="true"
            style={boxStyle(box)}
          >
            <span>{label}</span>
          </span>
        ))}
      </span>
      <span className="muted">{alt}</span>
      <span>{[...new Set(words)].join(', ')}</span>
    </li>
  )
}
