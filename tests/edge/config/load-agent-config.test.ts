import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidConfigError } from '@watchpost/shared/config/config-error'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LoadOptions, loadAgentConfig } from '../../../edge/config/load-agent-config.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'))
  mkdirSync(join(folder, 'models/water'), { recursive: true })
  writeFileSync(join(folder, 'models/water/manifest.json'), '{}')
  writeFileSync(join(folder, 'street.mp4'), 'not looked into')
  writeFileSync(join(folder, 'mqtt.password'), 'opensesame\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const good = `version: 1
site: an-cuu
agent: an-cuu-1
dataDir: data
mqtt:
  url: mqtt://127.0.0.1:1883
  username: an-cuu-1
  passwordFile: mqtt.password
evidence:
  url: http://127.0.0.1:8080
  tokenEnv: EVIDENCE_TOKEN
models:
  - { id: water, path: models/water }
cameras:
  - id: le-loi-1
    name: Lê Lợi 1
    source: { kind: file, path: street.mp4 }
    analytics:
      - id: flood
        kind: flood-level
        model: water
        gauge:
          points: [{ x: 0.5, y: 0.9, cm: 0 }, { x: 0.5, y: 0.4, cm: 60 }]
        levels:
          - { name: wet, cm: 5, severity: minor }
          - { name: deep, cm: 30, severity: major }
`
const environment = { EVIDENCE_TOKEN: 'token' }

const load = (text: string, options: LoadOptions = { environment }) => {
  const file = join(folder, 'agent.yaml')
  writeFileSync(file, text)
  return loadAgentConfig(file, options)
}

const refusal = (text: string, options?: LoadOptions): string => {
  try {
    load(text, options)
  } catch (error) {
    if (error instanceof InvalidConfigError) return error.message.replaceAll(folder, '<folder>')
    throw error
  }
  throw new Error('the configuration was accepted')
}

describe('a model path that is no text', () => {
  it.each(['5', '[]', '{}', 'null'])('is refused with its place, not with a stack: %s', path => {
    expect(refusal(good.replace('path: models/water', `path: ${path}`))).toContain('models[0].path')
  })
})

describe('stallSeconds', () => {
  it('is refused where every pause would be a stall', () => {
    const text = good.replace('    name: Lê Lợi 1\n', '    name: Lê Lợi 1\n    stallSeconds: 0\n')
    expect(refusal(text)).toMatch(/stallSeconds: .*\n.*at least 2/)
  })
})

describe('loading a sound configuration', () => {
  it('fills in defaults, also of sections nobody wrote', () => {
    const { config } = load(good)
    expect(config.outbox.maxRows).toBe(2_000_000)
    expect(config.cameras[0]?.frame.width).toBe(640)
    expect(config.cameras[0]?.analytics[0]).toMatchObject({ fps: 1, readings: 5, gauge: { halfWidth: 0.02 } })
  })

  it('makes paths absolute, starting at the folder of the file', () => {
    const { config } = load(good)
    expect(config.dataDir).toBe(join(folder, 'data'))
    expect(config.models[0]?.path).toBe(join(folder, 'models/water'))
    expect(config.cameras[0]?.source).toMatchObject({ path: join(folder, 'street.mp4') })
  })

  it('reads secrets from files and the environment and keeps them out of the config', () => {
    const { config, secrets } = load(good)
    expect(secrets).toMatchObject({ mqttPassword: 'opensesame', evidenceToken: 'token' })
    expect(JSON.stringify(config)).not.toContain('opensesame')
  })

  it('takes trusted keys in the text or as files beside it', () => {
    writeFileSync(join(folder, 'release.pub'), 'not looked into')
    const inline = `ed25519:${'A'.repeat(43)}=`
    const { config } = load(`${good}requireSignatures: true\ntrustedKeys: [${inline}, release.pub]\n`)
    expect(config.trustedKeys).toEqual([inline, join(folder, 'release.pub')])
    expect(refusal(`${good}trustedKeys: [none.pub]\n`)).toMatch(/trustedKeys\[0\]: names a file that does not exist/)
  })

  it('is refused when signatures are required and no key is trusted', () => {
    expect(refusal(`${good}requireSignatures: true\n`)).toMatch(
      /requireSignatures: is true but trustedKeys is empty, so every model package would be refused/,
    )
  })

  it('is frozen in depth', () => {
    const { config } = load(good)
    expect(() => {
      ;(config.cameras as unknown[]).push({})
    }).toThrow(TypeError)
  })

  it('needs neither secrets nor sources for a replay', () => {
    const text = good.replace('street.mp4', 'gone.mp4')
    expect(load(text, { environment: {}, purpose: 'replay' }).config.site).toBe('an-cuu')
    expect(refusal(text, { environment: {} })).toContain('EVIDENCE_TOKEN')
  })

  it('takes cameras from the twin instead of the file', () => {
    const overlay = { cameras: [{ ...load(good).config.cameras[0], id: 'from-central' }] }
    expect(load(good, { environment, overlay }).config.cameras.map(camera => camera.id)).toEqual(['from-central'])
  })
})

describe('refusing a configuration', () => {
  it('lists everything that is wrong at once, in the order of the file', () => {
    const bad = `version: 1
site: An Cuu
agent: an-cuu-1
dataDir: data
mqtt:
  url: mqtt://me:hunter2@127.0.0.1
  password: hunter2
evidence:
  url: http://127.0.0.1:8080
  tokenEnv: EVIDENCE_TOKEN_2
  qotaMb: 100
models:
  - { id: water, path: models/water }
  - { id: water, path: models/wter }
cameras:
  - id: le-loi-1
    name: Lê Lợi 1
    source: { kind: rtps, url: rtsp://10.0.0.1 }
    analytics:
      - id: flood
        kind: flood-level
        model: wter
        gauge: { points: [{ x: 0.5, y: 0.9, cm: 10 }, { x: 0.5, y: 0.4, cm: 5 }] }
        levels:
          - { name: deep, cm: 30, severity: major }
          - { name: wet, cm: 5, severity: minor }
      - id: traffic
        kind: traffic
        model: water
        lamps: [{ id: north, red: [0.1, 0.1, 0.02, 0.02], green: [0.1, 0.2, 0.02, 0.02] }]
        lines:
          - { id: stop, kind: stop-line, points: [[0, 0.5], [1, 0.5]], lamp: nort, forward: [0, 0] }
  - id: le-loi-1
    name: Lê Lợi 2
    source: { kind: rtsp, url: rtsp://10.0.0.2/live, username: viewer }
    frame: { width: wide }
    analytics:
      - { id: smoke, kind: smoke-flame, model: water, zones: [], persistence: { k: 9, n: 3 } }
`
    const text = refusal(bad)
    expect(text).not.toContain('hunter2')
    expect(text).toMatchSnapshot()
  })

  it('names a camera that would watch for smoke in ignored zones alone', () => {
    const zones = '[{ id: sky, landUse: ignore, polygon: [[0, 0], [1, 0], [1, 1]] }]'
    const blind = `${good}      - { id: smoke, kind: smoke-flame, model: water, zones: ${zones} }\n`
    expect(refusal(blind)).toMatch(/cameras\[0\]\.analytics\[1\]\.zones: are all ignored.*landUse forest/s)
    expect(load(blind.replace('ignore', 'forest')).config.cameras[0]?.analytics).toHaveLength(2)
  })

  it('says where text stops being YAML', () => {
    expect(refusal('version: 1\nsite: "an-cuu\nagent: x\n')).toMatch(/line \d+, is not valid YAML/)
  })

  it('refuses a version it cannot know', () => {
    expect(refusal(good.replace('version: 1', 'version: 7'))).toContain('this software reads versions up to 1')
  })

  it('says so when the file is not there', () => {
    expect(() => loadAgentConfig(join(folder, 'none.yaml'))).toThrow(/does not exist/)
  })

  it('shows no line for errors that came with the twin', () => {
    expect(refusal(good, { environment, overlay: { cameras: [{ id: 'x' }] } })).toContain(
      '\n  cameras[0].name: is missing',
    )
  })

  it.each([
    ['an empty secret file', { 'mqtt.password': '' }, 'names an empty file'],
    ['a model folder without manifest', { 'models/water/manifest.json': undefined }, 'without a manifest.json'],
    ['a missing video', { 'street.mp4': undefined }, 'names a file that does not exist'],
  ])('refuses %s', (_name, files, message) => {
    for (const [name, content] of Object.entries(files)) {
      if (content === undefined) rmSync(join(folder, name))
      else writeFileSync(join(folder, name), content)
    }
    expect(refusal(good)).toContain(message)
  })
})
