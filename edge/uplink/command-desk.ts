import { Value } from '@sinclair/typebox/value'
import type { ModelCommand } from '@watchpost/shared/contracts/model-rollout'
import type { Problem } from '@watchpost/shared/contracts/primitives'
import { Command, type CommandName, type CommandReply, commandNames } from '@watchpost/shared/contracts/twin'
import type { UplinkLog } from './uplink-log.js'

export interface CommandRequest {
  readonly name: CommandName
  readonly cameraId: string | undefined
  /** Of `command/model`. */
  readonly model: ModelCommand | undefined
}

/** Does one command and returns what the reply says; what it throws becomes the reply's problem. */
export type CommandHandler = (request: CommandRequest) => Promise<Readonly<Record<string, unknown>>>

/** An operator who pressed a button this long ago no longer means now. */
const longestAgeMs = 10 * 60_000
/** At least once means sometimes twice; so many commands are remembered. */
const remembered = 200

/** Judges incoming commands: malformed, repeated and outdated ones are never carried out. */
export const createCommandDesk = (handle: CommandHandler, log: UplinkLog, now: () => number = Date.now) => {
  const seen = new Set<string>()

  /** Undefined when there is nobody to reply to, or the reply was given before. */
  return async (name: string, payload: unknown): Promise<CommandReply | undefined> => {
    if (!Value.Check(Command, payload)) {
      log.warn({ command: name }, 'A malformed command is ignored')
      return undefined
    }
    const { commandId, at, cameraId, model } = payload
    if (seen.has(commandId)) return undefined
    seen.add(commandId)
    if (seen.size > remembered) seen.delete(seen.values().next().value!)
    const reply = (rest: Pick<CommandReply, 'ok' | 'result' | 'problem'>): CommandReply => ({
      commandId,
      at: new Date(now()).toISOString(),
      ...rest,
    })
    const known = commandNames.find(candidate => candidate === name)
    if (!known)
      return reply({ ok: false, problem: problem(404, 'Unknown command', `Known are ${commandNames.join(', ')}.`) })
    if (Math.abs(now() - Date.parse(at)) > longestAgeMs)
      return reply({
        ok: false,
        problem: problem(410, 'Command is out of date', `It was given at ${at}. Give it again, or check both clocks.`),
      })
    try {
      return reply({ ok: true, result: { ...(await handle({ name: known, cameraId, model })) } })
    } catch (error) {
      log.warn({ err: error, command: name, cameraId }, 'A command failed')
      return reply({ ok: false, problem: problem(500, 'Command failed', (error as Error).message) })
    }
  }
}

const problem = (status: number, title: string, detail: string): Problem => ({
  type: 'about:blank',
  title,
  status,
  detail,
})
