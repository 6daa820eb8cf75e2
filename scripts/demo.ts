import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { eventKinds } from '@watchpost/shared/contracts/event'
import type { Incident } from '@watchpost/shared/api/incidents'
import { type CentralClient, signIn, waitUntilReady } from './simulated-city/central-client.js'
import { type City, layOutCity } from './simulated-city/lay-out.js'
import { createSupervisor, type Supervisor } from './simulated-city/supervisor.js'

/** The simulated city on one machine: cameras over RTSP, two agents, broker, central and console, until Ctrl-C. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const help = `Usage: ./scripts/demo [--until KIND[,KIND…] [--timeout-s SECONDS]]

  --until KINDS     end when an incident of each kind has been raised with its evidence; prints one JSON line.
                    Kinds: ${eventKinds.join(', ')}
  --timeout-s N     with --until: give up after N seconds (default 300), exit code 1.`

const { values: options } = parseArgs({
  options: { until: { type: 'string' }, 'timeout-s': { type: 'string' }, help: { type: 'boolean' } },
})
const say = (text: string): void => void process.stderr.write(`${text}\n`)
const fail = (text: string): never => {
  say(`error: ${text}`)
  process.exit(2)
}

if (options.help) {
  console.log(help)
  process.exit(0)
}
const wanted = (options.until ?? '').split(',').filter(Boolean)
for (const kind of wanted) {
  if (!eventKinds.some(known => known === kind)) fail(`--until: unknown kind "${kind}".\n${help}`)
}
const timeoutS = Number(options['timeout-s'] ?? 300)
if (!(timeoutS > 0)) fail(`--timeout-s: "${options['timeout-s']}" is not a number of seconds.`)

interface Raised {
  readonly kind: string
  readonly camera: string
  readonly openedAt: string
  readonly evidenceSha256: string
  readonly id: string
}

const raisedOf = (incident: Incident): Raised | undefined => {
  const evidence = incident.events.flatMap(event => event.evidence).find(({ stored }) => stored)
  if (evidence === undefined) return undefined
  return {
    kind: incident.kind,
    camera: incident.cameraId,
    openedAt: incident.openedAt,
    evidenceSha256: evidence.sha256,
    id: incident.id,
  }
}

/** Reports cameras as they come up and incidents as they are raised; resolves when every wanted kind is there. */
const watch = async (client: CentralClient, city: City, signal: AbortSignal): Promise<readonly Raised[]> => {
  const seenCameras = new Map<string, string>()
  const seenIncidents = new Set<string>()
  while (!signal.aborted) {
    // Central may be restarting (people try what happens when it is killed): look again in a second.
    const [cameras, incidents] = await Promise.all([client.cameras(), client.incidents()]).catch(
      () => [[], []] as const,
    )
    for (const camera of cameras) {
      if (seenCameras.get(camera.id) === camera.condition) continue
      seenCameras.set(camera.id, camera.condition)
      say(`  camera ${camera.id}: ${camera.condition}${camera.conditionHint ? ` (${camera.conditionHint})` : ''}`)
    }
    for (const incident of incidents) {
      if (seenIncidents.has(incident.id)) continue
      seenIncidents.add(incident.id)
      say(
        `  incident #${incident.number} ${incident.kind} at ${incident.cameraId}: ${city.consoleUrl}/incidents/${incident.id}`,
      )
    }
    const raised = incidents.map(raisedOf).filter(item => item !== undefined)
    if (wanted.length > 0 && wanted.every(kind => raised.some(item => item.kind === kind))) return raised
    await sleep(1000, undefined, { signal }).catch(() => undefined)
  }
  return []
}

const lastLines = (file: string, count: number): string =>
  existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-count).join('\n') : 'was not started yet'

const start = async (city: City, supervisor: Supervisor): Promise<CentralClient> => {
  say(`Streams   ${city.streams.join('\n          ')}`)
  supervisor.keep(city.processes.cameras)
  await city.streamsReady()
  supervisor.keep(city.processes.central)
  await waitUntilReady(`${city.consoleUrl}/readyz`, 60_000)
  const client = await signIn(city.consoleUrl, city.user.name, city.user.password)
  supervisor.keep(...city.processes.agents)
  say(`
Console   ${city.consoleUrl}/            sign in as ${city.user.name}, password ${city.user.password}
Public    ${city.consoleUrl}/public      what citizens see
API       ${city.consoleUrl}/api/docs    and ${city.consoleUrl}/public/v1/hotspots
Agents    ${city.statusPages.join('\n          ')}
Cameras   ${city.camerasUrl}   positions of the scenes; faults on demand
Files     ${city.folder} (configuration, logs, data)
`)
  say(
    `Processes ${Object.entries(supervisor.pids())
      .map(([name, pid]) => `${name} ${pid}`)
      .join(', ')}`,
  )
  say('Models load, streams connect; the first incidents come within two minutes. Ctrl-C ends everything.\n')
  return client
}

const main = async (): Promise<number> => {
  const ended = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ended.abort(name))
  const city = await layOutCity(root)
  const supervisor = createSupervisor({
    logDir: city.logDir,
    onExit: (name, reason) =>
      say(`  ${name} ended (${reason}); starting it again. Log: ${join(city.logDir, `${name}.log`)}`),
  })
  const timer = wanted.length > 0 ? setTimeout(() => ended.abort('timeout'), timeoutS * 1000) : undefined
  try {
    const client = await Promise.race([
      start(city, supervisor),
      new Promise<undefined>(resolve => ended.signal.addEventListener('abort', () => resolve(undefined))),
    ])
    const raised = client === undefined ? [] : await watch(client, city, ended.signal)
    if (raised.length > 0) {
      console.log(JSON.stringify({ incidents: raised }))
      return 0
    }
    if (ended.signal.reason !== 'timeout') return wanted.length > 0 ? 1 : 0
    console.log(JSON.stringify({ error: `not raised within ${timeoutS} s`, wanted }))
    for (const { name } of city.processes.agents) {
      say(`--- end of ${name}.log\n${lastLines(join(city.logDir, `${name}.log`), 5)}`)
    }
    return 1
  } finally {
    clearTimeout(timer)
    say('Stopping')
    await supervisor.stop()
  }
}

process.exitCode = await main().catch((error: unknown) => {
  say(`error: ${error instanceof Error ? error.message : String(error)}`)
  return 1
})
