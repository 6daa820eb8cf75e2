import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidConfigError } from '@watchpost/shared/config/config-error'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadCentralConfig } from '../../../central/config/load-central-config.js'
import { City } from '../../../central/registry/city.js'

const cityYaml = `
version: 1
name: { vi: Huế, en: Hue }
centre: [107.59, 16.46]
wards:
  - id: thuan-hoa
    name: { vi: Thuận Hóa, en: Thuan Hoa }
    polygon: [[107.5, 16.4], [107.7, 16.4], [107.7, 16.5], [107.5, 16.4]]
sites:
  - id: an-cuu
    name: { vi: An Cựu, en: An Cuu }
    agents: [an-cuu-1]
    cameras:
      - { id: le-loi-1, name: { vi: Lê Lợi, en: Le Loi }, location: [107.59, 16.46] }
hotspots:
  - id: le-loi
    name: { vi: Lê Lợi, en: Le Loi }
    location: [107.59, 16.46]
    camera: le-loi-1
    levels: [{ name: { vi: Ngập, en: Flooded }, cm: 10, severity: minor }]
`
const centralYaml = 'version: 1\ndataDir: data\ncity: city.yaml\n'

let directory: string
const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
const load = () => loadCentralConfig(join(directory, 'central.yaml'), City)
const errorsOf = () => {
  try {
    load()
  } catch (error) {
    if (error instanceof InvalidConfigError) return error.errors
    throw error
  }
  return []
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'central-config-'))
  write('central.yaml', centralYaml)
  write('city.yaml', cityYaml)
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('loadCentralConfig', () => {
  it('runs with three lines: embedded broker, embedded time series, loopback only', () => {
    const { settings, city, secrets } = load()
    expect(settings.broker).toEqual({ mode: 'embedded', host: '127.0.0.1', port: 1883 })
    expect(settings.timeseries).toEqual({ kind: 'embedded', rawDays: 90 })
    expect(settings.dataDir).toBe(join(directory, 'data'))
    expect(city.sites[0]?.agents).toEqual(['an-cuu-1'])
    expect(secrets).toEqual({})
  })

  it('is frozen, city included', () => {
    const loaded = load()
    expect(Object.isFrozen(loaded.settings.http)).toBe(true)
    expect(Object.isFrozen(loaded.city.sites[0]?.cameras)).toBe(true)
  })

  it('reads secrets from files, relative to the configuration file', () => {
    write('agents', '# agents\nan-cuu-1:s3cret:with:colons\n\n')
    write('central.yaml', `${centralYaml}broker: { mode: embedded, host: 0.0.0.0, credentialsFile: agents }\n`)
    expect(load().secrets.brokerCredentials).toEqual(new Map([['an-cuu-1', 's3cret:with:colons']]))
  })

  it('refuses a broker that strangers reach without a password', () => {
    write('central.yaml', `${centralYaml}broker: { mode: embedded, host: 0.0.0.0 }\n`)
    expect(errorsOf()).toMatchObject([{ path: 'broker.host', given: '0.0.0.0' }])
  })

  it.each([true, false, 2, ['127.0.0.1', '10.0.0.0/8', '2001:db8::/32']])('takes %j for trustProxy', trustProxy => {
    write('central.yaml', `${centralYaml}http: { trustProxy: ${JSON.stringify(trustProxy)} }\n`)
    expect(load().settings.http.trustProxy).toEqual(trustProxy)
  })

  it.each([
    ['"yes"', 'http.trustProxy', 'how many'],
    ['0', 'http.trustProxy', ''],
    ['["127.0.0.1", "proxy.example", "10.0.0.0/33"]', 'http.trustProxy[1]', 'a network: 10.0.0.0/8'],
    ['["0.0.0.0/0"]', 'http.trustProxy[0]', 'a network: 10.0.0.0/8'],
  ])('refuses %s for trustProxy', (given, path, hint) => {
    write('central.yaml', `${centralYaml}http: { trustProxy: ${given} }\n`)
    expect(errorsOf()[0]).toMatchObject({ path, hint: expect.stringContaining(hint) })
  })

  it('reports missing secrets, bad secret lines and city errors together, without showing a secret', () => {
    write('tokens', 'an-cuu-1:t0ken\nan-cuu-1:other\nnocolon-hunter2\n')
    write('city.yaml', cityYaml.replace('camera: le-loi-1', 'camera: le-loi-l'))
    write(
      'central.yaml',
      `${centralYaml}broker: { mode: external, url: "mqtt://b", passwordFile: missing }\nevidence: { tokensFile: tokens }\n`,
    )
    const errors = errorsOf()
    expect(errors.map(error => error.path.replace(directory, ''))).toEqual([
      'broker.passwordFile',
      'evidence.tokensFile',
      'evidence.tokensFile',
      'city (/city.yaml): hotspots[0].camera',
    ])
    expect(errors.at(-1)?.hint).toBe('Did you mean "le-loi-1"?')
    expect(JSON.stringify(errors)).not.toMatch(/hunter2|t0ken/)
  })

  it.each([
    ['a file that is not there', undefined, 'does not exist'],
    ['broken YAML', 'version: [1', 'not valid YAML at line'],
    ['a key given twice', 'version: 1\nversion: 1\n', 'not valid YAML at line 2'],
  ])('says what is wrong with %s', (_, text, message) => {
    if (text === undefined) rmSync(join(directory, 'central.yaml'))
    else write('central.yaml', text)
    expect(errorsOf()[0]?.message).toContain(message)
  })

  it.each([
    ['an agent at two sites', 'agents: [an-cuu-1, an-cuu-1]', 'agents: [an-cuu-1]', 'sites[0].agents[1]'],
    ['an open ward ring', '[107.5, 16.5]]', '[107.5, 16.4]]', 'wards[0].polygon'],
    [
      'levels that do not ascend',
      'severity: minor }, { name: { vi: a, en: a }, cm: 10, severity: major }]',
      'severity: minor }]',
      'hotspots[0].levels[1].cm',
    ],
  ])('refuses a city with %s', (_, wrong, right, path) => {
    write('city.yaml', cityYaml.replace(right, wrong))
    expect(errorsOf().map(error => error.path.split(': ')[1])).toEqual([path])
  })
})
