import { once } from 'node:events'
import { createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The network between agents and central's HTTP address, for which a test may make bad weather while packages are fetched. */
export interface HttpLink {
  readonly port: number
  /** `Range` of each request for a package, as they came; null: from the beginning. */
  readonly ranges: (string | null)[]
  /** So many bytes of a package come through, then the line is silent. */
  allow(bytes: number): void
  /** Breaks the connections that are silent. */
  cut(): void
  /** The next so many answers with a package have one byte changed. */
  spoil(answers: number): void
  close(): Promise<void>
}

export const openHttpLink = async (targetPort: number): Promise<HttpLink> => {
  const ranges: (string | null)[] = []
  const silent = new Set<ServerResponse>()
  let [allowed, toSpoil] = [Number.POSITIVE_INFINITY, 0]

  const server = createServer((incoming, outgoing) => {
    const { method, url: path = '', headers } = incoming
    const isPackage = path.startsWith('/ingest/v1/models/')
    if (isPackage) ranges.push(headers.range ?? null)
    const onward = request({ host: '127.0.0.1', port: targetPort, method, path, headers }, async answer => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks)
      outgoing.writeHead(answer.statusCode!, answer.headers)
      const isExposed = isPackage && answer.statusCode! < 300
      if (isExposed && toSpoil-- > 0) body[0]! ^= 1
      if (!isExposed || body.length <= allowed) outgoing.end(body)
      else {
        outgoing.write(body.subarray(0, allowed))
        silent.add(outgoing)
      }
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    ranges,
    allow: bytes => {
      allowed = bytes
    },
    cut: () => {
      for (const response of silent) response.destroy()
      silent.clear()
    },
    spoil: answers => {
      toSpoil = answers
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
