import { monitorEventLoopDelay } from 'node:perf_hooks'

const resolutionMs = 10

/** How late the event loop turned: watchdogs and MQTT keep-alives live on it. */
export const createEventLoopLag = () => {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  return {
    start: (): void => void histogram.enable(),
    stop: (): void => void histogram.disable(),
    /** 99th percentile since the last call, in milliseconds. */
    takeMs: (): number => {
      const lagMs = histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(99) / 1e6 - resolutionMs)
      histogram.reset()
      return Math.round(lagMs * 10) / 10
    },
  }
}
