import type { CameraCondition } from '@watchpost/shared/contracts/camera-health'

export type CaptureCondition = Extract<CameraCondition, 'offline' | 'unauthorised' | 'not-a-video' | 'stalled'>

/** Why there are no pictures and what to do about it. */
export interface Diagnosis {
  readonly condition: CaptureCondition
  readonly message: string
  readonly hint: string
}

type SourceKind = 'rtsp' | 'file' | 'folder' | 'mjpeg'

interface Symptom {
  readonly pattern: RegExp
  readonly condition: CaptureCondition
  readonly message: string
  readonly hint: string
}

/** The first that fits wins, so the more telling ones stand first. */
const symptoms: readonly Symptom[] = [
  {
    pattern: /\b401\b.*unauthori[sz]ed|authorization failed/i,
    condition: 'unauthorised',
    message: 'The camera answered 401 Unauthorized',
    hint: 'Check source.username and source.passwordFile (or passwordEnv) of this camera.',
  },
  {
    pattern: /\b403\b.*forbidden|access denied/i,
    condition: 'unauthorised',
    message: 'The camera answered 403 Forbidden',
    hint: 'Give this user the right to view the stream, or check the address filter of the camera.',
  },
  {
    pattern: /\b404\b.*not found|Stream Not Found/i,
    condition: 'offline',
    message: 'The camera answered 404 Not Found',
    hint: 'Check the path in source.url: it differs by maker and stream profile.',
  },
  {
    pattern: /Unsupported Transport|Nonmatching transport/i,
    condition: 'offline',
    message: 'The camera refuses this transport',
    hint: 'Change source.transport of this camera (tcp or udp).',
  },
  {
    pattern: /failed: 5\d\d |Service Unavailable|Internal Server Error|Server returned 5XX/i,
    condition: 'offline',
    message: 'The camera answered that it cannot serve the stream now',
    hint: 'It may have too many viewers: close others, raise its limit, or restart it.',
  },
  {
    pattern: /Connection refused/i,
    condition: 'offline',
    message: 'The connection was refused',
    hint: 'Check that the camera runs, and address and port in source.url.',
  },
  {
    pattern: /Failed to resolve hostname|Name or service not known|Temporary failure in name resolution/i,
    condition: 'offline',
    message: 'The host name of the camera is not known',
    hint: 'Check the host in source.url and the DNS of this gateway, or use the address.',
  },
  {
    pattern: /No route to host|Network is unreachable|Host is down/i,
    condition: 'offline',
    message: 'There is no way to the camera in the network',
    hint: 'Check power and cable of the camera and the network of this gateway.',
  },
  {
    pattern: /timed out|timeout/i,
    condition: 'offline',
    message: 'The camera did not answer in time',
    hint: 'Check that it runs and that no firewall drops the connection; with udp try source.transport: tcp.',
  },
  {
    pattern: /No such file or directory/i,
    condition: 'offline',
    message: 'The file does not exist',
    hint: 'Check source.path; it is relative to the configuration file.',
  },
  {
    pattern: /Permission denied|Is a directory/i,
    condition: 'offline',
    message: 'The file cannot be read',
    hint: 'Check that source.path is a file and that the agent may read it.',
  },
  {
    pattern:
      /Invalid data found|moov atom not found|does not contain any stream|matches no streams|could not find codec parameters|Invalid argument|Protocol not found/i,
    condition: 'not-a-video',
    message: 'What the source sends is not a video that ffmpeg can read',
    hint: 'Open the source with ffprobe; check that it is a video (H.264 or H.265 for cameras).',
  },
]

/** Names the cause of an exit from what ffmpeg said. Times out of ffmpeg's hands (a stall) are not asked here. */
export const diagnoseExit = (exit: {
  readonly lines: readonly string[]
  readonly pictures: number
  readonly kind: SourceKind
}): Diagnosis => {
  const text = exit.lines.join('\n')
  const symptom = symptoms.find(candidate => candidate.pattern.test(text))
  if (symptom !== undefined && !(exit.pictures > 0 && symptom.condition === 'not-a-video')) {
    const { condition, message, hint } = symptom
    return { condition, message, hint }
  }
  const live = exit.kind === 'rtsp' || exit.kind === 'mjpeg'
  if (exit.pictures === 0 && !live) {
    return {
      condition: 'not-a-video',
      message: 'The source holds not a single frame that could be decoded',
      hint: 'Open it with ffprobe; check that it is a complete video.',
    }
  }
  const said = exit.lines.at(-1)
  return {
    condition: 'offline',
    message: said === undefined ? 'The stream ended' : `The stream ended: ${said.slice(0, 300)}`,
    hint: 'The agent reconnects by itself; if this repeats, check the network and the camera for restarts.',
  }
}

export const stallDiagnosis = (stallSeconds: number, pictures: number): Diagnosis => ({
  condition: 'stalled',
  message:
    pictures === 0
      ? `The source answers but sent no picture within ${stallSeconds} s`
      : `The source is connected but sent no picture for ${stallSeconds} s`,
  hint: 'The stream is restarted; if this repeats, restart the camera, lower its bit rate or check the link.',
})
