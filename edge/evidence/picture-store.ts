import { createHash } from 'node:crypto'
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EvidenceRole } from '@watchpost/shared/contracts/evidence'
import { temporaryEnding, writeDurably } from './picture-file.js'

/** What is known of a picture besides its bytes; sent along with it. */
export interface PictureNote {
  readonly cameraId: string
  readonly role: EvidenceRole
  /** Unix milliseconds, UTC. */
  readonly takenAt: number
}

export type PictureState = 'unsent' | 'sent' | 'dead'

export interface StoredPicture {
  readonly sha256: string
  readonly bytes: number
  readonly takenAt: number
  readonly state: PictureState
}

/**
 * Pictures by their hash, `ab/abcdef….jpg`; the state is part of the name (`.sent.jpg`, `.dead.jpg`), so one atomic rename changes it and
 * no database can disagree with the disk. What is lost with the small `.json` beside an unsent picture is only comfort.
 */
export interface PictureStore {
  /** Reads what is on disk; clears away half-written files. */
  open(): Promise<void>
  /** Durable when it resolves. Idempotent: the same bytes are one picture, and one that was sent stays sent. */
  put(jpeg: Uint8Array, note: PictureNote): Promise<StoredPicture & { readonly isNew: boolean }>
  /** Undefined when it is gone or damaged; damaged pictures become dead. Rejects when it cannot be read now; it stays as it is. */
  read(sha256: string): Promise<Buffer | undefined>
  note(sha256: string): Promise<PictureNote | undefined>
  setState(sha256: string, state: 'sent' | 'dead'): Promise<void>
  remove(sha256: string): Promise<void>
  /** In no particular order. */
  all(): Iterable<StoredPicture>
  totalBytes(): number
}

const fileName = /^([0-9a-f]{64})(?:\.(sent|dead))?\.jpg$/

export const createPictureStore = (dir: string): PictureStore => {
  const pictures = new Map<string, StoredPicture>()
  let totalBytes = 0

  const folderOf = (sha256: string): string => join(dir, sha256.slice(0, 2))
  const pathOf = ({ sha256, state }: Pick<StoredPicture, 'sha256' | 'state'>): string =>
    join(folderOf(sha256), state === 'unsent' ? `${sha256}.jpg` : `${sha256}.${state}.jpg`)
  const notePath = (sha256: string): string => join(folderOf(sha256), `${sha256}.json`)
  const keep = (picture: StoredPicture): void => {
    totalBytes += picture.bytes - (pictures.get(picture.sha256)?.bytes ?? 0)
    pictures.set(picture.sha256, picture)
  }

  const store: PictureStore = {
    async open() {
      for (const folder of await readdir(dir).catch(() => [])) {
        for (const name of await readdir(join(dir, folder)).catch(() => [])) {
          const path = join(dir, folder, name)
          if (name.endsWith(temporaryEnding)) await rm(path, { force: true })
          const match = fileName.exec(name)
          if (match === null) continue
          const { size, mtimeMs } = await stat(path)
          const state = (match[2] ?? 'unsent') as PictureState
          keep({ sha256: match[1]!, bytes: size, takenAt: Math.round(mtimeMs), state })
        }
      }
    },
    async put(jpeg, note) {
      const sha256 = createHash('sha256').update(jpeg).digest('hex')
      const known = pictures.get(sha256)
      if (known !== undefined && known.state !== 'dead') return { ...known, isNew: false }
      const picture: StoredPicture = { sha256, bytes: jpeg.length, takenAt: note.takenAt, state: 'unsent' }
      await writeDurably(pathOf(picture), jpeg)
      if (known?.state === 'dead') await rm(pathOf(known), { force: true })
      keep(picture)
      // The file's own time is the picture's, so that the order by age survives a restart.
      await utimes(pathOf(picture), note.takenAt / 1000, note.takenAt / 1000).catch(() => {})
      await writeFile(notePath(sha256), JSON.stringify(note)).catch(() => {})
      return { ...picture, isNew: true }
    },
    async read(sha256) {
      const picture = pictures.get(sha256)
      if (picture === undefined) return undefined
      const jpeg = await readFile(pathOf(picture)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      if (jpeg !== undefined && createHash('sha256').update(jpeg).digest('hex') === sha256) return jpeg
      if (jpeg === undefined) await store.remove(sha256)
      else await store.setState(sha256, 'dead')
      return undefined
    },
    async note(sha256) {
      try {
        return JSON.parse(await readFile(notePath(sha256), 'utf8')) as PictureNote
      } catch {
        return undefined
      }
    },
    async setState(sha256, state) {
      const picture = pictures.get(sha256)
      if (picture === undefined || picture.state === state) return
      const changed = { ...picture, state }
      await rename(pathOf(picture), pathOf(changed))
      keep(changed)
      await rm(notePath(sha256), { force: true })
    },
    async remove(sha256) {
      const picture = pictures.get(sha256)
      if (picture === undefined) return
      await rm(pathOf(picture), { force: true })
      await rm(notePath(sha256), { force: true })
      pictures.delete(sha256)
      totalBytes -= picture.bytes
    },
    all: () => pictures.values(),
    totalBytes: () => totalBytes,
  }
  return store
}
