import type { Readable } from 'node:stream'

const blockBytes = 512
/** What an octal field of 11 digits can say. */
const largestFile = 8 ** 11 - 1
/** One time for all files, so that the same labels make the same bytes. */
const modifiedAtS = 0

/** A ustar header (POSIX.1-1988). `name` is plain ASCII of at most 100 characters: ours are. */
export const tarHeader = (name: string, bytes: number): Buffer => {
  if (name.length > 100 || bytes > largestFile) {
    throw new Error(`Cannot put ${name} (${bytes} bytes) into a tar: names end at 100 characters, files at 8 GiB.`)
  }
  const header = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, length: number): void => {
    header.write(value.toString(8).padStart(length - 1, '0'), at, 'ascii')
  }
  header.write(name, 0, 'ascii')
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(bytes, 124, 12)
  octal(modifiedAtS, 136, 12)
  header.fill(' ', 148, 156)
  header.write('0', 156, 'ascii')
  header.write('ustar\u000000', 257, 'ascii')
  // Six octal digits, NUL, space: so the checksum is written in every tar since the first.
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'ascii')
  return header
}

const padding = (bytes: number): Buffer => Buffer.alloc((blockBytes - (bytes % blockBytes)) % blockBytes)

/** One file of an archive, chunk by chunk as the reader takes it. Throws when `content` does not have `bytes` bytes. */
export async function* tarFile(
  name: string,
  bytes: number,
  content: Readable | AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  yield tarHeader(name, bytes)
  let passed = 0
  for await (const chunk of content) {
    passed += chunk.length
    if (passed > bytes) break
    yield chunk
  }
  // The header is out: only breaking the archive off tells the reader.
  if (passed !== bytes)
    throw new Error(`${name} should have ${bytes} bytes and has another number; was it removed meanwhile?`)
  yield padding(bytes)
}

export const tarEnd = (): Buffer => Buffer.alloc(2 * blockBytes)
