import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { InvalidConfigError } from '@watchpost/shared/config/config-error'
import { Reported } from '@watchpost/shared/contracts/twin'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDesiredStore } from '../../../edge/config/desired-store.js'
import type { LoadedAgentConfig } from '../../../edge/config/loaded-config.js'
import { createTwin } from '../../../edge/config/twin.js'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'twin-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const sha = (digit: number) => String(digit).repeat(64)
const loadedAs = (digit: number, cameraId = 'le-loi-1'): LoadedAgentConfig =>
  ({ sha256: sha(digit), config: { cameras: [{ id: cameraId, name: 'x', analytics: [] }] } }) as never
const desired = (version: number, config: Record<string, unknown> = { cameras: [{ id: 'new' }] }) => ({
  version,
  at: '2026-10-27T03:04:05.678Z',
  config,
})

const setUp = (options: { load?: () => LoadedAgentConfig; apply?: () => Promise<void> } = {}) => {
  const apply = vi.fn(options.apply ?? (async () => {}))
  const load = vi.fn(options.load ?? (() => loadedAs(2, 'new')))
  const store = createDesiredStore(dataDir)
  const log = { info: vi.fn(), warn: vi.fn() }
  const running = { loaded: loadedAs(1), version: 0 }
  const twin = createTwin({ running, load, apply, models: () => [], store, software: '0.1.0', log })
  return { twin, apply, load, store }
}

describe('the config twin', () => {
  it('puts new settings in force, keeps them on disk and reports their version', async () => {
    const { twin, apply, store } = setUp()
    await twin.desire(desired(3))
    expect(apply).toHaveBeenCalledTimes(1)
    expect(twin.report()).toMatchObject({
      version: 3,
      errors: [],
      configSha256: sha(2),
      cameras: [{ cameraId: 'new' }],
    })
    expect([...Value.Errors(Reported, twin.report())]).toEqual([])
    expect(store.read()).toEqual({ version: 3, config: { cameras: [{ id: 'new' }] } })
  })

  it('takes a version only once, however often the broker repeats it', async () => {
    const { twin, apply } = setUp()
    await twin.desire(desired(3))
    await twin.desire(desired(3))
    expect(apply).toHaveBeenCalledTimes(1)
  })

  it('reports every error of settings it refuses and keeps the last good ones', async () => {
    const errors = [{ path: 'cameras[0].name', message: 'is missing', hint: 'Add it.', line: 3 }]
    const { twin, apply, store } = setUp({
      load: () => {
        throw new InvalidConfigError('agent.yaml', errors)
      },
    })
    await twin.desire(desired(4))
    expect(apply).not.toHaveBeenCalled()
    expect(store.read()).toBeUndefined()
    expect(twin.report()).toMatchObject({
      version: 0,
      configSha256: sha(1),
      errors: [{ path: 'cameras[0].name', message: 'is missing', hint: 'Add it.' }],
    })
  })

  it('reports settings that run but could not be stored, and stores them when they come again', async () => {
    const { twin, apply, store } = setUp()
    rmSync(dataDir, { recursive: true })
    writeFileSync(dataDir, 'a file in the place of the folder')
    await twin.desire(desired(3))
    expect(twin.report()).toMatchObject({
      version: 3,
      configSha256: sha(2),
      errors: [{ message: expect.stringContaining('could not be stored'), hint: expect.stringContaining('dataDir') }],
    })
    rmSync(dataDir)
    await twin.desire(desired(3))
    expect(twin.report()).toMatchObject({ version: 3, errors: [] })
    expect(store.read()?.version).toBe(3)
    expect(apply).toHaveBeenCalledTimes(1)
  })

  it('reports settings that are well-formed but cannot be started', async () => {
    const { twin, store } = setUp({ apply: () => Promise.reject(new Error('model water has a wrong hash')) })
    await twin.desire(desired(4))
    expect(twin.report()).toMatchObject({
      version: 0,
      configSha256: sha(1),
      errors: [{ message: 'model water has a wrong hash' }],
    })
    expect(store.read()).toBeUndefined()
  })

  it('lets central set cameras and models, nothing else', async () => {
    const { twin, load } = setUp()
    await twin.desire(desired(5, { mqtt: { url: 'mqtt://elsewhere' } }))
    expect(load).not.toHaveBeenCalled()
    expect(twin.report().errors).toMatchObject([{ path: 'mqtt', message: 'cannot be set by central' }])
  })

  it('refuses what is no desired message', async () => {
    const { twin } = setUp()
    await twin.desire({ version: 'latest' })
    expect(twin.report().errors).not.toEqual([])
  })

  it('clears old errors when a later version is good', async () => {
    let isBad = true
    const { twin } = setUp({
      apply: async () => {
        if (isBad) throw new Error('no')
      },
    })
    await twin.desire(desired(1))
    isBad = false
    await twin.desire(desired(2))
    expect(twin.report()).toMatchObject({ version: 2, errors: [] })
  })
})

describe('stored settings', () => {
  it('are left aside when the file is damaged', () => {
    const store = createDesiredStore(dataDir)
    store.write({ version: 1, config: {} })
    expect(JSON.parse(readFileSync(join(dataDir, 'desired.json'), 'utf8'))).toEqual({ version: 1, config: {} })
    writeFileSync(join(dataDir, 'desired.json'), '{"version": 1, "conf')
    expect(store.read()).toBeUndefined()
  })
})
