import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { missingProgram } from '../helpers/missing-program.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const demo = (args: readonly string[], onStderr: (text: string, pid: number) => void = () => {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['scripts/dist/demo.js', ...args], { cwd: root })
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', chunk => {
      text.stdout += chunk
    })
    child.stderr.on('data', chunk => {
      text.stderr += chunk
      onStderr(text.stderr, child.pid ?? 0)
    })
    child.once('error', reject)
    child.once('close', code => resolve({ code, ...text }))
  })

/** Pids of processes that were started with a file of the demo's folder as an argument. */
const leftovers = (): readonly string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${root}.demo/`)
      } catch {
        return false
      }
    })

describe('the demo', () => {
  const missing = missingProgram('ffmpeg')

  it('raises a flood and a red-light incident with evidence from RTSP streams, and leaves nothing running', {
    timeout: 420_000,
  }, async ({ skip }) => {
    skip(missing !== undefined, missing)
    const { code, stdout, stderr } = await demo(['--until', 'flood-level,red-light', '--timeout-s', '330'])
    expect(code, stderr).toBe(0)
    const lines = stdout.trim().split('\n')
    expect(lines).toHaveLength(1)
    const { incidents } = JSON.parse(lines[0] ?? '')
    const evidence = { evidenceSha256: expect.stringMatching(/^[0-9a-f]{64}$/), openedAt: expect.stringMatching(/Z$/) }
    expect(incidents).toContainEqual(expect.objectContaining({ kind: 'flood-level', camera: 'ba-trieu', ...evidence }))
    expect(incidents).toContainEqual(expect.objectContaining({ kind: 'red-light', camera: 'hung-vuong', ...evidence }))
    expect(leftovers()).toEqual([])
  })

  it('ends with 1 and the reason when the incidents do not come in time', { timeout: 240_000 }, async ({ skip }) => {
    skip(missing !== undefined, missing)
    const { code, stdout } = await demo(['--until', 'straw-burning', '--timeout-s', '5'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({ error: expect.stringContaining('5 s'), wanted: ['straw-burning'] })
    expect(leftovers()).toEqual([])
  })

  it('ends everything on Ctrl-C while it is still starting', { timeout: 240_000 }, async ({ skip }) => {
    skip(missing !== undefined, missing)
    let interrupted = false
    const { code, stderr } = await demo([], (text, pid) => {
      if (interrupted || !text.includes('Processes')) return
      interrupted = true
      process.kill(pid, 'SIGINT')
    })
    expect(interrupted, stderr).toBe(true)
    expect(code).toBe(0)
    expect(leftovers()).toEqual([])
  })

  it('names the kinds it knows when asked for another', async () => {
    const { code, stderr } = await demo(['--until', 'flod'])
    expect(code).toBe(2)
    expect(stderr).toContain('flood-level')
  })
})
