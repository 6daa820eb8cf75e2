import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Aedes } from 'aedes'
import { deployedLimits } from '../../helpers/deployed-broker.js'
import { freePort } from '../../helpers/free-port.js'

export interface TestBroker {
  readonly port: number
  start(): Promise<void>
  /** As kill -9 would: nothing is said to anybody. */
  kill(): Promise<void>
  close(): Promise<void>
}

/** Debian's Mosquitto, with the settings of our deployment. */
export const mosquittoBroker = async (): Promise<TestBroker> => {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'))
  const config = join(folder, 'mosquitto.conf')
  writeFileSync(
    config,
    [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'set_tcp_nodelay true',
      'persistence true',
      `persistence_location ${folder}/`,
      ...deployedLimits(),
      'user root',
      '',
    ].join('\n'),
  )
  let child: ChildProcess | undefined
  const answers = async (): Promise<boolean> => {
    const socket = createConnection(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return true
    } catch {
      return false
    } finally {
      socket.destroy()
    }
  }
  const kill = async (): Promise<void> => {
    const dying = child
    child = undefined
    if (!dying || dying.exitCode !== null) return
    dying.kill('SIGKILL')
    await once(dying, 'exit')
  }
  return {
    port,
    async start() {
      const started = spawn('/usr/sbin/mosquitto', ['-c', config], { stdio: 'ignore' })
      child = started
      while (!(await answers())) {
        if (started.exitCode !== null)
          throw new Error(`mosquitto ended with ${started.exitCode}; is port ${port} taken?`)
        await sleep(20)
      }
    },
    kill,
    async close() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Aedes in this process: keeps nothing over a restart, the worst case for everybody else. */
export const aedesBroker = async (): Promise<TestBroker> => {
  const port = await freePort()
  let running: { readonly broker: Aedes; readonly server: ReturnType<typeof createServer> } | undefined
  const kill = async (): Promise<void> => {
    const dying = running
    running = undefined
    if (!dying) return
    await new Promise<void>(resolve => dying.broker.close(() => resolve()))
    await new Promise<void>(resolve => dying.server.close(() => resolve()))
  }
  return {
    port,
    async start() {
      const broker = await Aedes.createBroker()
      const server = createServer(broker.handle).listen(port, '127.0.0.1')
      await once(server, 'listening')
      running = { broker, server }
    },
    kill,
    close: kill,
  }
}
