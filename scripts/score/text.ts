import type { Hold } from './holds.js'
import type { Result } from './result.js'

/** The table of holds and what else a person wants to know at once. */
export const textOf = ({ holds, scenes, droppedShare, exposureCameraDays, falseIncidentList }: Result): string =>
  [
    ...holds.map(holdLine),
    '',
    `${scenes.length} scenes, ${((exposureCameraDays ?? 0) * 1440).toFixed(1)} camera minutes, ${percent(droppedShare)} of the frames dropped by this machine`,
    ...falseIncidentList.map(({ scene, kind, t }) => `false: ${kind} in ${scene} at ${t} s`),
  ].join('\n')

const words = new Map<boolean | null, string>([
  [true, 'reached'],
  [false, 'MISSED'],
  [null, 'not shown'],
])

const holdLine = ({ text, target, value, unit, reached }: Hold): string =>
  `${words.get(reached)!.padEnd(10)} ${text.padEnd(66)} ${String(value ?? '-').padStart(8)}  (hold ${target}${unit === '1' ? '' : ` ${unit}`})`

const percent = (share: number | null): string => (share === null ? '-' : `${(share * 100).toFixed(1)} %`)
