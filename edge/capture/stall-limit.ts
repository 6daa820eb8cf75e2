import type { CameraConfig } from '../config/agent-config.js'
import { captureFps } from './capture-fps.js'

/** Pictures may come that much later than asked for before their absence means anything. */
export const toleratedPeriods = 2.5

/** After so many milliseconds without a picture a stream has stalled: `stallSeconds`, or longer where pictures are wanted more rarely. */
export const stallLimitMs = (camera: Pick<CameraConfig, 'analytics' | 'stallSeconds'>): number =>
  Math.max(camera.stallSeconds * 1000, (toleratedPeriods * 1000) / captureFps(camera))
