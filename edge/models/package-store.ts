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
  /**
   * Unpacks the archive that has gathered, whole or not at all, and removes it; a folder without a manifest gives way. Idempotent.
   * Rejects with what is wrong.
   */
  unpack(digest: string): Promise<void>
  /** Removes everything but these, and what is being unpacked. */
  keepOnly(digests: ReadonlySet<string>): Promise<void>
}

export const createPackageStore = (
  directory: string,
  unpack: (request: UnpackRequest) => Promise<void>,
): PackageStore => {
  const folderOf = (digest: string): string => join(directory, digest)
  const partOf = (digest: string): string => join(directory, `${digest}.wpm.part`)
  const has = (digest: string): boolean => existsSync(join(folderOf(digest), 'manifest.json'))
  const unpacking = new Map<string, Promise<void>>()

  const unpackAnew = async (digest: string): Promise<void> => {
    await mkdir(directory, { recursive: true })
    try {
      // A removal that broke off may have left some of it in the way.
      await rm(folderOf(digest), { recursive: true, force: true })
      await unpack({ archivePath: partOf(digest), target: folderOf(digest), sha256: digest })
    } finally {
      await rm(partOf(digest), { force: true })
    }
  }
  const namesOf = (digests: Iterable<string>): Set<string> =>
    new Set([...digests].flatMap(digest => [digest, `${digest}.wpm.part`]))
  // The folder that is being written has a hidden name until it is whole; one that was left is removed by a later sweep.
  const isBeingUnpacked = (name: string): boolean =>
    unpacking.size > 0 && (name.startsWith('.') || namesOf(unpacking.keys()).has(name))

  return {
    folderOf,
    partOf,
    has,
    async unpack(digest) {
      if (has(digest)) return
      const underWay = unpacking.get(digest) ?? unpackAnew(digest).finally(() => unpacking.delete(digest))
      unpacking.set(digest, underWay)
      await underWay
    },
    async keepOnly(digests) {
      const wanted = namesOf(digests)
      for (const name of await readdir(directory).catch(() => []))
        if (!wanted.has(name) && !isBeingUnpacked(name))
          await rm(join(directory, name), { recursive: true, force: true })
    },
  }
}
