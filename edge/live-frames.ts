import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Capture, createCapture } from './capture/capture.js'
import type { CaptureLog } from './capture/capture-log.js'
import type { CameraConfig } from './config/agent-config.js'
import type { Frame } from './frames/frame.js'

export interface LiveFramesOptions {
  readonly signal: AbortSignal
  readonly log: CaptureLog
}

/** A stream goes on whether we keep up or not; so many frames may wait. */
const maxWaiting = 100

/**
 * A live camera as a sequence that a `for await` can read: for replays from an address and for trying a camera. Ends with the signal;
 * throws when the camera cannot be read. A consumer that is too slow by a hundred frames loses the oldest, which is logged.
 */
export async function* liveFrames(camera: CameraConfig, { signal, log }: LiveFramesOptions): AsyncGenerator<Frame> {
  const capture: Capture = createCapture([camera], { log, dataDir: join(tmpdir(), `watchpost-live-${process.pid}`) })
  const waiting: Frame[] = []
  let dropped = 0
  let failure: Error | undefined
  let wake = (): void => {}
  capture.onFrame(frame => {
    waiting.push(frame)
    if (waiting.length > maxWaiting) {
      waiting.shift()
      dropped++
    }
    wake()
  })
  capture.onCondition(({ phase, message, hint }) => {
    if (phase === 'ended') return
    failure = new Error(`Camera "${camera.id}": ${message}. ${hint}`)
    wake()
  })
  const stop = (): void => wake()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await capture.start()
    while (!signal.aborted) {
      const frame = waiting.shift()
      if (frame) yield frame
      else if (failure) throw failure
      else
        await new Promise<void>(resolve => {
          wake = resolve
        })
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await capture.stop()
    if (dropped > 0) log.warn({ dropped }, 'Frames were lost: the models are slower than the stream')
  }
}
