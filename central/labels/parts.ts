import type { Rows } from './scratch.js'
import { tarFile } from './tar.js'

/** A document in pieces, some of them too large to hold. */
export type Part = string | Rows

export const bytesOf = (parts: readonly Part[]): number =>
  parts.reduce((total, part) => total + (typeof part === 'string' ? Buffer.byteLength(part) : part.bytes()), 0)

export async function* contentOf(parts: readonly Part[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if (typeof part === 'string') yield Buffer.from(part)
    else yield* part.read()
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes
}

export const textFile = (name: string, text: string): AsyncGenerator<Buffer> => {
  const bytes = Buffer.from(text)
  return tarFile(name, bytes.length, once(bytes))
}
