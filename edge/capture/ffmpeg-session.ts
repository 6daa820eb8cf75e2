import type { CameraConfig } from '../config/agent-config.js'
import { CaptureError } from './capture-error.js'
import { captureFps } from './capture-fps.js'
import type { ChildRegister } from './child-register.js'
import { diagnoseExit, stallDiagnosis } from './diagnosis.js'
import { livePlan } from './ffmpeg-arguments.js'
import { type FfmpegChild, type Spawn, startFfmpeg } from './ffmpeg-child.js'
import { type FoundVideo, readMessages } from './ffmpeg-messages.js'
import type { FfmpegTools } from './ffmpeg-tools.js'
import type { KeyFramePolicy } from './key-frame-policy.js'
import { createPictureAssembler, type Picture } from './picture-assembler.js'
import type { Session, SessionEnd } from './session.js'
import { sourceAddress } from './source-address.js'
import { stallLimitMs } from './stall-limit.js'
import { createStartBunch } from './start-bunch.js'
import { createWatchdog } from './watchdog.js'

export interface FfmpegSessionOptions {
  readonly camera: CameraConfig
  readonly tools: FfmpegTools
  readonly policy: KeyFramePolicy
  readonly children: ChildRegister
  readonly spawn: Spawn | undefined
}

/** Time for the first picture: connecting, probing and waiting for a key frame take 1.5 to 5 s on a healthy camera. */
const firstPictureMs = 6_000
/** On a crowded gateway the start takes longer; so each start without a picture doubles the time, or it would never succeed. */
const longestFirstPictureMs = 30_000

/** One ffmpeg from start to exit. Its exit is a loss, whatever the code: a killed server makes it exit with 0. */
export const ffmpegSession = ({ camera, tools, policy, children, spawn }: FfmpegSessionOptions): Session => {
  const stallMs = stallLimitMs(camera)
  const isRtsp = camera.source.kind === 'rtsp'
  const fps = captureFps(camera)
  let fruitlessStarts = 0

  return async (listener, stopping) => {
    const keyFramesOnly = policy.keyFramesOnly()
    let child: FfmpegChild
    let secrets: readonly string[]
    try {
      const address = sourceAddress(camera.source)
      secrets = address.secrets
      const plan = livePlan({
        camera,
        location: address.location,
        fps,
        keyFramesOnly,
        version: tools.version,
      })
      child = startFfmpeg(tools.ffmpeg, plan, spawn)
    } catch (error) {
      return { kind: 'lost', diagnosis: startDiagnosis(error) }
    }

    const forget = child.pid === undefined ? () => {} : children.record(camera.id, child.pid)
    const messages = readMessages(child.stderr, secrets)
    messages.onDecodeError(listener.decodeError)
    const assembler = createPictureAssembler()
    let pictures = 0
    let lastPictureAt = 0
    let verdict: SessionEnd | undefined
    const deliver = (picture: Picture, agoMs: number): void => {
      if (verdict !== undefined) return
      const video = messages.video()
      listener.picture(picture, agoMs + (isRtsp && video !== null ? heldBackMs(video) : 0))
    }
    const bunch = createStartBunch(1000 / fps, deliver)

    const giveUp = (end: SessionEnd): void => {
      verdict ??= end
      void child.kill()
    }
    const stalled = (): void => {
      policy.stalled()
      if (pictures === 0) fruitlessStarts++
      giveUp({
        kind: 'lost',
        diagnosis: stallDiagnosis((pictures === 0 ? firstLimitMs : stallMs) / 1000, pictures),
      })
    }
    const patienceMs = Math.min(longestFirstPictureMs, firstPictureMs * 2 ** fruitlessStarts)
    const firstLimitMs = Math.max(stallMs, patienceMs)
    let watchdog = createWatchdog(firstLimitMs, stalled)

    const take = (chunk: Buffer): void => {
      listener.bytes(chunk.length)
      for (const picture of assembler.push(chunk)) {
        if (verdict !== undefined) return
        const now = performance.now()
        const video = messages.video()
        if (pictures++ === 0) {
          fruitlessStarts = 0
          watchdog.close()
          watchdog = createWatchdog(stallMs, stalled)
        } else if (keyFramesOnly && policy.gapTooLong(now - lastPictureAt)) {
          giveUp({ kind: 'decode-all', because: 'the key frames are too far apart for the analytics' })
          return
        }
        // What ffmpeg says of the source comes through another pipe than its pictures, perhaps after the first of them.
        if (keyFramesOnly && video !== null && policy.sourceIsSlow(video.fps)) {
          giveUp({ kind: 'decode-all', because: `the source has only ${video.fps} frames a second` })
          return
        }
        lastPictureAt = now
        watchdog.feed()
        // Of a file no picture is old, and none is left out.
        if (camera.source.kind === 'file') deliver(picture, 0)
        else bunch.push(picture)
      }
    }
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        take(chunk)
      } catch (error) {
        giveUp({ kind: 'lost', diagnosis: startDiagnosis(error) })
      }
    })
    const stop = (): void => {
      verdict ??= { kind: 'ended' }
      void child.stop()
    }
    stopping.addEventListener('abort', stop, { once: true })
    if (stopping.aborted) stop()
    policy.connected()

    const exit = await child.closed
    watchdog.close()
    bunch.close()
    stopping.removeEventListener('abort', stop)
    forget()
    if (verdict !== undefined) return verdict
    if (exit.error !== undefined) return { kind: 'lost', diagnosis: startDiagnosis(exit.error) }
    if (camera.source.kind === 'file' && !camera.source.loop && exit.code === 0 && pictures > 0)
      return { kind: 'ended' }
    const { kind } = camera.source
    return { kind: 'lost', diagnosis: diagnoseExit({ lines: messages.lines(), pictures, kind }) }
  }
}

/** Where a picture of these ends ffmpeg sees only when the next one begins: a second late, where a camera sends one a second. */
const endsWithTheNext = new Set(['h264', 'hevc'])
/** The rate is what ffmpeg made of the first packets; a wrong one must not do more harm than this. */
const longestHeldBackMs = 2_000

const heldBackMs = ({ codec, fps }: FoundVideo): number =>
  endsWithTheNext.has(codec) ? Math.min(longestHeldBackMs, Math.round(1000 / fps)) : 0

const startDiagnosis = (error: unknown) => {
  if (error instanceof CaptureError) {
    const condition = error.code === 'credentials' ? ('unauthorised' as const) : ('offline' as const)
    return { condition, message: error.message.slice(0, 500), hint: error.hint }
  }
  const message = error instanceof Error ? error.message : String(error)
  return {
    condition: 'offline' as const,
    message: `ffmpeg failed: ${message.slice(0, 400)}`,
    hint: 'Check that ffmpeg runs on this machine and that memory and processes are not exhausted.',
  }
}
