/** One coded picture. */
export interface AccessUnit {
  readonly nals: readonly Buffer[]
  readonly isKey: boolean
}

export interface H264Units {
  readonly units: readonly AccessUnit[]
  /** Parameter sets, without which no decoder can start. */
  readonly sps: Buffer
  readonly pps: Buffer
}

const nalType = { idr: 5, sps: 7, pps: 8, accessUnitDelimiter: 9 }

/** Cuts an Annex B byte stream whose access units begin with delimiters. Undefined when it holds no picture that a decoder can start with. */
export const parseAnnexB = (bytes: Buffer): H264Units | undefined => {
  const units: { nals: Buffer[]; isKey: boolean }[] = []
  let sps: Buffer | undefined
  let pps: Buffer | undefined
  for (const nal of splitNals(bytes)) {
    const type = nal[0]! & 31
    if (type === nalType.sps) sps ??= nal
    if (type === nalType.pps) pps ??= nal
    if (type === nalType.accessUnitDelimiter) {
      units.push({ nals: [], isKey: false })
      continue
    }
    const unit = units.at(-1)
    if (unit === undefined) continue
    unit.nals.push(nal)
    if (type === nalType.idr) unit.isKey = true
  }
  if (sps === undefined || pps === undefined || units[0]?.isKey !== true) return undefined
  return { units: units.map(unit => withParameterSets(unit, sps, pps)), sps, pps }
}

/**
 * Whoever joins at a key frame must find the parameter sets in front of it: not every client reads them from the SDP.
 * They go before anything else in the picture; muxers put supplemental information (SEI) first.
 */
const withParameterSets = (unit: AccessUnit, sps: Buffer, pps: Buffer): AccessUnit => {
  if (!unit.isKey) return unit
  const own = unit.nals.filter(isParameterSet)
  const sets = own.length > 0 ? own : [sps, pps]
  return { ...unit, nals: [...sets, ...unit.nals.filter(nal => !isParameterSet(nal))] }
}

const isParameterSet = (nal: Buffer): boolean => [nalType.sps, nalType.pps].includes(nal[0]! & 31)

const startCode = Buffer.from([0, 0, 1])

const splitNals = (bytes: Buffer): Buffer[] => {
  const nals: Buffer[] = []
  let start = bytes.indexOf(startCode)
  while (start >= 0) {
    const next = bytes.indexOf(startCode, start + 3)
    let end = next < 0 ? bytes.length : next
    while (end > start + 3 && bytes[end - 1] === 0) end--
    if (end > start + 3) nals.push(bytes.subarray(start + 3, end))
    start = next
  }
  return nals
}
