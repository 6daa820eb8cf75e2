import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The package folder, from source and from the build alike. */
export const packageDir = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './' : '../', import.meta.url))

export const version: string = JSON.parse(readFileSync(`${packageDir}package.json`, 'utf8')).version
