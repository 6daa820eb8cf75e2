import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ack, Nack } from '@watchpost/shared/contracts/delivery'
import { eventEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { type AgentAddress, topicOf } from '@watchpost/shared/topics'
import Database from 'better-sqlite3'
import mqtt from 'mqtt'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEmbeddedBroker } from '../../../central/broker/embedded/embedded-broker.js'
import { createLink, type Link } from '../../../central/broker/link.js'
import type { LogConsumer } from '../../../central/ingest/committed-record.js'
import { createIngest } from '../../../central/ingest/create-ingest.js'
import type { Ingest } from '../../../central/ingest/ingest.js'
import { mosquittoBroker } from '../../edge/uplink/brokers.js'
import { missingProgram } from '../../helpers/missing-program.js'
import { freePort } from '../../helpers/free-port.js'
import { until } from '../../helpers/server-process.js'
import { judge } from './oracle.js'
import { address, createProducer, observation, type Producer } from './producer.js'

const log = pino({ level: 'silent' })
const epoch = 1_793_070_000_000

interface RunningBroker {
  readonly url: string
  readonly credentials: { username?: string; password?: string }
  /** kill -9; it comes back (by itself, or started again). */
  killAndReturn(): Promise<void>
  close(): Promise<void>
}

const brokers = [
  {
    name: 'the embedded broker',
    missing: undefined,
    open: async (): Promise<RunningBroker> => {
      const broker = createEmbeddedBroker({ host: '127.0.0.1', port: await freePort(), log })
      const { url, ...credentials } = await broker.start()
      return {
        url,
        credentials,
        killAndReturn: async () => {
          const before = broker.restarts()
          globalThis.process.kill(broker.pid()!, 'SIGKILL')
          await until('the broker is back', () => broker.restarts() > before && broker.trouble() === null)
        },
        close: () => broker.stop(),
      }
    },
  },
  {
    name: 'Mosquitto',
    missing: missingProgram('mosquitto'),
    open: async (): Promise<RunningBroker> => {
      const broker = await mosquittoBroker()
      await broker.start()
      return {
        url: `mqtt://127.0.0.1:${broker.port}`,
        credentials: {},
        killAndReturn: async () => {
          await broker.kill()
          await broker.start()
        },
        close: () => broker.close(),
      }
    },
  },
]

for (const { name, missing, open } of brokers)
  describe.skipIf(missing !== undefined)(`ingest over ${name}${missing === undefined ? '' : ` (${missing})`}`, () => {
    let directory: string
    let file: string
    let broker: RunningBroker
    let ingest: Ingest
    let link: Link
    let metrics: Registry
    let producer: Producer | undefined
    let known: Set<string>
    let strangers: AgentAddress[]

    const startCentral = async (consumers: Readonly<Record<string, LogConsumer>> = {}) => {
      metrics = new Registry()
      const { url, credentials } = broker
      link = createLink({ url, ...credentials, clientId: 'watchpost-central', log })
      ingest = createIngest({
        file,
        keepMs: 86_400_000,
        publish: link.publish,
        isKnown: ({ siteId, agentId }) => known.has(`${siteId}/${agentId}`),
        noteUnknown: each => strangers.push(each),
        onStatus: ({ channel, ...from }, payload) => {
          const state = channel === 'state' ? JSON.parse(Buffer.from(payload).toString()) : undefined
          if (state?.status === 'online') ingest.greet(from, state.epoch)
        },
        log,
        metrics,
        onFatal: reason => {
          throw reason
        },
      })
      for (const [consumer, apply] of Object.entries(consumers)) ingest.addConsumer(consumer, apply)
      await ingest.start()
      link.onMessage(ingest.take)
      link.onConnect(ingest.repeatAcks)
      link.start()
      await until('central is subscribed', () => link.trouble() === null)
    }
    const stopCentral = async () => {
      await ingest.stop()
      await link.stop()
    }
    const counted = async (metric: string): Promise<Readonly<Record<string, number>>> => {
      const values = (await metrics.getSingleMetric(`watchpost_ingest_${metric}_total`)!.get()).values
      return Object.fromEntries(values.map(({ labels, value }) => [String(labels.reason ?? 'all'), value]))
    }

    beforeEach(async () => {
      directory = mkdtempSync(join(tmpdir(), 'ingest-'))
      file = join(directory, 'log.sqlite')
      known = new Set(['an-cuu/an-cuu-1'])
      strangers = []
      broker = await open()
    })
    afterEach(async () => {
      await producer?.close()
      producer = undefined
      await stopCentral()
      await broker.close()
      rmSync(directory, { recursive: true, force: true })
    })

    it('commits everything once and keeps the account', async () => {
      await startCentral()
      producer = createProducer({ url: broker.url, total: 3000, epoch })
      await producer.done
      expect(judge(file, producer.claimed)).toEqual({ lost: 0, doubled: 0, foreign: 0 })
      expect(await ingest.ledger('an-cuu-1')).toMatchObject({
        agentId: 'an-cuu-1',
        siteId: 'an-cuu',
        epochs: [
          {
            epoch,
            ackedSeq: 3000,
            highestSeq: 3000,
            received: 3000,
            refused: 0,
            ranges: [{ from: 1, to: 3000 }],
            firstGap: null,
            lost: [],
            byType: { 'observation.v1': 3000 },
          },
        ],
      })
      expect(await ingest.ledger('nobody')).toBeUndefined()
      // What a slow machine made the producer send twice may still be on its way.
      await until('the account balances', async () => {
        const [received, committed, duplicates] = [
          await counted('received'),
          await counted('committed'),
          await counted('duplicates'),
        ]
        return received.all === committed.all! + duplicates.all!
      })
    })

    it('loses nothing when the broker is killed twice on the way', { timeout: 240_000 }, async () => {
      await startCentral()
      producer = createProducer({ url: broker.url, total: 3000, epoch, batch: 10, window: 3, resendMs: 400 })
      for (const part of [600, 1800]) {
        await until(`${part} are acknowledged`, () => producer!.ackedSeq() >= part)
        await broker.killAndReturn()
      }
      await producer.done
      expect(judge(file, producer.claimed)).toEqual({ lost: 0, doubled: 0, foreign: 0 })
    })

    it('takes up where it stopped, consumers too', async () => {
      // Runs are of 500 records at most, so some are applied before.
      const remember: LogConsumer = async records => {
        if (records[0]!.envelope.seq > 1000) throw new Error('away')
      }
      await startCentral({ remember })
      producer = createProducer({ url: broker.url, total: 2000, epoch })
      await producer.done
      await until('the consumer is in trouble', () => ingest.consumers()[0]?.failing !== null)
      await stopCentral()
      const applied = ingest.consumers()[0]!.position
      expect(applied).toBeGreaterThan(0)
      expect(applied).toBeLessThan(2000)
      const after: number[] = []
      await startCentral({ remember: async records => void after.push(...records.map(({ envelope }) => envelope.seq)) })
      await until('the consumer is done', () => ingest.consumers()[0]?.lag === 0)
      expect(after).toEqual(Array.from({ length: 2000 - applied }, (_, index) => applied + 1 + index))
    })

    describe('with bad input', () => {
      let agent: mqtt.MqttClient
      let heard: ({ ack: Ack } | { nack: Nack })[]
      const send = (content: unknown, channel: 'data' | 'state' = 'data', from = address) =>
        agent.publishAsync(topicOf(from, channel), typeof content === 'string' ? content : JSON.stringify(content), {
          qos: 1,
        })
      const batch = (envelopes: unknown[], change: object = {}) => ({ epoch, oldestSeq: 1, envelopes, ...change })
      const acked = () =>
        heard.flatMap(each => ('ack' in each && each.ack.epoch === epoch ? [each.ack.seq] : [])).at(-1)
      const untilAcked = (seq: number) => until(`${seq} is acknowledged`, () => acked() === seq)
      const deadLetters = () => {
        const db = new Database(file, { readonly: true })
        const letters = db.prepare('SELECT reason, seq, content FROM dead_letter').all()
        db.close()
        return letters
      }

      beforeEach(async () => {
        await startCentral()
        heard = []
        agent = await mqtt.connectAsync(broker.url, { clientId: 'an-cuu-1', protocolVersion: 4 })
        agent.on('message', (topic, payload) => {
          const content = JSON.parse(payload.toString())
          heard.push(topic.endsWith('/ack') ? { ack: content } : { nack: content })
        })
        await agent.subscribeAsync([topicOf(address, 'ack'), topicOf(address, 'nack')], { qos: 1 })
      })
      afterEach(() => agent.endAsync(true))

      it('puts a malformed batch to the dead letters and goes on', async () => {
        await send('{"epoch": 1, ')
        await send('')
        await send(batch([observation(epoch, 1)]))
        await untilAcked(1)
        expect(await counted('refused')).toEqual({ 'malformed-batch': 2 })
        expect(deadLetters()).toMatchObject([{ reason: 'malformed-batch', content: '{"epoch": 1, ' }, { content: '' }])
      })

      it('refuses one bad message by nack, before the ack that passes it, and keeps its neighbours', async () => {
        const foreign = observation(epoch, 2, { source: '/sites/kim-long/cameras/x' })
        await send(batch([observation(epoch, 1), foreign, observation(epoch, 3, { data: {} }), observation(epoch, 4)]))
        await untilAcked(4)
        expect(heard.map(each => ('nack' in each ? each.nack.seq : `ack ${each.ack.seq}`)).slice(-3)).toEqual([
          2,
          3,
          'ack 4',
        ])
        expect(heard.find(each => 'nack' in each)).toMatchObject({
          nack: { epoch, problem: { status: 422, detail: expect.stringContaining('kim-long') } },
        })
        const ledger = await ingest.ledger('an-cuu-1')
        expect(ledger?.epochs[0]).toMatchObject({ received: 2, refused: 2, ackedSeq: 4, firstGap: null })
        await send(batch([foreign]))
        await until('it is refused again', () => heard.filter(each => 'nack' in each).length === 3)
        expect((await ingest.ledger('an-cuu-1'))?.epochs[0]).toMatchObject({ refused: 2 })
        expect(deadLetters()).toHaveLength(2)
      })

      it('does not acknowledge past a gap, and does once it is filled', async () => {
        await send(batch([observation(epoch, 1)]))
        await send(batch([observation(epoch, 4), observation(epoch, 5)]))
        await until('the gap is seen', async () => (await ingest.ledger('an-cuu-1'))?.epochs[0]?.highestSeq === 5)
        expect((await ingest.ledger('an-cuu-1'))?.epochs[0]).toMatchObject({
          ackedSeq: 1,
          firstGap: { from: 2, to: 3 },
        })
        await send(batch([observation(epoch, 3), observation(epoch, 2)]))
        await untilAcked(5)
      })

      it.each([
        ['it no longer holds', { oldestSeq: 4 }, [4, 5]],
        ['it left out of the batch', { afterSeq: 1 }, [2, 5]],
      ])('acknowledges past what the agent says %s', async (_, change, seqs) => {
        await send(batch([observation(epoch, 1)]))
        await send(
          batch(
            seqs.map(seq => observation(epoch, seq)),
            change,
          ),
        )
        await untilAcked(5)
        const [account] = (await ingest.ledger('an-cuu-1'))!.epochs
        expect(account!.lost.reduce((sum, { from, to }) => sum + to - from + 1, account!.received)).toBe(5)
      })

      it('takes the ranges of a data-loss event, but nothing beyond the event itself', async () => {
        const lost = [{ fromSeq: 2, toSeq: 9_000_000 }]
        const loss = {
          ...eventEnvelopeExample,
          epoch,
          seq: 6,
          data: { ...eventEnvelopeExample.data, kind: 'data-loss', lost },
        }
        await send(batch([observation(epoch, 1)]))
        await send(batch([loss]))
        await untilAcked(6)
        expect((await ingest.ledger('an-cuu-1'))?.epochs[0]).toMatchObject({
          highestSeq: 6,
          lost: [{ from: 2, to: 5, reason: expect.stringContaining('thinned') }],
        })
      })

      it('believes no oldestSeq beyond the messages it came with', async () => {
        await send(batch([observation(epoch, 3)], { oldestSeq: 1_000_000 }))
        await untilAcked(3)
        expect((await ingest.ledger('an-cuu-1'))?.epochs[0]?.highestSeq).toBe(3)
      })

      it('neither acknowledges nor refuses an unknown agent until the city names it', async () => {
        const stranger = { siteId: 'an-cuu', agentId: 'an-cuu-2' }
        await agent.subscribeAsync(topicOf(stranger, 'ack'), { qos: 1 })
        await send(batch([observation(epoch, 1)]), 'data', stranger)
        await until('it is noted', () => strangers.length === 1)
        expect(await counted('dropped')).toEqual({ 'unknown-agent': 1 })
        expect(heard).toEqual([])
        expect(deadLetters()).toEqual([])
        known.add('an-cuu/an-cuu-2')
        await send(batch([observation(epoch, 1)]), 'data', stranger)
        await untilAcked(1)
      })

      it('tells an agent that comes online where it stands, and keeps the newest epoch retained', async () => {
        await send({ status: 'online', epoch, version: '1', at: new Date().toISOString() }, 'state')
        await untilAcked(0)
        await send(batch([observation(epoch, 1)]))
        await untilAcked(1)
        await send(batch([observation(epoch - 5, 1)], { epoch: epoch - 5 }))
        await until('the older epoch is acknowledged', () =>
          heard.some(each => 'ack' in each && each.ack.epoch === epoch - 5),
        )
        const late = await mqtt.connectAsync(broker.url, { clientId: 'late', protocolVersion: 4 })
        const retained = new Promise<Ack>(resolve =>
          late.on('message', (_, payload) => resolve(JSON.parse(payload.toString()))),
        )
        await late.subscribeAsync(topicOf(address, 'ack'), { qos: 1 })
        expect(await retained).toEqual({ epoch, seq: 1 })
        await late.endAsync(true)
      })
    })
  })

describe('the log', () => {
  it('is refused to a second central', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ingest-'))
    const open = () =>
      createIngest({
        file: join(directory, 'log.sqlite'),
        keepMs: 1,
        publish: async () => undefined,
        isKnown: () => true,
        noteUnknown: () => undefined,
        onStatus: () => undefined,
        log,
        metrics: new Registry(),
        onFatal: () => undefined,
      })
    const first = open()
    await first.start()
    await expect(open().start()).rejects.toThrow('in use by another central')
    await first.stop()
    const third = open()
    await third.start()
    await third.stop()
    rmSync(directory, { recursive: true })
  })
})
