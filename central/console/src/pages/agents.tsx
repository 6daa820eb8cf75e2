import { useQuery } from '@tanstack/react-query'
import type { AgentView } from '@watchpost/shared/api/incidents'
import { api } from '../api/client.js'
import { useLanguage } from '../i18n/language.js'
import { Loaded } from '../parts/loading.js'
import { useNow } from '../parts/use-now.js'

export const AgentsPage = () => {
  const { t } = useLanguage()
  const agents = useQuery({ queryKey: ['agents'], queryFn: api.agents, refetchInterval: 5000 })
  return (
    <div className="page stack">
      <h1>{t('agents.title')}</h1>
      <Loaded query={agents}>
        {items => (
          <ul className="wall">
            {items.length === 0 && <li className="muted">{t('agents.empty')}</li>}
            {items.map(agent => (
              <AgentCard key={agent.id} agent={agent} />
            ))}
          </ul>
        )}
      </Loaded>
    </div>
  )
}

const AgentCard = ({ agent }: { readonly agent: AgentView }) => {
  const { t, ago, number } = useLanguage()
  const now = useNow(5000)
  const tone = agent.status === 'online' ? 'good' : agent.status === 'offline' ? 'major' : 'plain'
  return (
    <li className="card padded stack">
      <div className="row spread">
        <h2>{agent.id}</h2>
        <span className={`badge ${tone}`}>{t(`agents.${agent.status}`)}</span>
      </div>
      {!agent.known && <p className="notice critical small">{t('agents.unknown')}</p>}
      {agent.configErrors.map(error => (
        <p key={error.path} className="notice critical small">
          {error.path}: {error.message} {error.hint}
        </p>
      ))}
      <dl className="facts">
        <Fact name={t('agents.lastSeen')} value={agent.lastSeenAt && ago(agent.lastSeenAt, now)} />
        <Fact name={t('agents.software')} value={agent.software} />
        <Fact name={t('agents.outbox')} value={agent.outboxSize === null ? null : number(agent.outboxSize)} />
        <Fact name={t('agents.oldest')} value={agent.oldestAgeMs && `${Math.round(agent.oldestAgeMs / 1000)} s`} />
        <Fact name={t('agents.deadLetters')} value={agent.deadLetters === null ? null : number(agent.deadLetters)} />
      </dl>
      {agent.known && agent.status !== 'never-seen' && <LedgerFacts agentId={agent.id} />}
      {agent.models.length > 0 && (
        <section>
          <h3>{t('agents.models')}</h3>
          <ul className="row">
            {agent.models.map(model => (
              <li key={model.id} className="badge plain" title={model.sha256}>
                {model.id} {model.version}
              </li>
            ))}
          </ul>
        </section>
      )}
    </li>
  )
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string | number | null | undefined }) =>
  value === null || value === undefined || value === '' ? null : (
    <div>
      <dt>{name}</dt>
      <dd className="number">{value}</dd>
    </div>
  )

/** Proof of no loss, from central's ledger of the newest epoch. */
const LedgerFacts = ({ agentId }: { readonly agentId: string }) => {
  const { t, number } = useLanguage()
  const ledger = useQuery({ queryKey: ['ledger', agentId], queryFn: () => api.ledger(agentId), refetchInterval: 5000 })
  const epoch = ledger.data?.epochs.at(-1)
  if (epoch === undefined) return null
  return (
    <>
      <dl className="facts">
        <Fact name={t('agents.received')} value={number(epoch.received)} />
        <Fact name={t('agents.duplicates')} value={number(epoch.duplicates)} />
      </dl>
      {epoch.firstGap ? (
        <p className="notice small">
          {t('agents.gap')}: {epoch.firstGap.from}–{epoch.firstGap.to}
        </p>
      ) : (
        <p className="badge good">{t('agents.noGap')}</p>
      )}
      {epoch.lost.map(range => (
        <p key={range.from} className="notice critical small">
          {t('agents.lost')} {range.from}–{range.to} ({range.reason})
        </p>
      ))}
    </>
  )
}
