import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Parser } from '@asyncapi/parser'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import { catalogue } from '@watchpost/shared/contracts/catalogue'
import { beforeAll, describe, expect, it } from 'vitest'

/** `stored/{message}/{name}.json`: messages as agents in the field have sent them; every release must still read them. */
const stored = fileURLToPath(new URL('stored/', import.meta.url))
const documents = fileURLToPath(new URL('../../shared/documents/', import.meta.url))

const messages = readdirSync(stored).flatMap(message =>
  readdirSync(`${stored}${message}`).map(name => ({ message, name, file: `${stored}${message}/${name}` })),
)

describe('wire contracts', () => {
  it('have a stored message for every schema of the catalogue', () => {
    expect([...new Set(messages.map(({ message }) => message))].sort()).toEqual(Object.keys(catalogue).sort())
  })

  it.each(messages)('still read $message/$name', ({ message, file }) => {
    const schema = catalogue[message]?.schema
    expect([...TypeCompiler.Compile(schema!).Errors(JSON.parse(readFileSync(file, 'utf8')))]).toEqual([])
  })

  it.each(Object.entries(catalogue))('give %s examples that fit it', (_name, { schema, examples }) => {
    for (const example of examples) expect([...Value.Errors(schema, example)]).toEqual([])
  })

  it.each([
    ['event.v1', { kind: 'flod-level' }],
    ['event.v1', { confidence: 1.2 }],
    ['event.v1', { phenomenonTime: '2026-10-27 03:04:05' }],
    ['observation.v1', { value: '31.5' }],
    ['observation.v1', { extra: 1 }],
    ['ack.v1', { seq: -1 }],
    ['evidence.v1', { sha256: 'ABC' }],
    ['envelope.v1', { source: '/sites/an-cuu/cameras/' }],
    ['envelope.v1', { seq: 0 }],
    ['data.v1', { envelopes: [] }],
  ])('refuse a %s with %j', (name, change) => {
    const { schema, examples } = catalogue[name]!
    expect(Value.Check(schema, { ...(examples[0] as object), ...change })).toBe(false)
  })
})

describe('the AsyncAPI document', () => {
  let diagnostics: Awaited<ReturnType<Parser['parse']>>['diagnostics']
  let document: Awaited<ReturnType<Parser['parse']>>['document']

  beforeAll(async () => {
    ;({ diagnostics, document } = await new Parser().parse(readFileSync(`${documents}asyncapi.json`, 'utf8')))
  })

  it('is valid AsyncAPI 3.0', () => {
    const errors = diagnostics.filter(({ severity }) => severity === 0).map(({ message, path }) => ({ message, path }))
    expect(errors).toEqual([])
    expect(document?.version()).toBe('3.0.0')
  })

  it('names every channel', () => {
    const ids = document
      ?.channels()
      .all()
      .map(channel => channel.id())
    expect(ids?.sort()).toEqual([
      'ack',
      'command',
      'data',
      'desired',
      'health',
      'nack',
      'reply',
      'reported',
      'shadow',
      'state',
    ])
  })
})
