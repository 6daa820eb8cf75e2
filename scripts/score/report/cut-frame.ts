import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const maxBytes = 8 * 1024 * 1024

/** The picture of a clip at a second, as a data URI of a JPEG. Rejects with ffmpeg's own words. */
export const cutFrame = async (clip: string, t: number): Promise<string> => {
  const at = Math.max(0, t).toFixed(3)
  const args = [
    '-v',
    'error',
    '-ss',
    at,
    '-i',
    `file:${clip}`,
    '-frames:v',
    '1',
    '-q:v',
    '5',
    '-f',
    'image2pipe',
    '-c:v',
    'mjpeg',
    '-',
  ]
  const { stdout } = await promisify(execFile)('ffmpeg', args, { encoding: 'buffer', maxBuffer: maxBytes })
  if (stdout.length === 0) throw new Error(`${clip} has no picture at ${at} s`)
  return `data:image/jpeg;base64,${stdout.toString('base64')}`
}
