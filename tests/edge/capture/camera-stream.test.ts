import { describe, expect, it } from 'vitest'
import { createCameraStream } from '../../../edge/capture/camera-stream.js'
import { cameraOf, recordLog, until } from '../../helpers/camera-fixture.js'

describe('a camera stream', () => {
  it('tries again after a failure nobody foresaw', async () => {
    let connections = 0
    const log = recordLog()
    const stream = createCameraStream({
      camera: cameraOf({ kind: 'folder', path: '/pictures' }),
      session: async () => {
        if (connections++ === 0) throw new Error('EMFILE: too many open files, scandir /pictures')
        return { kind: 'ended' }
      },
      keyFramesOnly: () => false,
      now: Date.now,
      log,
      onFrame: () => {},
      onCondition: () => {},
    })
    stream.start()
    await until('the end', () => stream.status().state === 'ended')
    expect(connections).toBe(2)
    expect(log.text()).toContain('EMFILE')
    await stream.stop()
  })
})
