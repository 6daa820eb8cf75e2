import { ModelPackageError, sentenceOf } from '@watchpost/edge/inference/inference-error'
import { type Command, FailedError, readArguments, UsageError } from './command.js'

interface Entry {
  readonly summary: string
  /** Loaded when it is called: the libraries behind some take a second. */
  readonly load: () => Promise<Command>
}

const commands: Readonly<Record<string, Entry>> = {
  pack: {
    summary: 'make a package from an ONNX file, or an archive (.wpm) from a package folder',
    load: async () => (await import('./commands/pack.js')).pack,
  },
  golden: {
    summary: 'add golden samples to a package folder',
    load: async () => (await import('./commands/golden.js')).golden,
  },
  validate: {
    summary: 'check a package: files, hashes, signature, golden samples on every runtime',
    load: async () => (await import('./commands/validate.js')).validate,
  },
  eval: {
    summary: 'measure a package on labelled pictures',
    load: async () => (await import('./commands/eval.js')).evaluate,
  },
  bench: {
    summary: 'time and memory per picture, beside bare ONNX Runtime',
    load: async () => (await import('./commands/bench.js')).bench,
  },
  diff: {
    summary: 'how two packages differ: manifest, size, what they see',
    load: async () => (await import('./commands/diff.js')).diff,
  },
  keygen: {
    summary: 'make a pair of keys to sign packages with',
    load: async () => (await import('./commands/keygen.js')).keygen,
  },
  sign: {
    summary: 'sign a package folder',
    load: async () => (await import('./commands/sign.js')).sign,
  },
  unpack: {
    summary: 'unpack an archive (.wpm) into a folder',
    load: async () => (await import('./commands/unpack.js')).unpack,
  },
}

const overview = `Usage: npm run model -- COMMAND [arguments] [--json] [--help]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}

Exit code 0: done; 1: the package is refused or something failed; 2: not understood. With --json the result is one line on stdout
(npm prints two lines of its own before it; npm run --silent model -- … does not). models/README.md goes through all steps.`

export interface Surroundings {
  /** Where relative paths start. */
  readonly here: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** One call of the command; gives the exit code. */
export const runModel = async (
  [name, ...args]: readonly string[],
  { here, out, err }: Surroundings,
): Promise<number> => {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    out(overview)
    return name === undefined ? 2 : 0
  }
  const fail = (message: string, code: number): number => {
    if (args.includes('--json')) out(JSON.stringify({ ok: false, error: message }))
    err(`error: ${message}`)
    return code
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!entry) return fail(`There is no command "${name}".\n\n${overview}`, 2)
  try {
    const command = await entry.load()
    const given = readArguments(command, args, here)
    if (given.has('help')) {
      out(`model ${name}: ${entry.summary}\n\n${command.help}`)
      return 0
    }
    const { ok, json, text } = await command.run(given)
    out(given.has('json') ? JSON.stringify(json) : text)
    return ok ? 0 : 1
  } catch (error) {
    if (error instanceof UsageError) return fail(`${error.message}\n       "model ${name} --help" explains.`, 2)
    if (error instanceof FailedError || error instanceof ModelPackageError) return fail(error.message, 1)
    // A fault of ours or of the machine: where it happened matters.
    return fail(process.env.DEBUG && error instanceof Error ? (error.stack ?? error.message) : sentenceOf(error), 1)
  }
}
