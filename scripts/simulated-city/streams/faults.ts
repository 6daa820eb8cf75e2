export const faultKinds = ['drop', 'stall', 'corrupt', 'loss', 'wrong-clock', 'freeze', 'refuse'] as const
export type FaultKind = (typeof faultKinds)[number]

/** What real cameras and networks do to a stream. */
export interface Fault {
  readonly kind: FaultKind
  /** `corrupt`, `loss`: share of the packets that are hit, 0..1. */
  readonly rate?: number
  /** `corrupt`, `loss`: the same seed hits the same packets of the same pictures. */
  readonly seed?: number
  /** `wrong-clock`: how far the camera's clock is ahead (negative: behind), seconds. */
  readonly offsetS?: number
  /** `refuse`: the RTSP status that every request gets. */
  readonly status?: number
}

/** Without `forS` a fault lasts until it is ended, and `drop` happens once. */
export interface FaultOrder extends Fault {
  readonly forS?: number
}

/** A fault at a place of the scene, `[fromS, untilS)` in scene seconds; it comes again with each repetition of the clip. */
export interface ScheduledFault extends Fault {
  /** Name of a stream, `*` for all. */
  readonly stream: string
  readonly fromS: number
  readonly untilS: number
}

/** Says in one sentence what is wrong with the description of a fault, and what to write instead. */
export class UnknownFaultError extends Error {}

type Setting = 'rate' | 'offsetS' | 'status'
const settings: Readonly<Record<FaultKind, Setting | undefined>> = {
  drop: undefined,
  stall: undefined,
  corrupt: 'rate',
  loss: 'rate',
  'wrong-clock': 'offsetS',
  freeze: undefined,
  refuse: 'status',
}
export const faultDefaults = { rate: 0.05, offsetS: 3600, status: 503 }
const statuses = [401, 403, 404, 503]

const limits: Readonly<Record<Setting, { readonly isGood: (value: number) => boolean; readonly text: string }>> = {
  rate: { isGood: value => value > 0 && value <= 1, text: 'a share of packets above 0, up to 1' },
  offsetS: { isGood: value => Math.abs(value) <= 20 * 365 * 86_400, text: 'seconds, at most 20 years' },
  status: { isGood: value => statuses.includes(value), text: `one of ${statuses.join(', ')}` },
}

/** Checks a fault that came from outside, e.g. `{"kind":"loss","rate":0.1,"forS":5}`. Throws `UnknownFaultError`. */
export const parseFaultOrder = (given: unknown): FaultOrder => {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UnknownFaultError('A fault is a JSON object such as {"kind":"stall","forS":10}.')
  }
  const { kind, ...rest } = given as Record<string, unknown>
  const known = kindOf(String(kind))
  const allowed = [settings[known], settings[known] === 'rate' ? 'seed' : undefined, 'forS']
  for (const [name, value] of Object.entries(rest)) {
    if (!allowed.includes(name as Setting)) {
      throw new UnknownFaultError(
        `"${name}" means nothing to ${known}; it takes ${allowed.filter(Boolean).join(', ')}.`,
      )
    }
    const isGood = typeof value === 'number' && Number.isFinite(value) && (name !== 'forS' || value > 0)
    if (!isGood)
      throw new UnknownFaultError(`"${name}" must be a number${name === 'forS' ? ' of seconds above 0' : ''}.`)
    if (name in limits) checkLimit(name as Setting, value)
  }
  return { kind: known, ...rest }
}

const format = 'NAME:KIND@FROM-UNTIL in scene seconds, e.g. junction:loss=0.1@10-20'

/** Reads `NAME:KIND[=VALUE]@FROM[-UNTIL]`. Throws `UnknownFaultError`. */
export const parseScheduledFault = (text: string): ScheduledFault => {
  const match = /^([^:]+):([a-z-]+)(?:=(-?[\d.]+))?@([\d.]+)(?:-([\d.]+))?$/.exec(text)
  if (match === null) throw new UnknownFaultError(`--fault "${text}" is not understood; write ${format}.`)
  const [, stream = '', kind = '', value, from, until] = match
  const [fromS, untilS] = [Number(from), until === undefined ? Number.POSITIVE_INFINITY : Number(until)]
  if (!(untilS > fromS)) throw new UnknownFaultError(`--fault "${text}" ends before it begins; write ${format}.`)
  const known = kindOf(kind)
  if (value === undefined) return { stream, kind: known, fromS, untilS }
  const setting = settings[known]
  if (setting === undefined)
    throw new UnknownFaultError(`--fault "${text}": ${known} takes no value; leave out "=${value}".`)
  checkLimit(setting, Number(value))
  return { stream, kind: known, [setting]: Number(value), fromS, untilS }
}

const kindOf = (given: string): FaultKind => {
  const known = faultKinds.find(kind => kind === given)
  if (known === undefined)
    throw new UnknownFaultError(`"${given}" is no kind of fault; use one of ${faultKinds.join(', ')}.`)
  return known
}

const checkLimit = (setting: Setting, value: number): void => {
  if (!limits[setting].isGood(value))
    throw new UnknownFaultError(`${value} will not do: ${setting} is ${limits[setting].text}.`)
}
