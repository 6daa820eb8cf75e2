import { createInterface } from 'node:readline/promises'
import { UsageError } from '../command.js'

export interface Question {
  readonly option: string
  readonly question: string
  /** What the option is for, for those who cannot be asked. */
  readonly hint: string
  readonly given: string | undefined
  readonly suggestion?: string
}

/**
 * Answers from options; what is missing is asked on a terminal. Elsewhere suggestions are taken, and what has none is
 * listed in one error.
 */
export const answersTo = async <K extends string>(
  questions: Readonly<Record<K, Question>>,
): Promise<Readonly<Record<K, string>>> => {
  const entries = Object.entries<Question>(questions)
  const answers: Record<string, string> = {}
  const missing = entries.filter(([, { given }]) => given === undefined)
  for (const [key, { given }] of entries) if (given !== undefined) answers[key] = given
  if (missing.length > 0 && process.stdin.isTTY && process.stderr.isTTY) await ask(missing, answers)
  for (const [key, { suggestion }] of missing) if (suggestion !== undefined) answers[key] ??= suggestion
  const lacking = missing.filter(([key]) => !answers[key])
  if (lacking.length === 0) return answers as Record<K, string>
  throw new UsageError(
    ['These are needed:', ...lacking.map(([, { option, hint }]) => `  --${option.padEnd(10)} ${hint}`)].join('\n'),
  )
}

const ask = async (
  missing: readonly (readonly [string, Question])[],
  answers: Record<string, string>,
): Promise<void> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    for (const [key, { question, suggestion }] of missing) {
      const given = await terminal.question(`${question}${suggestion ? ` [${suggestion}]` : ''}: `)
      answers[key] = given.trim() === '' ? (suggestion ?? '') : given.trim()
    }
  } finally {
    terminal.close()
  }
}
