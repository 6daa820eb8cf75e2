import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { UnpackRequest } from '../inference/unpack-package.js'

/** Unpacked packages by the digest of their archive, and archives that are still arriving. */
export interface PackageStore {
  folderOf(digest: string): string
  has(digest: string): boolean
  /** Where the bytes of an archive gather; a half one stays over restarts. */
  partOf(digest: string): string
  /** Unpacks the archive that has gathered, whole or not at all, and removes it. Idempotent. Rejects with what is wrong. */
  unpack(digest: string): Promise<void>
  /** Removes everything but these. */
  keepOnly(digests: ReadonlySet<string>): Promise<void>
}

export const createPackageStore = (
  directory: string,
  unpack: (request: UnpackRequest) => Promise<void>,
): PackageStore => {
  const folderOf = (digest: string): string => join(directory, digest)
  const partOf = (digest: string): string => join(directory, `${digest}.wpm.part`)
  const has = (digest: string): boolean => existsSync(join(folderOf(digest), 'manifest.json'))
  return {
    folderOf,
    partOf,
    has,
    async unpack(digest) {
      if (has(digest)) return
      await mkdir(directory, { recursive: true })
      try {
        await unpack({ archivePath: partOf(digest), target: folderOf(digest), sha256: digest })
      } finally {
        await rm(partOf(digest), { force: true })
      }
    },
    async keepOnly(digests) {
      const names = await readdir(directory).catch(() => [])
      const wanted = new Set([...digests].flatMap(digest => [digest, `${digest}.wpm.part`]))
      for (const name of names) if (!wanted.has(name)) await rm(join(directory, name), { recursive: true, force: true })
    },
  }
}
