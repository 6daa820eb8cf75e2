/** A parent of the embedded broker, to be killed. Argument: compiled folder of central. */
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'

const { createEmbeddedBroker } = await import(
  pathToFileURL(`${process.argv[2]}/broker/embedded/embedded-broker.js`).href
)
const broker = createEmbeddedBroker({ host: '127.0.0.1', port: 0, log: pino({ level: 'silent' }) })
const { url } = await broker.start()
process.send({ pid: broker.pid(), url })
