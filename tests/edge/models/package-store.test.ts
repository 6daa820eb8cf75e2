import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { UnpackRequest } from '../../../edge/inference/unpack-package.js'
import { createPackageStore } from '../../../edge/models/package-store.js'
import { temporaryFolder } from '../../helpers/clips.js'

const [kept, arriving, old] = ['a', 'b', 'c'].map(digit => digit.repeat(64)) as [string, string, string]

/** A store whose unpacking has written half of the folder and goes on when the test says so. */
const setUp = () => {
  const directory = temporaryFolder('store')
  let calls = 0
  const [halfWritten, gate] = [signal(), signal()]
  const unpack = async ({ archivePath, target }: UnpackRequest): Promise<void> => {
    if (!existsSync(archivePath)) throw new Error('The archive is gone.')
    const part = join(directory, `.${++calls}.part`)
    mkdirSync(part)
    writeFileSync(join(part, 'manifest.json'), '{}')
    halfWritten.give()
    await gate.given
    writeFileSync(join(part, 'model.onnx'), '')
    await rename(part, target)
  }
  const store = createPackageStore(directory, unpack)
  for (const digest of [kept, old]) {
    mkdirSync(store.folderOf(digest))
    writeFileSync(join(store.folderOf(digest), 'manifest.json'), '{}')
  }
  writeFileSync(store.partOf(arriving), 'archive')
  return { directory, store, halfWritten: halfWritten.given, goOn: gate.give, calls: () => calls }
}
const signal = () => {
  let give = (): void => {}
  const given = new Promise<void>(resolve => {
    give = resolve
  })
  return { given, give }
}

describe('packages on disk', () => {
  it('are swept beside one that is being unpacked, which arrives whole', async () => {
    const { directory, store, halfWritten, goOn } = setUp()
    const unpacked = store.unpack(arriving)
    await halfWritten
    await store.keepOnly(new Set([kept]))
    goOn()
    await unpacked
    expect(readdirSync(directory).toSorted()).toEqual([kept, arriving])
    expect(readdirSync(store.folderOf(arriving))).toEqual(['manifest.json', 'model.onnx'])
    await store.keepOnly(new Set([kept]))
    expect(readdirSync(directory)).toEqual([kept])
  })

  it('are unpacked once when two models want the same one', async () => {
    const { store, goOn, calls } = setUp()
    const both = Promise.all([store.unpack(arriving), store.unpack(arriving)])
    goOn()
    await both
    expect([calls(), store.has(arriving)]).toEqual([1, true])
  })

  it('take the place of what has no manifest, as a removal that broke off leaves it', async () => {
    const { store, goOn } = setUp()
    goOn()
    mkdirSync(store.folderOf(arriving))
    writeFileSync(join(store.folderOf(arriving), 'CARD.md'), '')
    await store.unpack(arriving)
    expect(readdirSync(store.folderOf(arriving))).toEqual(['manifest.json', 'model.onnx'])
  })

  it('are swept clean of what an earlier life of the agent was unpacking', async () => {
    const { directory, store } = setUp()
    mkdirSync(join(directory, '.left.part'))
    await rm(store.partOf(arriving))
    await store.keepOnly(new Set([kept]))
    expect(readdirSync(directory)).toEqual([kept])
  })
})
