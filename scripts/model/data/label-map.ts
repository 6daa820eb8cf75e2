import { type Given, UsageError } from '../command.js'
import type { DataSet } from './data-set.js'

/** One thing that is judged: labels of the package and classes of the data that mean it. */
export interface Subject {
  /** The package's label, or several joined by `+` when they count as one. */
  readonly name: string
  readonly labels: readonly string[]
  readonly classes: ReadonlySet<string>
}

export interface LabelMap {
  readonly subjects: readonly Subject[]
  /** What is not judged, as sentences. */
  readonly notes: readonly string[]
}

/** `--map smoke=1,flame=0` or `--map car+bus+truck=3+4+5`; without it labels and classes of the same name belong together. */
export const mapLabels = (labels: readonly string[], data: DataSet, given: Given): LabelMap => {
  const entries = given.texts('map').flatMap(text => text.split(','))
  const subjects = entries.length > 0 ? entries.map(entry => parseEntry(entry, labels, data)) : byName(labels, data)
  const twice = subjects.find(({ name }, i) => subjects.findIndex(one => one.name === name) !== i)?.name
  if (twice !== undefined)
    throw new UsageError(`--map names the label "${twice}" twice; write its classes together: ${twice}=CLASS+CLASS.`)
  const judged = new Set(subjects.flatMap(subject => subject.labels))
  const used = new Set(subjects.flatMap(({ classes }) => [...classes]))
  const unjudged = labels.filter(label => !judged.has(label))
  const unused = data.classes.filter(name => name !== '' && !used.has(name))
  const notes = [
    ...(unjudged.length > 0 ? [`not judged, because the data has no such class: ${list(unjudged)}.`] : []),
    ...(unused.length > 0 ? [`classes of the data that no label stands for: ${list(unused)}.`] : []),
  ]
  return { subjects, notes }
}

const list = (names: readonly string[]): string =>
  names.length > 12 ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more` : names.join(', ')

const parseEntry = (entry: string, labels: readonly string[], data: DataSet): Subject => {
  const [left, right, ...more] = entry.split('=').map(part => part.trim())
  if (!left || !right || more.length > 0)
    throw new UsageError(`--map "${entry}" is not understood; write LABEL=CLASS, e.g. smoke=1,flame=0 or car+bus=3+4.`)
  const own = left.split('+')
  const unknown = own.find(label => !labels.includes(label))
  if (unknown !== undefined)
    throw new UsageError(
      `--map names the label "${unknown}", which the package does not report; it reports ${list(labels)}.`,
    )
  return { name: left, labels: own, classes: new Set(right.split('+').map(name => classNamed(name, data))) }
}

/** By name, or by the number that the data's files use. */
const classNamed = (name: string, { classes, named, numbers }: DataSet): string => {
  const found = classes.find(one => sameName(one, name))
  if (found !== undefined) return found
  const numbered = numbers ? numbers.get(Number(name)) : classes[Number(name)]
  // Without names a class may be listed that no picture of this set shows.
  if (/^\d+$/.test(name) && (!named || numbered !== undefined)) return numbered || name
  throw new UsageError(`--map names the class "${name}", which the data does not have; it has ${list(classes)}.`)
}

const plain = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, '')
const sameName = (a: string, b: string): boolean => plain(a) === plain(b)

const byName = (labels: readonly string[], data: DataSet): readonly Subject[] => {
  const subjects = labels.flatMap((label): Subject[] => {
    const classes = data.classes.filter(name => sameName(name, label))
    return classes.length > 0 ? [{ name: label, labels: [label], classes: new Set(classes) }] : []
  })
  if (subjects.length > 0) return subjects
  // One label and one class can only mean each other.
  const [only, ...otherLabels] = labels
  const [one, ...otherClasses] = data.classes
  if (only !== undefined && one !== undefined && otherLabels.length + otherClasses.length === 0)
    return [{ name: only, labels: [only], classes: new Set([one]) }]
  const example = labels.slice(0, 2).map((label, i) => `${label}=${data.classes[i] ?? i}`)
  throw new UsageError(
    data.named
      ? `No label of the package (${list(labels)}) is a class of the data (${list(data.classes)}); say which is which with --map, e.g. --map ${example.join(',')}.`
      : `The data has class numbers but no names (${list(data.classes)}); say which is which with --map, e.g. --map ${example.join(',')}, or name them with --classes FILE. The package's labels are ${list(labels)}.`,
  )
}
