/**
 * Central's ingest as a process that kills itself (SIGKILL) in the moment between a commit and its ack.
 * Arguments: compiled folder of central, log file, broker address, how many acks to send before.
 */
import { pathToFileURL } from 'node:url'

const [dist, file, url, acksBefore] = process.argv.slice(2)
const load = path => import(pathToFileURL(`${dist}/${path}`).href)
const { createIngest } = await load('ingest/create-ingest.js')
const { createLink } = await load('broker/link.js')
const { pino } = await import('pino')
const { Registry } = await import('prom-client')

const log = pino({ level: 'silent' })
let acks = 0
const link = createLink({ url, clientId: 'watchpost-central', log })
const ingest = createIngest({
  file,
  keepMs: 86_400_000,
  publish: async (topic, payload, options) => {
    if (topic.endsWith('/ack') && JSON.parse(payload).seq > 0 && ++acks > Number(acksBefore))
      process.kill(process.pid, 'SIGKILL')
    await link.publish(topic, payload, options)
  },
  isKnown: () => true,
  noteUnknown: () => undefined,
  onStatus: () => undefined,
  log,
  metrics: new Registry(),
  onFatal: reason => {
    throw reason
  },
})
await ingest.start()
link.onMessage(ingest.take)
link.onConnect(ingest.repeatAcks)
link.start()
process.send?.('ready')
