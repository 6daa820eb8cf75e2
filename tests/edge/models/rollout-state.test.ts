import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRolloutStore, type RolloutState } from '../../../edge/models/rollout-state.js'
import { untouched } from '../../../edge/models/slots.js'

let disk: string
beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), 'rollout-state-'))
  // A real file system of 64 kB.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk])
})
afterEach(() => {
  execFileSync('umount', [disk])
  rmSync(disk, { recursive: true })
})

/** Leaves one page, so that a longer file fits in part. */
const fillUpToAPage = (): void => {
  const ballast = openSync(join(disk, 'ballast'), 'a')
  const page = Buffer.alloc(4096)
  let pages = 0
  try {
    for (;;) pages += writeSync(ballast, page) / page.length
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(ballast)
  }
  execFileSync('truncate', ['-s', String((pages - 1) * page.length), join(disk, 'ballast')])
}

const stateOf = (reason: string): RolloutState => ({
  water: { ...untouched, active: 'a'.repeat(64), last: { at: '', what: 'promoted', digest: null, reason } },
})

describe('the state of the models on disk', () => {
  it('stays whole when there is room for a part of the next one only', () => {
    const store = createRolloutStore(join(disk, 'model-rollout.json'))
    store.write(stateOf('It took over.'))
    fillUpToAPage()
    expect(() => store.write(stateOf('x'.repeat(10_000)))).toThrow(/ENOSPC/)
    expect(store.read()).toEqual(stateOf('It took over.'))
    rmSync(join(disk, 'ballast'))
    store.write(stateOf('It passed.'))
    expect(store.read()).toEqual(stateOf('It passed.'))
  })
})
