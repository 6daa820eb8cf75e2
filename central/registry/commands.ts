import type { CommandName, CommandReply } from '@watchpost/shared/contracts/twin'
import type { AgentAddress } from '@watchpost/shared/topics'
import { commandTopic, delivery } from '@watchpost/shared/topics'
import { v7 as uuid } from 'uuid'
import type { CommandOptions, PublishDown } from './registry.js'

export class CommandTimeoutError extends Error {
  override readonly name = 'CommandTimeoutError'
}

/** Commands that wait for their reply. */
export interface Commands {
  send(address: AgentAddress, name: CommandName, options: CommandOptions): Promise<CommandReply>
  /** A reply nobody waits for (it came too late) is ignored. */
  onReply(address: AgentAddress, reply: CommandReply): void
  stop(): void
}

const defaultTimeoutMs = 10_000
/** Opening workers with another package takes seconds on a small gateway. */
const modelTimeoutMs = 60_000

export const createCommands = (publish: PublishDown): Commands => {
  const waiting = new Map<string, { agentId: string; settle: (outcome: CommandReply | Error) => void }>()

  const send = (
    address: AgentAddress,
    name: CommandName,
    { cameraId, model, timeoutMs = model ? modelTimeoutMs : defaultTimeoutMs }: CommandOptions,
  ) =>
    new Promise<CommandReply>((resolve, reject) => {
      const commandId = uuid()
      const settle = (outcome: CommandReply | Error): void => {
        clearTimeout(timer)
        waiting.delete(commandId)
        if (outcome instanceof Error) reject(outcome)
        else resolve(outcome)
      }
      const late = `agent ${address.agentId} did not reply to "${name}" within ${timeoutMs} ms; see whether it is online`
      const timer = setTimeout(() => settle(new CommandTimeoutError(late)), timeoutMs)
      waiting.set(commandId, { agentId: address.agentId, settle })
      const command = {
        commandId,
        at: new Date().toISOString(),
        ...(cameraId === undefined ? {} : { cameraId }),
        ...(model && { model }),
      }
      publish(commandTopic(address, name), JSON.stringify(command), delivery.command).catch(settle)
    })

  return {
    send,
    onReply: ({ agentId }, reply) => {
      const found = waiting.get(reply.commandId)
      if (found?.agentId === agentId) found.settle(reply)
    },
    stop: () => {
      for (const { settle } of [...waiting.values()]) settle(new CommandTimeoutError('central is stopping'))
    },
  }
}
