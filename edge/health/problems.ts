import type { AgentSnapshot } from './agent-snapshot.js'

export interface AgentProblem {
  /** What it is about: a camera's name, `outbox`, `uplink`, `configuration`. */
  readonly subject: string
  readonly message: string
  readonly hint: string
}

/** What an operator has to look at, the worst first. */
export const problemsOf = (snapshot: AgentSnapshot): readonly AgentProblem[] => [
  ...(snapshot.recorder.problem ? [{ subject: 'outbox', ...textOf(snapshot.recorder.problem) }] : []),
  ...(snapshot.uplink.problem ? [{ subject: 'uplink', ...textOf(snapshot.uplink.problem) }] : []),
  ...snapshot.cameras.flatMap(({ name, problem }) => (problem ? [{ subject: name, ...textOf(problem) }] : [])),
  ...snapshot.configErrors.map(message => ({
    subject: 'configuration',
    message,
    hint: 'The last good settings stay in force.',
  })),
  ...(snapshot.outbox.keptDeadLetters > 0
    ? [
        {
          subject: 'outbox',
          message: `Central refused ${snapshot.outbox.keptDeadLetters} messages`,
          hint: 'See them with: watchpost-edge outbox dead-letters --config agent.yaml; then forget them with: outbox clear-dead-letters',
        },
      ]
    : []),
]

const textOf = ({ message, hint }: { readonly message: string; readonly hint: string }) => ({ message, hint })
