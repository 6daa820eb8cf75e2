import { createServer } from 'node:net'

/** Below the ports that the kernel gives to outgoing connections (Linux: from 32768): none of those can take it meanwhile. */
const [lowest, highest] = [20_000, 32_000]
const given = new Set<number>()

/** A port of 127.0.0.1 that nobody listens on, and that this process was not given before. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    if (given.has(port) || !(await canListen(port))) continue
    given.add(port)
    return port
  }
}

const canListen = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
