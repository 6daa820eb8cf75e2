import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished } from 'vitest'

/** A folder of its own, removed after the test, or after the file when it is made outside of tests. */
export const temporaryFolder = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), `watchpost-test-${name}-`))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  if (expect.getState().currentTestName === undefined) afterAll(remove)
  else onTestFinished(remove)
  return folder
}

export interface ClipOptions {
  /** A lavfi source, e.g. `testsrc=size=320x180:rate=25`. */
  readonly source: string
  readonly seconds: number
  /** Frames between key frames. */
  readonly keyFrameEvery?: number
}

/** Makes a short H.264 clip with ffmpeg; the ending of `path` decides the container (`.h264`: Annex B with access unit delimiters). */
export const makeClip = (path: string, { source, seconds, keyFrameEvery = 25 }: ClipOptions): string => {
  const input = ['-f', 'lavfi', '-i', source, '-t', String(seconds)]
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-pix_fmt', 'yuv420p']
  const keys = ['-g', String(keyFrameEvery), '-keyint_min', String(keyFrameEvery), '-sc_threshold', '0']
  const raw = path.endsWith('.h264') ? ['-bsf:v', 'h264_metadata=aud=insert', '-f', 'h264'] : []
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...codec, ...keys, ...raw, path])
  return path
}

export interface AccessUnit {
  readonly nals: readonly Buffer[]
  readonly isKey: boolean
}

export interface H264Clip {
  readonly accessUnits: readonly AccessUnit[]
  readonly sps: Buffer
  readonly pps: Buffer
}

const nalType = { idr: 5, sps: 7, pps: 8, accessUnitDelimiter: 9 }

/** Reads an Annex B file whose access units begin with delimiters, as `makeClip` writes `.h264`. */
export const readH264 = (path: string): H264Clip => {
  const units: { nals: Buffer[]; isKey: boolean }[] = []
  let sps: Buffer | undefined
  let pps: Buffer | undefined
  for (const nal of splitNals(readFileSync(path))) {
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
  if (sps === undefined || pps === undefined || units.length === 0)
    throw new Error(`${path} holds no H.264 access units`)
  return { accessUnits: units, sps, pps }
}

const startCode = Buffer.from([0, 0, 1])

const splitNals = (bytes: Buffer): Buffer[] => {
  const nals: Buffer[] = []
  let start = bytes.indexOf(startCode)
  while (start >= 0) {
    const next = bytes.indexOf(startCode, start + 3)
    let end = next < 0 ? bytes.length : next
    while (end > start + 3 && bytes[end - 1] === 0) end--
    nals.push(bytes.subarray(start + 3, end))
    start = next
  }
  return nals
}
