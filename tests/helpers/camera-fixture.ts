import { Value } from '@sinclair/typebox/value'
import type { CaptureLog } from '../../edge/capture/capture-log.js'
import { CameraConfig, type SourceConfig } from '../../edge/config/agent-config.js'
import type { Frame } from '../../edge/frames/frame.js'

export interface CameraOverrides {
  readonly id?: string
  readonly fps?: number
  readonly stallSeconds?: number
  readonly width?: number
  readonly privacyMasks?: CameraConfig['privacyMasks']
  readonly clockOffsetMs?: number
}

/** A camera as the configuration loader hands it over, with the schema's defaults. */
export const cameraOf = (
  source: Partial<SourceConfig> & { kind: SourceConfig['kind'] },
  overrides: CameraOverrides = {},
): CameraConfig => {
  const { id = 'gate', fps = 5, stallSeconds = 10, width = 320, privacyMasks = [], clockOffsetMs = 0 } = overrides
  const camera = Value.Default(CameraConfig, {
    id,
    name: id,
    source,
    frame: { width },
    stallSeconds,
    clockOffsetMs,
    privacyMasks,
    health: {},
    analytics: [{ id: 'traffic', kind: 'traffic', model: 'vehicles', fps }],
  })
  if (!Value.Check(CameraConfig, camera)) throw new Error(JSON.stringify([...Value.Errors(CameraConfig, camera)][0]))
  return camera
}

export interface RecordedLog extends CaptureLog {
  /** Every line as it would be written. */
  text(): string
}

export const recordLog = (): RecordedLog => {
  const lines: string[] = []
  const write = (level: string) => (fields: object, message: string) => {
    const plain = Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [
        key,
        value instanceof Error ? `${value.message} ${value.stack}` : value,
      ]),
    )
    lines.push(`${level} ${message} ${JSON.stringify(plain)}`)
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    text: () => lines.join('\n'),
  }
}

/** Of frames in a row. */
export const perSecond = (frames: readonly Frame[]): number =>
  ((frames.length - 1) * 1000) / (frames.at(-1)!.takenAt - frames[0]!.takenAt)

/** Waits for a condition of the real world (a child process, a socket); rejects with what was awaited. */
export const until = async (what: string, isTrue: () => boolean, timeoutMs = 60_000): Promise<void> => {
  const endsAt = performance.now() + timeoutMs
  while (!isTrue()) {
    if (performance.now() > endsAt) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
