import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { freePort } from '../free-port.js'
import type { CityStream } from './city-stream.js'
import { type CityStreamsOptions, startCityStreams } from './city-streams.js'
import { faultDefaults, parseScheduledFault } from './faults.js'
import { listScenes, parseSource, type Scene } from './scenes.js'

/** Scenes of the simulated city as live RTSP streams, until Ctrl-C. */
const help = `Usage: ./scripts/streams SCENE… [NAME=FILE…] [options]

  SCENE             a scene of tests/fixtures/city (see --list)
  NAME=FILE         any H.264 video, as rtsp://…/NAME
  --all             all scenes
  --list            list the scenes and end

  --speed N         scene seconds per second (default 1)
  --loop            begin again at the end (default)
  --once            show each clip once; then the stream ends (RTCP BYE) and answers 404
  --start-together  begin all streams when the first client plays one (default: at once)
  --hold            begin all streams at POST /begin of the control address; until then clients see the first picture, still

  --host ADDRESS    address to listen on (default 127.0.0.1; 0.0.0.0 serves other machines)
  --port N          RTSP port (default 8554, or a free one; 0: a free one)
  --control-port N  control port, on 127.0.0.1 (default 8555, or a free one; 0: a free one)
  --user NAME --password-file FILE [--authentication basic|digest]
                    ask clients to sign in (default: both kinds are offered)

  --fault NAME:KIND[=VALUE]@FROM[-UNTIL]
                    a fault in a stretch of the scene, in scene seconds, again in each repetition; NAME may be *. Kinds:
                    drop              connections are reset, and new ones too
                    stall             no media, while RTSP still answers
                    freeze            the same frame again and again
                    corrupt[=RATE]    wrong bytes in this share of the packets (default ${faultDefaults.rate})
                    loss[=RATE]       this share of the packets is missing (default ${faultDefaults.rate})
                    wrong-clock[=S]   sender reports and time stamps are S seconds ahead (default ${faultDefaults.offsetS})
                    refuse[=STATUS]   401, 403, 404 or 503 to every request (default ${faultDefaults.status})

Faults at any moment: curl -d '{"kind":"stall","forS":10}' http://127.0.0.1:8555/streams/NAME/faults
Prints one JSON line on stdout when a stream begins and when it ends.`

const say = (text: string): void => void process.stderr.write(`${text}\n`)

const readOptions = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      all: { type: 'boolean' },
      list: { type: 'boolean' },
      speed: { type: 'string', default: '1' },
      loop: { type: 'boolean' },
      once: { type: 'boolean' },
      'start-together': { type: 'boolean' },
      hold: { type: 'boolean' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      'control-port': { type: 'string' },
      user: { type: 'string' },
      'password-file': { type: 'string' },
      authentication: { type: 'string' },
      fault: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean' },
    },
  })

type Given = ReturnType<typeof readOptions>

const numberOf = (option: string, text: string, isGood: (value: number) => boolean, wanted: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !isGood(value)) throw new Error(`${option} "${text}" will not do; give ${wanted}.`)
  return value
}

const portOf = (option: string, text: string | undefined, preferred: number): Promise<number> =>
  text === undefined
    ? freePort(preferred)
    : Promise.resolve(
        numberOf(
          option,
          text,
          value => Number.isInteger(value) && value >= 0 && value < 65_536,
          'a port from 0 to 65535',
        ),
      )

const credentialsOf = ({ values }: Given): CityStreamsOptions['credentials'] => {
  const { user, 'password-file': file, authentication } = values
  if ((user === undefined) !== (file === undefined))
    throw new Error('--user and --password-file go together; give both or neither.')
  if (authentication !== undefined && authentication !== 'basic' && authentication !== 'digest') {
    throw new Error(`--authentication "${authentication}" is unknown; give basic or digest.`)
  }
  if (user === undefined || file === undefined) return undefined
  const password = readFileSync(file, 'utf8').trim()
  return { user, password, ...(authentication === undefined ? {} : { authentication }) }
}

const toStart = async (given: Given, scenes: readonly Scene[]): Promise<CityStreamsOptions> => {
  const { values, positionals } = given
  if (values.loop && values.once) throw new Error('--loop and --once exclude each other; give one of them.')
  if (values.hold && values['start-together'])
    throw new Error('--hold and --start-together exclude each other; give one of them.')
  const sources = [...(values.all ? scenes : []), ...positionals.map(text => parseSource(text, scenes))]
  if (sources.length === 0)
    throw new Error('Name at least one scene, NAME=FILE, or --all; --list shows the scenes and --help all options.')
  const credentials = credentialsOf(given)
  return {
    sources: sources.filter((source, index) => sources.findIndex(({ name }) => name === source.name) === index),
    host: values.host,
    port: await portOf('--port', values.port, 8554),
    controlPort: await portOf('--control-port', values['control-port'], 8555),
    speed: numberOf('--speed', values.speed, value => value > 0 && value <= 100, 'a number above 0, up to 100'),
    loop: values.once !== true,
    start: values.hold ? 'by-hand' : values['start-together'] ? 'first-viewer' : 'now',
    faults: values.fault.map(parseScheduledFault),
    ...(credentials === undefined ? {} : { credentials }),
  }
}

const table = (scenes: readonly Scene[]): string => {
  const rows = [
    ['scene', 'seconds', 'fps', 'light', 'weather', 'use'],
    ...scenes.map(({ name, facts }) => [name, facts.durationS, facts.fps, facts.light, facts.weather, facts.use]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const lineOf = ({ name, url, state, startedAt, durationS, speed, loop, truthFile }: CityStream): string =>
  JSON.stringify({ name, url, state, startedAt, durationS, speed, loop, truthFile })

const instructions = (streams: readonly CityStream[], controlUrl: string, user: string | undefined): string => {
  const [first] = streams
  const signIn =
    user === undefined ? '' : `Sign in as ${user} with the password of your file: rtsp://${user}:PASSWORD@…\n`
  return `
${streams.map(({ url, truthFile }) => `${url}${truthFile === null ? '' : `\n    truth: ${truthFile}`}`).join('\n')}
${signIn}
Give these addresses to the system you want to try. To look yourself:
    ffplay -rtsp_transport tcp ${first?.url}
Positions and statistics (the second of the scene at a moment is (moment - startedAt) x speed, modulo durationS when looped):
    curl ${controlUrl}/streams
Make a fault for ten seconds (drop, stall, freeze, corrupt, loss, wrong-clock, refuse):
    curl -d '{"kind":"stall","forS":10}' ${controlUrl}/streams/${first?.name}/faults
Ctrl-C ends everything.
`
}

const main = async (): Promise<void> => {
  const given = readOptions()
  if (given.values.help) return console.log(help)
  const scenes = listScenes()
  if (given.values.list) return console.log(table(scenes))
  const options = await toStart(given, scenes)
  const city = await startCityStreams({ ...options, onChange: stream => console.log(lineOf(stream)) })
  say(instructions(city.streams, city.controlUrl ?? '', options.credentials?.user))
  if (options.start === 'first-viewer') say('The streams begin when the first client plays one of them.')
  if (options.start === 'by-hand')
    say(`The streams show their first picture until: curl -X POST ${city.controlUrl}/begin`)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void city.close().then(() => process.exit(0)))
  }
}

const sentence = (error: unknown): string => {
  const { code, port, address, message } = error as NodeJS.ErrnoException & { port?: number; address?: string }
  if (code === 'EADDRINUSE')
    return `Port ${port ?? ''} of ${address ?? 'this machine'} is in use; end the other server or give another --port.`
  if (code === 'EADDRNOTAVAIL')
    return `${address ?? 'That address'} is no address of this machine; give --host an address of it, or 0.0.0.0.`
  return message
}

await main().catch((error: unknown) => {
  say(`error: ${sentence(error)}`)
  process.exitCode = 2
})
