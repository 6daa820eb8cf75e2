import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archiveOf, filesOfArchive } from '@watchpost/shared/manifest/package-archive'
import { describe, expect, it, onTestFinished } from 'vitest'

const text = (content: string): Uint8Array => new TextEncoder().encode(content)
const manifest = { path: 'manifest.json', bytes: text('{}') }
const long = `${'folder-'.repeat(12)}/${'file-'.repeat(14)}.json`
const files = [
  { path: 'weights.bin', bytes: new Uint8Array(512).fill(7) },
  { path: 'CARD.md', bytes: text('# card') },
  { path: long, bytes: text('long') },
  manifest,
  { path: 'golden/empty.json', bytes: new Uint8Array(0) },
]

/** A header with a right sum around changed fields: what an attacker would make. */
const forged = (changes: (header: Uint8Array) => void): Uint8Array => {
  const archive = archiveOf([manifest])
  const header = archive.subarray(0, 512)
  changes(header)
  header.set(text('        '), 148)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.set(text(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
  return archive
}

describe('package archive', () => {
  it('gives back the files it was made of, the manifest first, whatever order they came in', () => {
    const archive = archiveOf(files)
    expect(archiveOf(files.toReversed())).toEqual(archive)
    const back = filesOfArchive(archive)
    expect(back.map(({ path }) => path)).toEqual(['manifest.json', 'CARD.md', long, 'golden/empty.json', 'weights.bin'])
    for (const { path, bytes } of files) expect(back.find(file => file.path === path)?.bytes).toEqual(bytes)
  })

  it('can be read by tar', () => {
    const folder = mkdtempSync(join(tmpdir(), 'watchpost-archive-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'a.wpm'), archiveOf(files))
    execFileSync('tar', ['-xf', 'a.wpm'], { cwd: folder })
    for (const { path, bytes } of files) expect(new Uint8Array(readFileSync(join(folder, path)))).toEqual(bytes)
  })

  it.each(['../up', '/root', 'a/../b', './a', 'a//b', 'a b', 'ố', `${'x'.repeat(101)}`])('does not pack %s', path => {
    expect(() => archiveOf([manifest, { path, bytes: text('') }])).toThrow(/rename it/)
  })

  it('refuses paths that leave the package, links, folders and other owners', () => {
    const put = (at: number, content: string) => (header: Uint8Array) => header.set(text(content), at)
    for (const change of [
      put(0, '../../x.json\0'),
      put(0, '/etc/pass'),
      put(156, '2'),
      put(156, '5'),
      put(108, '0001750'),
    ])
      expect(() => filesOfArchive(forged(change))).toThrow(/entry at byte 0 is unusual/)
    expect(filesOfArchive(forged(() => {}))).toHaveLength(1)
  })

  it('refuses what is cut off, goes on behind the end, hides bytes or has a file twice', () => {
    const archive = archiveOf(files)
    expect(() => filesOfArchive(archive.subarray(0, archive.length - 512))).toThrow(/end is missing/)
    expect(() => filesOfArchive(archive.subarray(0, archive.length - 1200))).toThrow(/ends within weights.bin/)
    expect(() => filesOfArchive(new Uint8Array([...archive, ...new Uint8Array(512)]))).toThrow(/something follows it/)
    const hiding = archive.slice()
    hiding[512 + 100] = 1
    expect(() => filesOfArchive(hiding)).toThrow(/something is hidden behind manifest.json/)
    expect(() => filesOfArchive(archiveOf([manifest, manifest]))).toThrow(/stands twice/)
    expect(() => filesOfArchive(archiveOf([files[0]!]))).toThrow(/does not begin with manifest.json/)
    expect(() => filesOfArchive(new Uint8Array(0))).toThrow(/end is missing/)
    expect(() => filesOfArchive(text('PK\x03\x04 a zip archive'))).toThrow(/not an archive that "model pack"/)
  })
})
