import { resolve } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** What went wrong is the caller's: exit code 2 and a pointer to --help. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What went wrong is the package's, the data's or the machine's: exit code 1. */
export class FailedError extends Error {
  override readonly name = 'FailedError'
}

export interface Outcome {
  /** false: exit code 1, e.g. a package that is not valid. */
  readonly ok: boolean
  /** Printed with --json, on one line. */
  readonly json: unknown
  /** Printed otherwise. */
  readonly text: string
}

export type OptionTable = NonNullable<ParseArgsConfig['options']>

export interface Command {
  /** Everything --help says after what the command is for: usage, options, an example. */
  readonly help: string
  readonly options: OptionTable
  run(given: Given): Promise<Outcome>
}

/** Arguments of one call, read with errors that say what to write. */
export interface Given {
  readonly positionals: readonly string[]
  /** The folder the caller is in. */
  readonly here: string
  has(option: string): boolean
  text(option: string): string | undefined
  texts(option: string): readonly string[]
  number(option: string, limits: { readonly fallback: number; readonly least: number; readonly most: number }): number
  oneOf<T extends string>(option: string, allowed: readonly T[]): T | undefined
  path(option: string): string | undefined
  paths(option: string): readonly string[]
  /** The positional arguments as absolute paths; UsageError unless there are `least` to `most` of them. */
  pathArguments(least: number, most: number, what: string): readonly string[]
}

/** @throws UsageError. `here`: where relative paths start. */
export const readArguments = (command: Command, args: readonly string[], here: string): Given => {
  const { values, positionals } = parse(command, args)
  const texts = (option: string): readonly string[] => {
    const value = values[option]
    return value === undefined ? [] : ([value].flat() as string[])
  }
  const absolute = (path: string): string => resolve(here, path)
  const text = (option: string): string | undefined => texts(option).at(-1)
  return {
    positionals,
    here,
    has: option => values[option] !== undefined && values[option] !== false,
    text,
    texts,
    number(option, { fallback, least, most }) {
      const given = text(option)
      if (given === undefined) return fallback
      const value = given.trim() === '' ? Number.NaN : Number(given)
      if (value >= least && value <= most) return value
      throw new UsageError(`--${option} is "${given}"; give a number from ${least} to ${most}.`)
    },
    oneOf(option, allowed) {
      const given = text(option)
      const found = allowed.find(value => value === given)
      if (given === undefined || found !== undefined) return found
      throw new UsageError(`--${option} is "${given}"; it can be ${allowed.join(', ')}.`)
    },
    path: option => {
      const given = text(option)
      return given === undefined ? undefined : absolute(given)
    },
    paths: option => texts(option).map(absolute),
    pathArguments(least, most, what) {
      if (positionals.length >= least && positionals.length <= most) return positionals.map(absolute)
      throw new UsageError(`Give ${what}; there are ${positionals.length || 'no'} arguments.`)
    },
  }
}

const common: OptionTable = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } }

const parse = (command: Command, args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: { ...command.options, ...common }, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/\. To specify a positional.*/s, '.'))
  }
}
