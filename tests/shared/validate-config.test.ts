import { Type } from '@sinclair/typebox'
import { formatConfigErrors, InvalidConfigError } from '@watchpost/shared/config/config-error'
import { deepFreeze } from '@watchpost/shared/config/freeze'
import { validateConfig } from '@watchpost/shared/config/validate-config'
import { describe, expect, it } from 'vitest'

const object = <T extends Record<string, import('@sinclair/typebox').TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
const Broker = Type.Union([
  object({ mode: Type.Literal('embedded'), port: Type.Integer({ minimum: 0, maximum: 65_535, default: 1883 }) }),
  object({ mode: Type.Literal('external'), url: Type.String({ pattern: '^mqtts?://' }) }),
])
const Schema = object({
  version: Type.Literal(1),
  dataDir: Type.String({ minLength: 1, description: 'Where data is kept.' }),
  broker: Broker,
  log: object({ level: Type.Union([Type.Literal('info'), Type.Literal('debug')], { default: 'info' }) }),
  http: object({ host: Type.String({ default: '127.0.0.1' }), trustProxy: Type.Boolean({ default: false }) }),
  cameras: Type.Array(object({ id: Type.String(), point: Type.Tuple([Type.Number(), Type.Number()]) }), {
    default: [],
  }),
  caFile: Type.Optional(Type.String()),
})
const good = { version: 1, dataDir: 'data', broker: { mode: 'embedded' } }

describe('validateConfig', () => {
  it('fills in defaults, also of sections nobody wrote', () => {
    expect(validateConfig(Schema, good)).toEqual({
      errors: [],
      value: {
        ...good,
        broker: { mode: 'embedded', port: 1883 },
        log: { level: 'info' },
        http: { host: '127.0.0.1', trustProxy: false },
        cameras: [],
      },
    })
  })

  it('takes an empty section as one nobody wrote', () => {
    expect(validateConfig(Schema, { ...good, log: null }).errors).toEqual([])
  })

  it('reports everything at once, in the order of the schema, with path, value and hint', () => {
    const { errors } = validateConfig(Schema, {
      version: 2,
      broker: { mode: 'embedded', port: 70_000, hots: 'x' },
      log: { level: 'inof' },
      cameras: [
        { id: 'a', point: [1, 'x'] },
        { id: 7, point: [1] },
      ],
      pasword: 'hunter2',
    })
    expect(errors.map(error => error.path)).toEqual([
      'version',
      'dataDir',
      'broker.port',
      'broker.hots',
      'log.level',
      'cameras[0].point[1]',
      'cameras[1].id',
      'cameras[1].point',
      'pasword',
    ])
    expect(errors.every(error => error.hint)).toBe(true)
    expect(errors.find(error => error.path === 'log.level')).toMatchObject({
      given: '"inof"',
      hint: 'Did you mean "info"?',
    })
    expect(errors.find(error => error.path === 'broker.port')?.hint).toContain('at most 65535')
    expect(errors.find(error => error.path === 'dataDir')?.hint).toContain('Where data is kept')
  })

  it('judges a tagged union by the branch that was meant', () => {
    expect(validateConfig(Schema, { ...good, broker: { mode: 'external', port: 1 } }).errors).toMatchObject([
      { path: 'broker.url', message: 'is missing' },
      { path: 'broker.port', message: 'is not a known setting' },
    ])
    expect(validateConfig(Schema, { ...good, broker: { mode: 'extrenal' } }).errors).toMatchObject([
      { path: 'broker.mode', hint: 'Did you mean "external"?' },
    ])
    expect(validateConfig(Schema, { ...good, broker: 'embedded' }).errors).toHaveLength(1)
  })

  it('never shows the value of an unknown key, nor credentials in an address', () => {
    const { errors } = validateConfig(Schema, {
      ...good,
      password: 'hunter2',
      broker: { mode: 'external', url: 'http://me:hunter2@host' },
    })
    expect(errors).toHaveLength(2)
    expect(formatConfigErrors('central.yaml', errors)).not.toContain('hunter2')
  })

  it.each([[null], ['text'], [[]], [7]])('refuses %j as a whole', given => {
    expect(validateConfig(Schema, given).errors.length).toBeGreaterThan(0)
  })

  it('is not fooled by keys of the prototype', () => {
    const given = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}')
    expect(validateConfig(Schema, { ...good, ...given }).errors.map(error => error.path)).toContain('constructor')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('records', () => {
  const Tensors = Type.Object({
    outputs: Type.Record(
      Type.String(),
      Type.Object({ values: Type.Array(Type.Number()), stride: Type.Integer({ default: 1 }) }),
    ),
  })

  it('get the defaults of their values', () => {
    const { value, errors } = validateConfig(Tensors, { outputs: { scores: { values: [1] } } })
    expect(errors).toEqual([])
    expect(value.outputs).toEqual({ scores: { values: [1], stride: 1 } })
  })

  it('say which value is wrong', () => {
    const { errors } = validateConfig(Tensors, { outputs: { scores: { values: 'none' } } })
    expect(errors.map(error => error.path)).toEqual(['outputs.scores.values'])
  })
})

describe('configuration errors', () => {
  it('are one readable text', () => {
    const { errors } = validateConfig(Schema, { ...good, lgo: {} })
    expect(new InvalidConfigError('central.yaml', errors).message).toBe(
      'central.yaml: 1 error\n  lgo: is not a known setting\n    → Did you mean "log"?',
    )
  })
})

describe('deepFreeze', () => {
  it('freezes in depth', () => {
    const frozen = deepFreeze({ a: [{ b: 1 }] })
    expect(() => Object.assign(frozen.a[0]!, { b: 2 })).toThrow(TypeError)
  })
})
