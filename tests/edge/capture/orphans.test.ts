import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createChildRegister } from '../../../edge/capture/child-register.js'
import { identify } from '../../../edge/capture/process-identity.js'
import { recordLog, until } from '../../helpers/camera-fixture.js'
import { makeClip, readH264, temporaryFolder } from '../../helpers/clips.js'
import { type RtspServer, startRtspServer } from '../../helpers/rtsp-server.js'

const compiledCapture = fileURLToPath(new URL('../../../edge/dist/capture/capture.js', import.meta.url))
const folder = temporaryFolder('orphans')
let server: RtspServer

beforeAll(async () => {
  const clip = readH264(makeClip(join(folder, 'clip.h264'), { source: 'testsrc=size=320x180:rate=25', seconds: 2 }))
  server = await startRtspServer({ streams: { cam1: { clip } } })
})
afterAll(() => server.close())

/** An agent in a process of its own; resolves when its first frame arrived. */
const startAgent = async (dataDir: string) => {
  const program = `
    import { createCapture } from ${JSON.stringify(compiledCapture)}
    const quiet = () => {}
    const camera = {
      id: 'gate', name: 'gate', source: { kind: 'rtsp', url: ${JSON.stringify(server.url('cam1'))}, transport: 'tcp' },
      frame: { width: 160 }, stallSeconds: 60, clockOffsetMs: 0, privacyMasks: [], health: { enabled: true },
      analytics: [{ id: 'a', kind: 'traffic', fps: 5 }],
    }
    const capture = createCapture([camera], { dataDir: ${JSON.stringify(dataDir)}, log: { debug: quiet, info: quiet, warn: quiet, error: quiet } })
    capture.onFrame(() => console.log('frame'))
    await capture.start()`
  const agent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  agent.stdout.on('data', chunk => {
    output += chunk
  })
  await until('a frame of the agent', () => output.includes('frame'))
  return agent
}

const entries = (dataDir: string) =>
  readdirSync(join(dataDir, 'capture')).map(name => JSON.parse(readFileSync(join(dataDir, 'capture', name), 'utf8')))

describe('children of a killed agent', () => {
  it('are ended at the next start, even frozen ones, and only when their agent is gone', async () => {
    const dataDir = temporaryFolder('orphans-data')
    const log = recordLog()
    const agent = await startAgent(dataDir)
    const [entry] = entries(dataDir)
    const pid: number = entry.child.pid
    const register = createChildRegister(join(dataDir, 'capture'), log)

    expect(register.sweep()).toBe(0)
    expect(identify(pid), 'the child of a living agent').toBeDefined()

    // Frozen: what it still has to write would otherwise end it, now that nobody reads.
    process.kill(pid, 'SIGSTOP')
    agent.kill('SIGKILL')
    await until('the agent to be gone', () => identify(agent.pid!) === undefined)
    expect(identify(pid), 'the orphan').toBeDefined()

    expect(register.sweep()).toBe(1)
    await until('the orphan to be gone', () => identify(pid) === undefined)
    expect(readdirSync(join(dataDir, 'capture'))).toEqual([])
    expect(log.text()).toContain('left behind')
  })

  it('never takes a stranger that got the number of an old child for that child', async () => {
    const dataDir = temporaryFolder('orphans-stranger')
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' })
    const register = createChildRegister(dataDir, recordLog())
    register.record('gate', stranger.pid!)
    const [name] = readdirSync(dataDir)
    const entry = JSON.parse(readFileSync(join(dataDir, name!), 'utf8'))
    // As an earlier agent would have left it, whose child's number the stranger now has.
    const earlier = (process: { startTicks: number }) => ({ ...process, startTicks: process.startTicks - 1 })
    const left = { ...entry, child: earlier(entry.child), owner: earlier(entry.owner) }
    writeFileSync(join(dataDir, name!), JSON.stringify(left))
    writeFileSync(join(dataDir, 'broken.json'), '{')
    expect(register.sweep()).toBe(0)
    expect(identify(stranger.pid!)).toBeDefined()
    expect(readdirSync(dataDir)).toEqual([])
    stranger.kill('SIGKILL')
  })
})
