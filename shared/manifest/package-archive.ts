/**
 * A model package as one file, `ID-VERSION.wpm`: a plain tar archive (ustar) that `tar -tf` can read. Equal folders give equal bytes, so
 * the SHA-256 of the archive names the package. Not compressed: weights hardly shrink, and compressors differ from version to version.
 */
export interface ArchivedFile {
  /** Inside the package folder, `/` between its parts. */
  readonly path: string
  readonly bytes: Uint8Array
}

export const packageLimits = {
  archiveBytes: 1024 ** 3,
  fileBytes: 1024 ** 3,
  files: 1000,
  manifestBytes: 1024 ** 2,
  /** Of a golden picture or its expected answer. */
  goldenBytes: 32 * 1024 ** 2,
} as const

const block = 512
const manifestName = 'manifest.json'
const partPattern = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/

/** What is wrong with a path, as the end of a sentence; undefined when it can stand in an archive. */
export const pathProblem = (path: string): string | undefined => {
  if (!path.split('/').every(part => partPattern.test(part)))
    return 'has a name with other characters than A-Z a-z 0-9 . _ -'
  return splitName(path) === undefined ? 'has a path that is too long (100 characters and a folder of 155)' : undefined
}

/** @throws RangeError with a sentence when a path cannot stand in an archive. */
export const archiveOf = (files: readonly ArchivedFile[]): Uint8Array => {
  const sorted = files.toSorted((a, b) => inOrder(a.path, b.path))
  const length = sorted.reduce((total, { bytes }) => total + block + padded(bytes.length), 2 * block)
  const archive = new Uint8Array(length)
  let at = 0
  for (const { path, bytes } of sorted) {
    const problem = pathProblem(path)
    if (problem) throw new RangeError(`${path} ${problem}; rename it.`)
    archive.set(headerOf(path, bytes.length), at)
    archive.set(bytes, at + block)
    at += block + padded(bytes.length)
  }
  return archive
}

/**
 * The files of an archive, as views into it. Takes only what `archiveOf` writes, byte for byte: no links, no folders, no path that
 * leaves the package, nothing twice and nothing behind the end.
 * @throws RangeError with a sentence.
 */
export const filesOfArchive = (archive: Uint8Array): readonly ArchivedFile[] => {
  if (archive.length > packageLimits.archiveBytes) throw refused('it is larger than 1 GiB')
  const files: ArchivedFile[] = []
  let at = 0
  while (at < archive.length && archive[at] !== 0) {
    const header = archive.subarray(at, at + block)
    const { path, size } = readHeader(header)
    if (pathProblem(path) || !isSame(header, headerOf(path, size))) throw refused(`the entry at byte ${at} is unusual`)
    const before = files.at(-1)
    if (before && inOrder(before.path, path) >= 0) throw refused(`${path} is out of order or stands twice`)
    if (at + block + padded(size) > archive.length) throw refused(`it ends within ${path}; copy it again`)
    files.push({ path, bytes: archive.subarray(at + block, at + block + size) })
    if (archive.subarray(at + block + size, at + block + padded(size)).some(byte => byte !== 0))
      throw refused(`something is hidden behind ${path}`)
    at += block + padded(size)
  }
  if (archive.length !== at + 2 * block || archive.subarray(at).some(byte => byte !== 0))
    throw refused('its end is missing or something follows it; copy it again')
  if (files[0]?.path !== manifestName) throw refused(`it does not begin with ${manifestName}`)
  if (files.length > packageLimits.files) throw refused(`it has more than ${packageLimits.files} files`)
  return files
}

const refused = (why: string): RangeError =>
  new RangeError(`This is not an archive that "model pack" has written: ${why}.`)

/** The manifest comes first, so that it can be read before the weights have arrived. */
const inOrder = (a: string, b: string): number => {
  if (a === b) return 0
  if (a === manifestName || b === manifestName) return a === manifestName ? -1 : 1
  return a < b ? -1 : 1
}

const padded = (bytes: number): number => Math.ceil(bytes / block) * block

/** Tar keeps 100 characters of a path and 155 of the folder before it. */
const splitName = (path: string): readonly [name: string, prefix: string] | undefined => {
  if (path.length <= 100) return [path, '']
  const slash = path.indexOf('/', path.length - 101)
  return slash > 0 && slash <= 155 ? [path.slice(slash + 1), path.slice(0, slash)] : undefined
}

const headerOf = (path: string, size: number): Uint8Array => {
  const [name, prefix] = splitName(path) ?? [path.slice(0, 100), '']
  const header = new Uint8Array(block)
  const put = (at: number, text: string): void => header.set(new TextEncoder().encode(text), at)
  put(0, name)
  put(100, '0000644\0')
  put(108, '0000000\0')
  put(116, '0000000\0')
  put(124, `${size.toString(8).padStart(11, '0')}\0`)
  put(136, '00000000000\0')
  put(148, '        ')
  put(156, '0')
  put(257, 'ustar\x0000')
  put(345, prefix)
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `)
  return header
}

const readHeader = (header: Uint8Array): { readonly path: string; readonly size: number } => {
  const text = (from: number, length: number): string => {
    const field = header.subarray(from, from + length)
    const end = field.indexOf(0)
    return new TextDecoder('latin1').decode(end < 0 ? field : field.subarray(0, end))
  }
  const [name, prefix] = [text(0, 100), text(345, 155)]
  const size = Number.parseInt(text(124, 12), 8)
  return { path: prefix === '' ? name : `${prefix}/${name}`, size: Number.isSafeInteger(size) && size >= 0 ? size : 0 }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
