import { Kind, type Static, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { type ConfigError, showGiven } from './config-error.js'
import { didYouMean } from './did-you-mean.js'

export interface ValidatedConfig<T> {
  /** With defaults filled in; only to be used when `errors` is empty. */
  readonly value: T
  /** In the order of the schema; empty when the value fits. */
  readonly errors: readonly ConfigError[]
}

/**
 * Checks parsed YAML against a schema and fills in defaults. Unlike the schema library's own check it
 * reports everything at once, judges a union by the branch that was meant (`kind`, `mode`), and gives hints.
 * A missing or empty section whose fields all have defaults is filled in.
 */
export const validateConfig = <S extends TSchema>(schema: S, given: unknown): ValidatedConfig<Static<S>> => {
  const errors: ConfigError[] = []
  return { value: walk(schema, given, '', errors) as Static<S>, errors }
}

const walk = (schema: TSchema, given: unknown, path: string, errors: ConfigError[]): unknown => {
  const value = given ?? defaultOf(schema) ?? given
  const kind: string = schema[Kind]
  if (kind === 'Union') return walkUnion(schema, value, path, errors)
  if (kind === 'Object') return walkObject(schema, value ?? {}, path, errors)
  if (kind === 'Record') return walkRecord(schema, value, path, errors)
  if (kind === 'Array') return walkArray(schema, value, path, errors)
  if (kind === 'Tuple' && Array.isArray(value) && value.length === schema.items.length)
    return value.map((item, index) => walk(schema.items[index], item, `${path}[${index}]`, errors))
  return checkLeaf(schema, value, path, errors)
}

const defaultOf = (schema: TSchema): unknown =>
  schema.default === undefined ? undefined : structuredClone(schema.default)

const walkObject = (schema: TSchema, value: unknown, path: string, errors: ConfigError[]): unknown => {
  if (!isRecord(value)) return refuse(schema, value, path, errors)
  const properties: Record<string, TSchema> = schema.properties
  const required = new Set<string>(schema.required ?? [])
  const known = Object.keys(properties)
  const result: Record<string, unknown> = {}
  for (const key of known) {
    const property = properties[key]!
    const here = join(path, key)
    const missing = value[key] === undefined || value[key] === null
    if (!missing) result[key] = walk(property, value[key], here, errors)
    else if (property.default !== undefined) result[key] = walk(property, undefined, here, errors)
    else if (required.has(key)) result[key] = fillOrMissing(property, here, errors)
  }
  if (schema.additionalProperties === false)
    for (const key of Object.keys(value).filter(key => !Object.hasOwn(properties, key)))
      errors.push(unknownKey(key, join(path, key), known))
  return result
}

/** A section nobody wrote is fine when every field of it has a default. */
const fillOrMissing = (schema: TSchema, path: string, errors: ConfigError[]): unknown => {
  const inner: ConfigError[] = []
  const filled = schema[Kind] === 'Object' ? walk(schema, {}, path, inner) : undefined
  if (filled !== undefined && inner.length === 0) return filled
  const hint = expectation(schema)
  errors.push({ path, message: 'is missing', ...(hint === undefined ? {} : { hint: `Add it: ${hint}.` }) })
  return undefined
}

const unknownKey = (key: string, path: string, known: readonly string[]): ConfigError => {
  const meant = didYouMean(key, known)
  // The value is not shown: people try keys such as `password`.
  return {
    path,
    message: 'is not a known setting',
    hint: meant === undefined ? `Known here: ${known.join(', ')}.` : `Did you mean "${meant}"?`,
  }
}

/** Keys of one form with values of one schema; the values get their defaults like everything else. */
const walkRecord = (schema: TSchema, value: unknown, path: string, errors: ConfigError[]): unknown => {
  const [pattern, inner] = Object.entries<TSchema>(schema.patternProperties ?? {})[0] ?? []
  if (!isRecord(value) || pattern === undefined || inner === undefined) return checkLeaf(schema, value, path, errors)
  const form = new RegExp(pattern)
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (form.test(key)) return [key, walk(inner, item, join(path, key), errors)]
      errors.push({ path: join(path, key), message: 'is not a valid key', hint: `Expected the form ${pattern}.` })
      return [key, item]
    }),
  )
}

const walkArray = (schema: TSchema, value: unknown, path: string, errors: ConfigError[]): unknown => {
  if (!Array.isArray(value)) return refuse(schema, value, path, errors)
  if (value.length < (schema.minItems ?? 0) || value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY))
    errors.push({ path, message: `has ${value.length} entries`, hint: `Expected ${expectation(schema)}.` })
  return value.map((item, index) => walk(schema.items, item, `${path}[${index}]`, errors))
}

const walkUnion = (schema: TSchema, value: unknown, path: string, errors: ConfigError[]): unknown => {
  const branches: readonly TSchema[] = schema.anyOf
  const literals = literalsOf(branches)
  if (literals) {
    if (literals.includes(value as string)) return value
    const meant = typeof value === 'string' ? didYouMean(value, literals.map(String)) : undefined
    const hint = meant === undefined ? `Use one of: ${literals.join(', ')}.` : `Did you mean "${meant}"?`
    errors.push({ path, message: 'is not one of the allowed values', given: showGiven(value), hint })
    return value
  }
  const tag = tagOf(branches)
  if (tag === undefined || !isRecord(value)) return walkBestBranch(branches, value, path, errors)
  const branch = branches.find(candidate => candidate.properties[tag].const === value[tag])
  if (branch) return walk(branch, value, path, errors)
  const allowed = branches.map(candidate => String(candidate.properties[tag].const))
  const meant = typeof value[tag] === 'string' ? didYouMean(value[tag], allowed) : undefined
  errors.push({
    path: join(path, tag),
    message: value[tag] === undefined ? 'is missing' : 'is not one of the allowed values',
    ...(value[tag] === undefined ? {} : { given: showGiven(value[tag]) }),
    hint: meant === undefined ? `Use one of: ${allowed.join(', ')}.` : `Did you mean "${meant}"?`,
  })
  return value
}

/** Without a tag the branch with the fewest errors is taken to be the one that was meant. */
const walkBestBranch = (branches: readonly TSchema[], value: unknown, path: string, errors: ConfigError[]): unknown => {
  const tried = branches.map(branch => {
    const inner: ConfigError[] = []
    return { result: walk(branch, value, path, inner), inner }
  })
  const best = tried.reduce((least, next) => (next.inner.length < least.inner.length ? next : least))
  errors.push(...best.inner)
  return best.result
}

const checkLeaf = (schema: TSchema, value: unknown, path: string, errors: ConfigError[]): unknown =>
  value !== undefined && Value.Check(schema, value) ? value : refuse(schema, value, path, errors)

const refuse = (schema: TSchema, value: unknown, path: string, errors: ConfigError[]): unknown => {
  const expected = expectation(schema)
  if (value === undefined || value === null) errors.push({ path, message: 'is missing', hint: `Add it: ${expected}.` })
  else
    errors.push({ path, message: `is not ${nounOf(schema)}`, given: showGiven(value), hint: `Expected ${expected}.` })
  return value
}

const nounOf = (schema: TSchema): string => {
  const wrongForm = schema[Kind] === 'String' || schema[Kind] === 'Number' || schema[Kind] === 'Integer'
  return wrongForm ? `valid as ${nouns[schema[Kind]]}` : (nouns[schema[Kind]] ?? 'valid here')
}

const nouns: Readonly<Record<string, string>> = {
  String: 'text',
  Number: 'a number',
  Integer: 'a whole number',
  Boolean: 'true or false',
  Object: 'a section with keys',
  Record: 'a section with keys',
  Array: 'a list',
  Tuple: 'a list of fixed length',
  Null: 'empty',
}

/** What belongs here, in words: type, limits, form, purpose. */
const expectation = (schema: TSchema): string | undefined => {
  const tag = schema[Kind] === 'Union' ? tagOf(schema.anyOf) : undefined
  const parts = [
    tag === undefined
      ? undefined
      : `a section with ${tag}: ${schema.anyOf.map((b: TSchema) => b.properties[tag].const).join(' or ')}`,
    schema[Kind] === 'Union' ? literalsOf(schema.anyOf)?.join(', ') : undefined,
    schema[Kind] === 'Literal' ? JSON.stringify(schema.const) : undefined,
    schema[Kind] === 'Object' && schema.required ? `a section with ${schema.required.join(', ')}` : nouns[schema[Kind]],
    schema[Kind] === 'Tuple' ? `${schema.items.length} entries` : undefined,
    schema.minItems === undefined ? undefined : `at least ${schema.minItems} entries`,
    schema.maxItems === undefined ? undefined : `at most ${schema.maxItems} entries`,
    schema.minimum === undefined ? undefined : `at least ${schema.minimum}`,
    schema.exclusiveMinimum === undefined ? undefined : `more than ${schema.exclusiveMinimum}`,
    schema.maximum === undefined ? undefined : `at most ${schema.maximum}`,
    schema.exclusiveMaximum === undefined ? undefined : `less than ${schema.exclusiveMaximum}`,
    schema.minLength === undefined || schema.minLength < 2 ? undefined : `at least ${schema.minLength} characters`,
    schema.maxLength === undefined ? undefined : `at most ${schema.maxLength} characters`,
    schema.pattern === undefined ? undefined : `of the form ${schema.pattern}`,
  ].filter(part => part !== undefined)
  const description = schema.description?.replace(/[.]$/, '')
  if (parts.length === 0) return description
  return description === undefined ? parts.join(', ') : `${parts.join(', ')} (${description})`
}

const literalsOf = (branches: readonly TSchema[]): readonly (string | number | boolean)[] | undefined =>
  branches.every(branch => branch[Kind] === 'Literal') ? branches.map(branch => branch.const) : undefined

/** The key whose literal tells the branches apart. */
const tagOf = (branches: readonly TSchema[]): string | undefined => {
  if (!branches.every(branch => branch[Kind] === 'Object')) return undefined
  return Object.keys(branches[0]?.properties ?? {}).find(key =>
    branches.every(branch => branch.properties[key]?.[Kind] === 'Literal'),
  )
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
