import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { type AccessUnit, type H264Units, parseAnnexB } from './annex-b.js'

/** One picture of a clip, in the order in which a camera sends them. Seconds count from the clip's start. */
export interface ClipFrame extends AccessUnit {
  /** When it is sent. */
  readonly sendS: number
  /** When it is shown; differs from `sendS` only in clips with B frames. */
  readonly showS: number
}

/** A clip in memory. The first frame is a key frame. */
export interface Clip {
  readonly frames: readonly ClipFrame[]
  readonly sps: Buffer
  readonly pps: Buffer
  readonly durationS: number
  readonly fps: number
  readonly bytes: number
}

/** Says what is wrong with a video file and what to do about it. */
export class UnusableClipError extends Error {}

const run = promisify(execFile)
/** A clip is held in memory; larger files belong on a disk-backed server. */
const maxBytes = 1024 ** 3

/** Reads the first video of a file without transcoding. Rejects with `UnusableClipError`. */
export const readClip = async (file: string): Promise<Clip> => {
  if (!existsSync(file)) throw new UnusableClipError(`${file}: no such file; give a path to a video.`)
  const facts = await probe(file)
  if (facts.codec !== 'h264') {
    throw new UnusableClipError(
      `${file} is ${facts.codec ?? 'no video'}, and only H.264 can be served; convert it with: ffmpeg -i ${file} -an -c:v libx264 -pix_fmt yuv420p -bf 0 out.mp4`,
    )
  }
  const input = ['-v', 'error', '-i', `file:${file}`, '-map', '0:v:0', '-c', 'copy']
  // The delimiters tell where a picture ends.
  const output = ['-bsf:v', 'h264_mp4toannexb,h264_metadata=aud=insert', '-f', 'h264', 'pipe:1']
  const { stdout } = await ffmpeg(file, 'ffmpeg', [...input, ...output])
  const units = parseAnnexB(stdout)
  if (units === undefined) {
    throw new UnusableClipError(
      `${file} does not begin with a key frame; cut it with: ffmpeg -i ${file} -c:v libx264 out.mp4`,
    )
  }
  return clipOf(units, facts.fps, facts.packets)
}

interface PacketTime {
  readonly dtsS: number
  readonly ptsS: number
}

/** Joins pictures with their times; frames follow each other evenly when the file says no times (raw H.264). */
export const clipOf = (units: H264Units, fps: number, packets: readonly PacketTime[] = []): Clip => {
  const hasTimes = packets.length === units.units.length && packets.every(({ ptsS, dtsS }) => ptsS >= 0 || dtsS >= 0)
  const firstDts = hasTimes ? packets[0]!.dtsS : 0
  const firstPts = hasTimes ? Math.min(...packets.map(({ ptsS }) => ptsS)) : 0
  const frames = units.units.map((unit, index) => ({
    ...unit,
    sendS: hasTimes ? packets[index]!.dtsS - firstDts : index / fps,
    showS: hasTimes ? packets[index]!.ptsS - firstPts : index / fps,
  }))
  return {
    frames,
    sps: units.sps,
    pps: units.pps,
    durationS: round(Math.max(...frames.map(({ showS }) => showS)) + 1 / fps),
    fps,
    bytes: frames.reduce((sum, { nals }) => sum + nals.reduce((bytes, nal) => bytes + nal.length, 0), 0),
  }
}

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000

const probe = async (file: string) => {
  const entries = 'stream=codec_name,avg_frame_rate,r_frame_rate:packet=pts_time,dts_time'
  const { stdout } = await ffmpeg(file, 'ffprobe', [
    ...['-v', 'error', '-select_streams', 'v:0', '-show_entries', entries, '-of', 'json', `file:${file}`],
  ])
  const { streams = [], packets = [] } = JSON.parse(stdout.toString()) as {
    streams?: { codec_name?: string; avg_frame_rate?: string; r_frame_rate?: string }[]
    packets?: { pts_time?: string; dts_time?: string }[]
  }
  const rateOf = (text = ''): number => {
    const [over = 0, under = 1] = text.split('/').map(Number)
    return over / under
  }
  const rates = [rateOf(streams[0]?.avg_frame_rate), rateOf(streams[0]?.r_frame_rate), 25]
  return {
    codec: streams[0]?.codec_name,
    fps: rates.find(rate => rate > 0 && rate <= 240) ?? 25,
    packets: packets.map(({ pts_time, dts_time }) => ({
      dtsS: Number(dts_time ?? pts_time ?? -1),
      ptsS: Number(pts_time ?? dts_time ?? -1),
    })),
  }
}

const ffmpeg = async (file: string, program: 'ffmpeg' | 'ffprobe', args: readonly string[]) => {
  try {
    return await run(program, args, { encoding: 'buffer', maxBuffer: maxBytes })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new UnusableClipError(`${program} is not installed; install it with: apt-get install ffmpeg`, { cause })
    }
    const said = String((cause as { stderr?: Buffer }).stderr ?? '')
      .trim()
      .split('\n')
      .at(-1)
    throw new UnusableClipError(
      `${file} cannot be read as a video (${said || (cause as Error).message}); check it with: ffprobe ${file}`,
      { cause },
    )
  }
}
