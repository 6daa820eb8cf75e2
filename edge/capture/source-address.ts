import { readFileSync } from 'node:fs'
import type { CameraConfig, SourceConfig } from '../config/agent-config.js'
import { CaptureError } from './capture-error.js'
import { redact } from './redact.js'

export interface SourceAddress {
  /** What ffmpeg opens; may hold credentials, so it is never logged. */
  readonly location: string
  /** The same for people. */
  readonly name: string
  /** Texts that must not appear in any message. */
  readonly secrets: readonly string[]
}

/** Where the pictures come from. The password is read anew at each connection, so that a rotated one needs no restart. */
export const sourceAddress = (source: SourceConfig): SourceAddress => {
  if (source.kind === 'file' || source.kind === 'folder') {
    return { location: source.path, name: source.path, secrets: [] }
  }
  const url = new URL(source.url)
  if (source.kind === 'rtsp' && source.username !== undefined) {
    url.username = encodeURIComponent(source.username)
    url.password = encodeURIComponent(readPassword(source))
  }
  const encoded = url.password
  const secrets = encoded === '' ? [] : [...new Set([encoded, decodeURIComponent(encoded)])]
  return { location: url.href, name: redact(url.href, secrets), secrets }
}

/** What a camera's messages call its source. Never throws, never shows credentials. */
export const sourceName = (camera: CameraConfig): string =>
  'path' in camera.source ? camera.source.path : redact(camera.source.url)

const readPassword = (source: Extract<SourceConfig, { kind: 'rtsp' }>): string => {
  if (source.passwordFile !== undefined) {
    try {
      return readFileSync(source.passwordFile, 'utf8').trimEnd()
    } catch (cause) {
      throw new CaptureError('credentials', {
        subject: redact(source.url),
        message: `The password file ${source.passwordFile} cannot be read`,
        hint: 'Create it with the password as its only line, readable by the agent.',
        cause,
      })
    }
  }
  if (source.passwordEnv === undefined) return ''
  const password = process.env[source.passwordEnv]
  if (password !== undefined) return password
  throw new CaptureError('credentials', {
    subject: redact(source.url),
    message: `The environment variable ${source.passwordEnv} is not set`,
    hint: 'Set it for the agent, or use source.passwordFile.',
  })
}
