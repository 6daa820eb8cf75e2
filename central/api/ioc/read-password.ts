import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

interface PasswordSources {
  readonly env: NodeJS.ProcessEnv
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream
}

export const passwordVariable = 'WATCHPOST_PASSWORD'

/** From the environment, else the first line of the input; typed at a terminal it is not shown. Never an argument: those are seen by everybody. */
export const readPassword = async ({ env, stdin, stderr }: PasswordSources): Promise<string> => {
  const given = env[passwordVariable]
  if (given !== undefined && given !== '') return given
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = stdin.isTTY === true
  const lines = createInterface({ input: stdin, output: silent, terminal })
  if (terminal) stderr.write('Password: ')
  try {
    for await (const line of lines) return line
  } finally {
    lines.close()
    if (terminal) stderr.write('\n')
  }
  throw new Error(`No password was given. Send it as the first line of the input, or set ${passwordVariable}.`)
}
