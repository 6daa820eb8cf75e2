import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Rows gathered on disk while pictures pass: COCO wants them all in one document whose size a tar must know beforehand. */
export interface Rows {
  /** Adds one JSON value; commas stand between them. */
  add(row: unknown): Promise<void>
  readonly count: () => number
  /** Of all rows with their commas. */
  readonly bytes: () => number
  /** From the first; nothing may be added any more. */
  read(): AsyncIterable<Buffer>
}

export interface Scratch {
  rows(name: string): Promise<Rows>
  /** Removes everything. */
  close(): Promise<void>
}

const flushBytes = 65_536

/** A folder of its own under `directory`, for one export. */
export const openScratch = async (directory: string): Promise<Scratch> => {
  await mkdir(directory, { recursive: true })
  const folder = await mkdtemp(join(directory, 'export-'))
  const closing: (() => Promise<void>)[] = []

  const rows = async (name: string): Promise<Rows> => {
    const path = join(folder, name)
    const file = await open(path, 'wx')
    closing.push(() => file.close())
    let [count, bytes, waiting] = [0, 0, '']
    const flush = async (): Promise<void> => {
      const text = waiting
      waiting = ''
      if (text !== '') await file.appendFile(text)
    }
    return {
      add: async row => {
        const text = `${count === 0 ? '' : ',\n'}${JSON.stringify(row)}`
        count++
        bytes += Buffer.byteLength(text)
        waiting += text
        if (waiting.length >= flushBytes) await flush()
      },
      count: () => count,
      bytes: () => bytes,
      read: async function* () {
        await flush()
        for await (const chunk of createReadStream(path)) yield chunk as Buffer
      },
    }
  }

  return {
    rows,
    close: async () => {
      await Promise.all(closing.map(close => close()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
