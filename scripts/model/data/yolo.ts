import { readFile } from 'node:fs/promises'
import type { Box } from '@watchpost/shared/contracts/primitives'
import { FailedError } from '../command.js'
import { findClassNames, isNamesFile } from './class-names.js'
import type { DataSet, Sample, TrueBox } from './data-set.js'
import { filesUnder, picturesUnder, twinFolder, withoutExtension } from './walk.js'

/** Of a path inside the data set. */
export const inLabels = (path: string): boolean => /(^|[/\\])labels[/\\]/.test(path)
export const isLabelName = (name: string): boolean => name.endsWith('.txt')

const noPicture = 'label files without a picture'
const noLabelFile = 'pictures without a label file (an empty file says that a picture shows nothing)'

/**
 * Pictures with `CLASS X Y WIDTH HEIGHT` lines (centre and size, 0..1) in `labels/` beside `images/`, or in a text file beside each
 * picture. A line with more numbers is a polygon, of which the surrounding box is taken. An empty file: the picture shows nothing.
 */
export const readYolo = async (folder: string, classNames: readonly string[] | undefined): Promise<DataSet> => {
  const names = classNames ?? (await findClassNames(folder))
  const samples: Sample[] = []
  let without = 0
  const numbers = new Set<number>()
  const read = new Set<string>()
  for (const path of await picturesUnder(folder, ['masks'])) {
    const text = await readLabels(path)
    if (text === undefined) {
      without++
      continue
    }
    read.add(text.path)
    const lines = text.content.split('\n').map(line => line.trim())
    const boxes = lines.flatMap((line, i): TrueBox[] => {
      if (line === '') return []
      const { number, box } = readLine(line, `${text.path}:${i + 1}`, names)
      numbers.add(number)
      return [{ className: names?.[number] || String(number), box }]
    })
    samples.push({ path, boxes, shows: [...new Set(boxes.map(({ className }) => className))] })
  }
  const stray = (await filesUnder(folder, ['masks'])).filter(
    path => isLabelName(path) && inLabels(path.slice(folder.length)) && !read.has(path) && !isNamesFile(path),
  ).length
  const classes = names ?? Array.from({ length: Math.max(-1, ...numbers) + 1 }, (_, i) => String(i))
  return {
    layout: 'yolo',
    classes,
    named: names !== undefined,
    samples,
    leftOut: { ...(without && { [noLabelFile]: without }), ...(stray && { [noPicture]: stray }) },
  }
}

const readLabels = async (
  picture: string,
): Promise<{ readonly path: string; readonly content: string } | undefined> => {
  const beside = twinFolder(picture, 'images', 'labels')
  for (const stem of [...(beside ? [beside] : []), picture]) {
    const path = `${withoutExtension(stem)}.txt`
    const content = await readFile(path, 'utf8').catch(() => undefined)
    if (content !== undefined) return { path, content }
  }
  return undefined
}

const readLine = (line: string, at: string, names: readonly string[] | undefined) => {
  const values = line.split(/\s+/).map(Number)
  const [number, ...rest] = values as [number, ...number[]]
  const refuse = (why: string): never => {
    throw new FailedError(`${at}: "${line.slice(0, 60)}" ${why}`)
  }
  if (values.some(value => !Number.isFinite(value)) || !Number.isInteger(number) || number < 0)
    refuse('is not understood; a line is: class number, x and y of the centre, width, height, all four 0..1.')
  if (names && number >= names.length)
    refuse(
      `has the class ${number}, but only ${names.length} classes are named (0 to ${names.length - 1}); correct the line or the names.`,
    )
  if (rest.length !== 4 && (rest.length < 6 || rest.length % 2 !== 0))
    refuse(`has ${rest.length} numbers behind the class; there must be 4 (a box) or x and y of 3 and more points.`)
  // Rounding of tools puts edges a hair outside.
  if (rest.some(value => value < -0.01 || value > 1.01))
    refuse('is in pixels or lies outside the picture; centre and size are shares of the picture, 0..1.')
  return { number, box: rest.length === 4 ? fromCentre(rest as unknown as Box) : around(rest) }
}

const fromCentre = ([x, y, width, height]: Box): Box => [x - width / 2, y - height / 2, width, height]

const around = (points: readonly number[]): Box => {
  const xs = points.filter((_, i) => i % 2 === 0)
  const ys = points.filter((_, i) => i % 2 === 1)
  const [left, top] = [Math.min(...xs), Math.min(...ys)]
  return [left, top, Math.max(...xs) - left, Math.max(...ys) - top]
}
