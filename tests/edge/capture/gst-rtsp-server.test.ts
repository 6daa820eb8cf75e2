import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Capture, createCapture } from '../../../edge/capture/capture.js'
import type { ConditionChange } from '../../../edge/capture/condition-tracker.js'
import type { Frame } from '../../../edge/frames/frame.js'
import { cameraOf, recordLog, until } from '../../helpers/camera-fixture.js'
import { makeClip, temporaryFolder } from '../../helpers/clips.js'
import { freePort } from '../../helpers/free-port.js'

const script = fileURLToPath(new URL('../../../scripts/rtsp-server.py', import.meta.url))
const python = '/usr/bin/python3'
const missingPiece = (): string | undefined => {
  if (!existsSync(script)) return 'scripts/rtsp-server.py does not exist yet'
  const program = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
  try {
    execFileSync(python, ['-c', program], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'gir1.2-gst-rtsp-server-1.0 and python3-gi are not installed'
  }
}
const reason = missingPiece()

const folder = temporaryFolder('gst')
const clip = join(folder, 'clip.mp4')
let capture: Capture | undefined
let server: ChildProcess | undefined

beforeAll(() => {
  makeClip(clip, { source: 'testsrc=size=320x180:rate=25', seconds: 4 })
})
afterEach(async () => {
  await capture?.stop()
  server?.kill('SIGKILL')
})

const serve = async (port: number, ...options: string[]): Promise<void> => {
  const child = spawn(python, [script, '--port', String(port), `gate=${clip}`, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  server = child
  let output = ''
  child.stdout?.on('data', chunk => {
    output += chunk
  })
  await until('the RTSP server', () => output.includes('ready'))
}

describe.skipIf(reason !== undefined)(
  `capture from gst-rtsp-server${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    it.each(['tcp', 'udp'] as const)(
      'reads a signed-in stream over %s and comes back after the server was killed',
      async transport => {
        const port = await freePort()
        const passwordFile = join(folder, 'password')
        writeFileSync(passwordFile, 'geheim-42')
        const signIn = ['--user', 'viewer', '--password-file', passwordFile]
        await serve(port, ...signIn)
        const log = recordLog()
        const frames: Frame[] = []
        const changes: ConditionChange[] = []
        const url = `rtsp://127.0.0.1:${port}/gate`
        const camera = cameraOf(
          { kind: 'rtsp', url, transport, username: 'viewer', passwordFile },
          { stallSeconds: 10 },
        )
        capture = createCapture([camera], { log, dataDir: temporaryFolder('gst-data') })
        capture.onFrame(frame => frames.push(frame))
        capture.onCondition(change => changes.push(change))
        await capture.start()
        await until('frames beyond the loop of the clip', () => frames.length >= 25)
        expect([frames[0]!.width, frames[0]!.height]).toEqual([320, 180])
        expect(changes).toEqual([])

        server!.kill('SIGKILL')
        const count = frames.length
        await until('the loss', () => capture!.status('gate')!.reconnects > 0)
        await serve(port, ...signIn)
        await until('frames again', () => frames.length > count + 5)
        expect(log.text()).not.toContain('geheim-42')
      },
      240_000,
    )
  },
)
