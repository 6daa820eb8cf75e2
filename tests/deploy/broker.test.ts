import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { topicOf } from '@watchpost/shared/topics'
import mqtt from 'mqtt'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deployedBroker } from '../helpers/deployed-broker.js'
import { freePort } from '../helpers/free-port.js'
import { missingProgram } from '../helpers/missing-program.js'
import { until } from '../helpers/server-process.js'

const missing = missingProgram('mosquitto') ?? missingProgram('mosquitto_passwd')

describe.skipIf(missing !== undefined)(
  `the broker as it is deployed${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    const own = { siteId: 'an-cuu', agentId: 'an-cuu-1' }
    let folder: string
    let port: number
    let broker: ChildProcess
    let clients: mqtt.MqttClient[]

    /** Everything of the template except TLS, with accounts whose password is their name. */
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'deployed-broker-'))
      port = await freePort()
      clients = []
      const [passwords, access] = [join(folder, 'passwords'), join(folder, 'acl')]
      writeFileSync(passwords, ['central', 'an-cuu-1', 'an-cuu-2'].map(name => `${name}:${name}\n`).join(''))
      execFileSync('mosquitto_passwd', ['-U', passwords], { stdio: 'ignore' })
      writeFileSync(
        access,
        'user central\ntopic readwrite watchpost/v1/#\nuser an-cuu-1\ntopic write watchpost/v1/an-cuu/an-cuu-1/data\n',
      )
      const settings = deployedBroker(port)
        .filter(line => !/^(cafile|certfile|keyfile) /.test(line))
        .map(line => line.replace(/^password_file .*/, `password_file ${passwords}`))
        .map(line => line.replace(/^acl_file .*/, `acl_file ${access}`))
      const file = join(folder, 'mosquitto.conf')
      // The first lines are Debian's own.
      writeFileSync(
        file,
        ['persistence true', `persistence_location ${folder}/`, ...settings, 'user root', ''].join('\n'),
      )
      broker = spawn('/usr/sbin/mosquitto', ['-c', file], { stdio: 'ignore' })
      await until('it lets central in', () =>
        connect('central').then(
          () => true,
          () => false,
        ),
      )
      await Promise.all(clients.splice(0).map(client => client.endAsync()))
    })
    afterEach(async () => {
      await Promise.all(clients.map(client => client.endAsync(true)))
      broker.kill('SIGKILL')
      if (broker.exitCode === null && broker.signalCode === null) await once(broker, 'exit')
      rmSync(folder, { recursive: true, force: true })
    })

    const connect = async (name: string, clientId = name): Promise<mqtt.MqttClient> => {
      const options = {
        clientId,
        clean: false,
        username: name,
        password: name,
        protocolVersion: 4,
        reconnectPeriod: 0,
      } as const
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options)
      clients.push(client)
      return client
    }

    it.each(['central', 'watchpost-central', 'an-cuu-2'])(
      'gives an agent its own session, whatever it asks for: %s',
      async id => {
        const others = [await connect('central', 'watchpost-central'), await connect('an-cuu-2')]
        const heard: string[] = []
        others[0]!.on('message', topic => heard.push(topic))
        await others[0]!.subscribeAsync(topicOf(own, 'data'), { qos: 1 })
        const agent = await connect('an-cuu-1', id)
        await agent.publishAsync(topicOf(own, 'data'), 'x', { qos: 1 })
        await until('central hears it', () => heard.length === 1)
        expect(others.map(other => other.connected)).toEqual([true, true])
      },
    )

    it('keeps a bounded part of what comes while central is away, and writes it to disk at its leisure', {
      timeout: 60_000,
    }, async () => {
      const before = await connect('central')
      await before.subscribeAsync(topicOf(own, 'data'), { qos: 1 })
      await before.endAsync()
      const agent = await connect('an-cuu-1')
      for (let sent = 0; sent < 500; sent++)
        await agent.publishAsync(topicOf(own, 'data'), Buffer.alloc(200_000), { qos: 1 })
      const of = (file: string, pattern: RegExp) =>
        Number(pattern.exec(readFileSync(`/proc/${broker.pid}/${file}`, 'utf8'))?.[1])
      expect(of('status', /VmRSS:\s+(\d+) kB/)).toBeLessThan(90_000)
      expect(of('io', /wchar: (\d+)/)).toBeLessThan(100_000_000)
      let heard = 0
      const after = await connect('central')
      after.on('message', () => heard++)
      await until('central hears the first ones', () => heard > 300)
      expect(heard).toBeLessThan(400)
    })
  },
)
