import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRolloutStore, type RolloutState } from '../../../edge/models/rollout-state.js'
import { untouched } from '../../../edge/models/slots.js'
import { mountSmallDisk } from '../../helpers/small-disk.js'

/** Leaves one page, so that a longer file fits in part. */
const fillUpToAPage = (disk: string): void => {
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
  it('stays whole when there is room for a part of the next one only', ({ skip }) => {
    const disk = mountSmallDisk(64)
    if ('reason' in disk) return skip(disk.reason)
    const { path } = disk
    const store = createRolloutStore(join(path, 'model-rollout.json'))
    store.write(stateOf('It took over.'))
    fillUpToAPage(path)
    expect(() => store.write(stateOf('x'.repeat(10_000)))).toThrow(/ENOSPC/)
    expect(store.read()).toEqual(stateOf('It took over.'))
    rmSync(join(path, 'ballast'))
    store.write(stateOf('It passed.'))
    expect(store.read()).toEqual(stateOf('It passed.'))
  })
})
