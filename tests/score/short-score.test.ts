import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Result } from '../../scripts/score/result.js'
import { temporaryFolder } from '../helpers/clips.js'
import { missingProgram } from '../helpers/missing-program.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const score = (...args: readonly string[]): Promise<Ended> =>
  new Promise(resolve => {
    execFile(
      process.execPath,
      [join(root, 'scripts/dist/score/score.js'), ...args],
      { cwd: root, maxBuffer: 1e8 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })

/** Processes that were started with a file below the folder. */
const leftovers = (folder: string): readonly string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)
      } catch {
        return false
      }
    })

describe('the score', () => {
  it('plays two scenes through agents, broker and central, and tells how good they are', {
    timeout: 600_000,
  }, async ({ skip }) => {
    const missing = missingProgram('ffmpeg')
    skip(missing !== undefined, missing)
    const out = temporaryFolder('score')
    const { code, stdout, stderr } = await score('--short', '--json', '--out', out)
    expect(code, stderr).toBe(0)
    const result = JSON.parse(stdout) as Result
    expect(JSON.parse(readFileSync(join(out, 'score.json'), 'utf8'))).toEqual(result)

    // The water rises to 30 cm in these 45 s: two alarm levels. A machine that is busy reads fewer of its frames, not wrong ones.
    const [street, junction] = ['flood-street', 'junction'].map(name => result.scenes.find(one => one.scene === name)!)
    expect(result.scenes).toHaveLength(2)
    expect(result.flood.rmseCmDay).toBeGreaterThan(0)
    expect(result.flood.rmseCmDay).toBeLessThan(15)
    expect(result.flood.rmseCmNight).toBeNull()
    expect(result.flood.levelsTold).toBeGreaterThanOrEqual(1)
    expect(street!.flood!.readings).toBeGreaterThan(5)
    expect(street!.flood!.crossings.map(({ cm }) => cm)).toEqual([10, 25])

    // Four violations; the car that stands is found even when most frames are dropped.
    expect(result.traffic.counts.found + result.traffic.counts.missed).toBe(4)
    expect(result.traffic.byViolation['illegal-stopping']).toMatchObject({ found: 1, recall: 1 })
    expect(junction!.traffic!.tracks!.frames).toBeGreaterThan(200)
    expect(result.traffic.idf1).toBeGreaterThan(0.3)
    expect(result.traffic.hota).toBeGreaterThan(0.3)
    expect(result.fire.secondsToDetect).toBeNull()

    expect(result.holds.map(({ id }) => id)).toContain('flood-blind')
    expect(result.exposureCameraDays! * 86_400).toBeCloseTo(85, 0)
    expect(result.models.map(({ id }) => id).toSorted()).toEqual(['road-users', 'water-segmentation'])
    expect(result.droppedShare).toBeGreaterThanOrEqual(0)

    const report = readFileSync(join(out, 'report.html'), 'utf8')
    for (const text of ['<polyline class="truth"', 'id="junction"', 'data:image/jpeg;base64,'])
      expect(report).toContain(text)
    expect(report).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(leftovers(out)).toEqual([])
  })

  it('says what is wrong with a call, and plays nothing', async () => {
    const unknown = await score('--scenes', 'flod-street')
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toContain('flood-street')
    const usage = await score('--use', 'training')
    expect([usage.code, usage.stdout]).toEqual([2, ''])
  })
})
