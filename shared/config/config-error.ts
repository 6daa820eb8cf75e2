/** One thing wrong with a configuration, as an operator reads it. */
export interface ConfigError {
  /** Where, e.g. `cameras[2].source.url`; empty for the file as a whole. */
  readonly path: string
  /** Line in the file, from 1; absent when the place has none. */
  readonly line?: number
  /** What is wrong, as a sentence without a full stop. */
  readonly message: string
  /** The value given, shortened and without credentials; absent when nothing was given or it may be a secret. */
  readonly given?: string
  /** What to do about it. */
  readonly hint?: string
}

const longestGiven = 80

/** Shows a value in an error. Credentials in addresses are masked: error texts end up in logs and tickets. */
export const showGiven = (value: unknown): string => {
  const text = (JSON.stringify(value) ?? String(value)).replace(/(\/\/)[^/@"]+@/g, '$1***@')
  return text.length <= longestGiven ? text : `${text.slice(0, longestGiven)}…`
}

/** All errors of one file as lines for a terminal. */
export const formatConfigErrors = (file: string, errors: readonly ConfigError[]): string =>
  [
    `${file}: ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}`,
    ...errors.flatMap(({ path, line, message, given, hint }) => [
      `  ${line === undefined ? '' : `line ${line}, `}${path === '' ? '' : `${path}: `}${message}${given === undefined ? '' : ` (given: ${given})`}`,
      ...(hint === undefined ? [] : [`    → ${hint}`]),
    ]),
  ].join('\n')

/** Thrown by the loaders: everything that is wrong at once, so that nobody repairs a file error by error. */
export class InvalidConfigError extends Error {
  override readonly name = 'InvalidConfigError'
  readonly file: string
  readonly errors: readonly ConfigError[]

  constructor(file: string, errors: readonly ConfigError[], options?: ErrorOptions) {
    super(formatConfigErrors(file, errors), options)
    this.file = file
    this.errors = errors
  }
}
