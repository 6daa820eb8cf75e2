import { setTimeout as sleep } from 'node:timers/promises'
import type { CameraConfig } from '../config/agent-config.js'
import { CaptureError } from './capture-error.js'
import { captureFps } from './capture-fps.js'
import { listPictures, readPicture } from './picture-files.js'
import type { Session } from './session.js'

/** A folder of pictures, shown in the order of their names at `source.fps`. Pictures that nobody needs are not decoded. */
export const folderSession =
  (camera: CameraConfig): Session =>
  async (listener, stopping) => {
    const { source } = camera
    if (source.kind !== 'folder') throw new TypeError(`${camera.id} is not a folder`)
    const fps = Math.min(source.fps, captureFps(camera))
    const startedAt = performance.now()
    let shown = 0
    try {
      do {
        const files = await listPictures(source.path)
        let decoded = 0
        for (let index = 0; index < files.length; index += source.fps / fps) {
          const dueInMs = startedAt + (shown++ / fps) * 1000 - performance.now()
          if (dueInMs > 0) await sleep(dueInMs, undefined, { signal: stopping })
          if (stopping.aborted) return { kind: 'ended' }
          try {
            const { picture, bytes } = await readPicture(files[Math.floor(index)]!, camera.frame.width)
            decoded++
            listener.bytes(bytes)
            listener.picture(picture, 0)
          } catch (error) {
            listener.decodeError(String(error))
          }
        }
        if (decoded === 0) throw nothingDecoded(source.path)
      } while (source.loop)
      return { kind: 'ended' }
    } catch (error) {
      if (stopping.aborted) return { kind: 'ended' }
      if (!(error instanceof CaptureError)) throw error
      const condition = error.code === 'source-missing' ? 'offline' : 'not-a-video'
      return { kind: 'lost', diagnosis: { condition, message: error.message.slice(0, 500), hint: error.hint } }
    }
  }

export const nothingDecoded = (path: string): CaptureError =>
  new CaptureError('not-a-video', {
    subject: path,
    message: 'Not one of its pictures could be decoded',
    hint: 'Check that they are complete JPEG or PNG files.',
  })
