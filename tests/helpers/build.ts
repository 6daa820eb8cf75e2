import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Worker threads and child processes run compiled code, so the build comes first (incremental: seconds). */
export const setup = (): void => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'shared', 'edge', 'central', 'scripts'], {
    cwd: root,
    stdio: 'inherit',
  })
}
