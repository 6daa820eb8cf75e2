import type { CameraConfig } from '../config/agent-config.js'

/** Frames per second taken from the camera: the highest cadence any of its analytics needs. */
export const captureFps = (camera: Pick<CameraConfig, 'analytics'>): number =>
  Math.max(...camera.analytics.map(analytic => analytic.fps))
