import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished } from 'vitest'
import { parseAnnexB } from '../../scripts/simulated-city/streams/annex-b.js'
import { type Clip, clipOf } from '../../scripts/simulated-city/streams/clip.js'

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
  /** H.264 without B frames when absent. */
  readonly codec?: readonly string[]
}

const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-pix_fmt', 'yuv420p']

/** Makes a short H.264 clip with ffmpeg; the ending of `path` decides the container (`.h264`: Annex B with access unit delimiters). */
export const makeClip = (path: string, options: ClipOptions): string => {
  const { source, seconds, keyFrameEvery = 25, codec = h264 } = options
  const input = ['-f', 'lavfi', '-i', source, '-t', String(seconds)]
  const keys = ['-g', String(keyFrameEvery), '-keyint_min', String(keyFrameEvery), '-sc_threshold', '0']
  const raw = path.endsWith('.h264') ? ['-bsf:v', 'h264_metadata=aud=insert', '-f', 'h264'] : []
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...codec, ...keys, ...raw, path])
  return path
}

/** Reads an Annex B file whose access units begin with delimiters, as `makeClip` writes `.h264`. */
export const readH264 = (path: string, fps = 25): Clip => {
  const units = parseAnnexB(readFileSync(path))
  if (units === undefined) throw new Error(`${path} holds no H.264 access units`)
  return clipOf(units, fps)
}
