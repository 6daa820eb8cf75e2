import { readFileSync } from 'node:fs'
import type { ConfigError } from '@watchpost/shared/config/config-error'
import { parseDocument } from 'yaml'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EACCES: 'the file may not be read by this user',
  EISDIR: 'it is a folder, not a file',
}

/** Text of a file, or the reason why not as an error at `path`. */
export const readText = (file: string, path: string, errors: ConfigError[]): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const reason = reasons[(error as NodeJS.ErrnoException).code ?? ''] ?? String(error)
    const hint = path === '' ? 'Check the path you gave.' : 'Paths are relative to the configuration file.'
    errors.push({ path, message: `cannot be read: ${reason}`, given: file, hint })
    return undefined
  }
}

/** YAML without surprises: duplicate keys and tags we do not know are errors, each with its line. */
export const parseYaml = (text: string, errors: ConfigError[]): unknown => {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true })
  for (const problem of [...document.errors, ...document.warnings]) {
    const line = problem.linePos?.[0].line
    const message = `is not valid YAML${line === undefined ? '' : ` at line ${line}`}: ${problem.message.split('\n')[0]}`
    errors.push({ path: '', message, hint: 'Check indentation, quotes and colons around that line.' })
  }
  return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 })
}

/** `name:secret` lines; blank lines and lines that begin with # are skipped. Secrets never appear in errors. */
export const readNamedSecrets = (
  file: string,
  path: string,
  errors: ConfigError[],
): ReadonlyMap<string, string> | undefined => {
  const text = readText(file, path, errors)
  if (text === undefined) return undefined
  const secrets = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim()
    const secret = line.slice(colon + 1).trim()
    const wrong =
      colon < 1 || secret === ''
        ? `line ${index + 1} is not of the form agent:secret`
        : secrets.has(name)
          ? `line ${index + 1} names "${name}" a second time`
          : undefined
    if (wrong === undefined) secrets.set(name, secret)
    else errors.push({ path, message: wrong, hint: `Correct ${file}; one agent per line.` })
  }
  return secrets
}
