import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

/** Undefined when the program is installed, else the reason a test that needs it is skipped. */
export const missingProgram = (name: string): string | undefined =>
  places.some(place => existsSync(join(place, name))) ? undefined : `${name} is not installed`
