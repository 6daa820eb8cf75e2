import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** Of several files as one stream, in pieces small enough to leave the event loop free. */
export const hashFiles = async (
  paths: readonly string[],
): Promise<{ readonly sha256: string; readonly bytes: number }> => {
  const hash = createHash('sha256')
  let bytes = 0
  for (const path of paths)
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
      hash.update(chunk as Buffer)
      bytes += (chunk as Buffer).length
    }
  return { sha256: hash.digest('hex'), bytes }
}
