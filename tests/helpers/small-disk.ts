import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/**
 * A file system of its own that is there till the end of the test: a full disk is the real thing, not a simulated error code. The reason,
 * to skip with, when this machine does not let us mount one.
 */
export const mountSmallDisk = (kilobytes: number): { readonly path: string } | { readonly reason: string } => {
  const path = mkdtempSync(join(tmpdir(), 'watchpost-test-small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'watchpost-test', path], { stdio: 'pipe' })
  } catch (error) {
    rmdirSync(path)
    return { reason: `a small disk cannot be mounted: ${whyNot(error).replaceAll(path, 'tmpfs')}` }
  }
  onTestFinished(() => {
    // Lazily: a test that failed half way may still hold a file open.
    execFileSync('umount', ['-l', path])
    rmdirSync(path)
  })
  return { path }
}

/** What `mount` said first; a line that is the same for every disk. */
const whyNot = (error: unknown): string => {
  const said = String((error as { stderr?: Buffer | null }).stderr ?? '').trim()
  return said === '' ? String(error) : said.split('\n')[0]!
}
