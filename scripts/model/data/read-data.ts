import { existsSync, statSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { FailedError } from '../command.js'
import { findCoco, readCoco } from './coco.js'
import type { DataLayout, DataSet, Sample } from './data-set.js'
import { readMasks } from './masks.js'
import { filesUnder, isSplitName, picturesUnder, withoutExtension } from './walk.js'
import { inLabels, isLabelName, readYolo } from './yolo.js'

export const layouts = ['yolo', 'coco', 'masks', 'classes'] as const

export interface ReadOptions {
  /** Masks or boxes, where a folder has both. */
  readonly prefer: 'masks' | 'boxes'
  readonly layout: (typeof layouts)[number] | undefined
  readonly classNames: readonly string[] | undefined
}

/** Reads a data folder (or a COCO file) in whichever layout it is. */
export const readData = async (path: string, options: ReadOptions): Promise<DataSet> => {
  if (!existsSync(path)) throw new FailedError(`--data ${path} does not exist.`)
  const data = joined(
    await Promise.all(
      (await partsOf(path, options)).map(async part =>
        readers[options.layout ?? (await layoutOf(part, options))](part, options),
      ),
    ),
    path,
  )
  if (data.samples.length > 0) return data
  const reasons = Object.entries(data.leftOut).map(([reason, count]) => `${count} ${reason}`)
  throw new FailedError(
    `${path} holds no picture that can be judged${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}; ${expectation}`,
  )
}

const expectation =
  'expected are images/ with labels/ (YOLO), text files beside the pictures (YOLO), a COCO file, images/ with masks/, or a folder of pictures per class; any of them may stand in train/, val/ and test/.'

type Layout = (typeof layouts)[number]

const readers: Readonly<Record<Layout, (path: string, options: ReadOptions) => Promise<DataSet>>> = {
  yolo: (path, { classNames }) => readYolo(path, classNames),
  coco: async path => {
    const file = statSync(path).isDirectory() ? await findCoco(path) : path
    if (!file) throw new FailedError(`${path} holds no COCO file (JSON with images, annotations and categories).`)
    return readCoco(file)
  },
  masks: path => readMasks(path),
  classes: path => readClasses(path),
}

/** The folder itself, or its train/, val/ and test/ where these are what it holds. YOLO is read from all folders below in any case. */
const partsOf = async (path: string, { prefer, layout }: ReadOptions): Promise<readonly string[]> => {
  if (!statSync(path).isDirectory() || layout === 'yolo') return [path]
  const folders = await pictureFolders(path)
  if (folders.length === 0 || !folders.every(isSplitName) || (await findCoco(path))) return [path]
  const parts = folders.map(name => join(path, name))
  const masksCount = layout === undefined && prefer === 'masks' && parts.some(hasMasks)
  return layout === undefined && !masksCount && (await holdsLabels(path)) ? [path] : parts
}

const hasMasks = (path: string): boolean => existsSync(join(path, 'masks')) && existsSync(join(path, 'images'))

/** One set of several that are laid out alike; classes of the same name are the same. */
const joined = (parts: readonly DataSet[], path: string): DataSet => {
  const [first, ...others] = parts
  const other = others.find(({ layout }) => layout !== first!.layout)
  if (other)
    throw new FailedError(
      `${path} holds folders that are laid out differently (${first!.layout}, ${other.layout}); give one of them.`,
    )
  if (others.length === 0) return first!
  const leftOut: Record<string, number> = {}
  for (const part of parts)
    for (const [reason, count] of Object.entries(part.leftOut)) leftOut[reason] = (leftOut[reason] ?? 0) + count
  return {
    ...first!,
    ...(first!.numbers && { numbers: common(parts.map(({ numbers }) => numbers!)) }),
    classes: [...new Set(parts.flatMap(({ classes }) => classes))],
    samples: parts.flatMap(({ samples }) => samples),
    leftOut,
  }
}

/** Files of one set may number their classes differently; such a number then means none. */
const common = ([first, ...others]: readonly ReadonlyMap<number, string>[]): ReadonlyMap<number, string> =>
  new Map([...first!].filter(([number, name]) => others.every(other => other.get(number) === name)))

const layoutOf = async (path: string, { prefer }: ReadOptions): Promise<Layout> => {
  if (!statSync(path).isDirectory()) {
    if (path.endsWith('.json')) return 'coco'
    throw new FailedError(`--data ${path} is a file; give a folder, or the JSON file of a COCO data set.`)
  }
  if (await findCoco(path)) return 'coco'
  const hasLabels = await holdsLabels(path)
  if (hasMasks(path) && (prefer === 'masks' || !hasLabels)) return 'masks'
  if (hasLabels) return 'yolo'
  const folders = await classFolders(path)
  const whole = folders.find(name => structure.some(part => existsSync(join(path, name, part))))
  if (whole !== undefined)
    throw new FailedError(
      `${join(path, whole)} is laid out as a data set of its own, and ${path} holds ${folders.length} such folders; give one of them.`,
    )
  if (folders.length > 0) return 'classes'
  const count = (await picturesUnder(path)).length
  throw new FailedError(
    count > 0
      ? `${path} holds ${count} pictures but nothing says what they show; ${expectation} Pictures that show nothing are given with --negatives.`
      : `${path} holds no pictures; ${expectation}`,
  )
}

const holdsLabels = async (path: string): Promise<boolean> => {
  const files = await filesUnder(path)
  if (files.some(file => inLabels(file.slice(path.length)))) return true
  const stems = new Set(files.filter(isLabelName).map(withoutExtension))
  return files.some(file => !isLabelName(file) && stems.has(withoutExtension(file)))
}

/** What a data set has inside, and a folder of pictures of one class has not. */
const structure = ['labels', 'masks', 'annotations', '_annotations.coco.json']
const reserved = ['images', ...structure]

const classFolders = async (path: string): Promise<readonly string[]> =>
  (await pictureFolders(path)).filter(name => !reserved.includes(name))

const pictureFolders = async (path: string): Promise<readonly string[]> => {
  const below = (await picturesUnder(path)).map(picture => relative(path, picture).split(sep))
  return [...new Set(below.flatMap(([folder, ...rest]) => (rest.length > 0 ? [folder!] : [])))].toSorted()
}

/** A folder of pictures per class; the folder's name says what its pictures show. */
const readClasses = async (path: string): Promise<DataSet> => {
  const classes = await classFolders(path)
  const samples = await Promise.all(
    classes.map(
      async (name): Promise<readonly Sample[]> =>
        (await picturesUnder(join(path, name))).map(picture => ({ path: picture, boxes: [], shows: [name] })),
    ),
  )
  return { layout: 'classes', classes, named: true, samples: samples.flat(), leftOut: {} }
}

/** Pictures that show none of the labels, whatever else lies beside them. */
export const readNegatives = async (path: string): Promise<readonly Sample[]> => {
  if (!existsSync(path) || !statSync(path).isDirectory())
    throw new FailedError(`--negatives ${path} is no folder; give a folder of pictures that show none of the labels.`)
  const pictures = await picturesUnder(path, ['masks'])
  if (pictures.length === 0) throw new FailedError(`--negatives ${path} holds no pictures.`)
  return pictures.map(picture => ({ path: picture, boxes: [], shows: [] }))
}

export const describeLayout = (layout: DataLayout, path: string): string =>
  `${basename(path)} (${{ yolo: 'YOLO boxes', coco: 'COCO boxes', masks: 'masks', classes: 'a folder per class', negatives: 'negatives' }[layout]})`
