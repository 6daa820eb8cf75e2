import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { tarEnd, tarFile, tarHeader } from '../../../central/labels/tar.js'

const collect = async (chunks: AsyncIterable<Buffer>): Promise<Buffer> => {
  const all: Buffer[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}
const file = (name: string, content: string, bytes = content.length) =>
  collect(tarFile(name, bytes, Readable.from([Buffer.from(content)])))

describe('a tar of ours', () => {
  it('is read by tar: names, sizes around the block, content', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tar-'))
    const contents = { 'a/empty': '', 'a/one-block': 'x'.repeat(512), 'a/over': 'y'.repeat(513) }
    const files = await Promise.all(Object.entries(contents).map(([name, content]) => file(name, content)))
    const archive = join(directory, 'x.tar')
    writeFileSync(archive, Buffer.concat([...files, tarEnd()]))
    execFileSync('tar', ['--extract', '--file', archive, '--directory', directory])
    for (const [name, content] of Object.entries(contents)) {
      expect(readFileSync(join(directory, name), 'utf8')).toBe(content)
    }
    rmSync(directory, { recursive: true })
  })

  it('breaks off when a file is shorter or longer than its header says', async () => {
    await expect(file('short', 'abc', 4)).rejects.toThrow(/short should have 4 bytes/)
    await expect(file('long', 'abc', 2)).rejects.toThrow(/long should have 2 bytes/)
  })

  it('refuses names and sizes that do not fit its header', () => {
    expect(() => tarHeader('n'.repeat(101), 1)).toThrow(/100 characters/)
    expect(() => tarHeader('n', 8 ** 11)).toThrow(/8 GiB/)
  })
})
