import { createServer } from 'node:net'

const tryPort = (port: number): Promise<number | undefined> =>
  new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(undefined))
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined))
    })
  })

/** The preferred loopback port when it is free, else any free one. */
export const freePort = async (preferred: number): Promise<number> => {
  const port = (await tryPort(preferred)) ?? (await tryPort(0))
  if (port === undefined) throw new Error('No free TCP port on 127.0.0.1')
  return port
}
