import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CityStream } from './city-stream.js'
import { type FaultOrder, parseFaultOrder, UnknownFaultError } from './faults.js'

interface Controlled {
  readonly streams: readonly CityStream[]
  begin(): void
  fault(name: string, fault: FaultOrder): () => void
  clearFaults(name: string): void
}

export interface ControlServer {
  readonly url: string
  close(): Promise<void>
}

/** An answer other than success, in one sentence. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail)
  }
}

const maxBodyBytes = 10_000
const routes = 'GET /streams, GET /streams/NAME, POST or DELETE /streams/NAME/faults, POST /begin'

/** Live positions, statistics and faults over HTTP, on the loopback interface alone: whoever reaches it can break the streams. */
export const openControlServer = async (city: Controlled, port: number): Promise<ControlServer> => {
  const server = createServer((request, response) => {
    void answer(city, request).then(
      body => send(response, 200, body),
      (error: unknown) => {
        const status = error instanceof Refusal ? error.status : error instanceof UnknownFaultError ? 400 : 500
        send(response, status, { status, detail: error instanceof Error ? error.message : String(error) })
      },
    )
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const answer = async (city: Controlled, request: IncomingMessage): Promise<unknown> => {
  // A page in a browser of this machine must not be able to break the streams.
  if (request.headers.origin !== undefined) throw new Refusal(403, 'Pages of the web may not use this address.')
  const { method = 'GET' } = request
  const [, first, name, last] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/').map(decoded)
  const route = [method, first, name === undefined ? '' : 'NAME', last].filter(Boolean).join(' ')
  switch (route) {
    case 'GET streams':
      return { streams: city.streams }
    case 'GET streams NAME':
      return streamOf(city, name)
    case 'POST streams NAME faults': {
      const { name: known } = streamOf(city, name)
      city.fault(known, parseFaultOrder(await readJson(request)))
      return streamOf(city, name)
    }
    case 'DELETE streams NAME faults':
      city.clearFaults(streamOf(city, name).name)
      return streamOf(city, name)
    case 'POST begin':
      city.begin()
      return { streams: city.streams }
    default:
      throw new Refusal(404, `There is no ${method} ${request.url}; there are ${routes}.`)
  }
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const streamOf = ({ streams }: Controlled, name: string | undefined): CityStream => {
  const stream = streams.find(known => known.name === name)
  if (stream !== undefined) return stream
  throw new Refusal(
    404,
    `There is no stream "${name}"; the streams are ${streams.map(known => known.name).join(', ')}.`,
  )
}

const readJson = async (request: IncomingMessage): Promise<unknown> => {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > maxBodyBytes) throw new Refusal(413, 'The body is too long for a fault.')
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'The body is not JSON; send a fault such as {"kind":"stall","forS":10}.')
  }
}

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(`${JSON.stringify(body, undefined, 2)}\n`)
}
