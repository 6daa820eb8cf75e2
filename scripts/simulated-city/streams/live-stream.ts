import type { Clip } from './clip.js'
import { distort } from './distort.js'
import { createFaultBoard } from './fault-board.js'
import { type Fault, faultDefaults, type FaultOrder, type ScheduledFault } from './faults.js'
import { rtpPayloads } from './rtp-payloads.js'
import { noStats, type StreamStats } from './stream-stats.js'
import { createTimeline } from './timeline.js'
import type { CameraTime, Picture, Viewer } from './viewer.js'

/**
 * One camera. Its position is a function of the clock alone, `(now − startedAt) × speed`, and of nothing that viewers do:
 * all see the same moment, and a score can turn the time of an event into a second of the scene.
 */
export interface LiveStream {
  readonly name: string
  readonly clip: Clip
  readonly speed: number
  readonly stats: StreamStats
  /** `waiting`: shows its first picture, still, until `begin`. */
  state(): 'waiting' | 'live' | 'ended'
  /** When scene second 0 was shown, UTC milliseconds. */
  startedAtMs(): number | undefined
  positionS(): number
  /** The same moment for all streams of a city; nothing when the stream has begun. */
  begin(moment: Moment): void
  /** What a client needs at once to show the present moment: the last key frame and what came since. */
  opening(): readonly Picture[]
  join(viewer: Viewer): void
  leave(viewer: Viewer): void
  fault(order: FaultOrder): () => void
  clearFaults(): void
  faults(): readonly Fault[]
  /** `drop`: connections are to be reset, now and as long as `isDropping`. */
  onDrop(listener: () => void): () => void
  isDropping(): boolean
  /** Status that requests for this stream get instead of an answer. */
  refusal(): number | undefined
  onEnd(listener: () => void): () => void
  onBegin(listener: () => void): () => void
  close(): void
}

/** One moment on the clock of the day, and on the one that never jumps (`performance.now()`). */
export interface Moment {
  readonly wallMs: number
  readonly steadyMs: number
}

export interface LiveStreamOptions {
  readonly name: string
  readonly clip: Clip
  readonly speed: number
  readonly loop: boolean
  readonly faults: readonly ScheduledFault[]
  /** Called while the stream waits and a client wants to play. */
  readonly onFirstViewer?: () => void
}

/** The still picture before the beginning comes as often as frames will, within these bounds. */
const stillEveryS = { least: 0.04, most: 0.2 }
/** Faults are looked for at least this often, also between the frames of slow clips. */
const longestWaitS = 0.1
/** RFC 3550 wants sender reports about every 5 seconds. */
const reportEveryS = 5
/** A server that comes later than this (a machine asleep, a process stopped) goes on at the newest key frame. */
const longestLateS = 2

export const createLiveStream = (options: LiveStreamOptions): LiveStream => {
  const { name, clip, speed, loop } = options
  const timeline = createTimeline(clip, { loop })
  const board = createFaultBoard(options.faults)
  const stats = noStats()
  const viewers = new Set<Viewer>()
  const listeners = { drop: new Set<() => void>(), end: new Set<() => void>(), begin: new Set<() => void>() }
  const stillS = Math.min(stillEveryS.most, Math.max(stillEveryS.least, 1 / (clip.fps * speed)))
  const madeAtMs = performance.now()
  const nowS = (): number => (performance.now() - madeAtMs) / 1000

  let startedS: number | undefined
  let startedAtMs: number | undefined
  let hasEnded = false
  let sent = -1
  let stillAtS = 0
  let reportedS = 0
  let before: readonly Fault[] = []
  let timer: NodeJS.Timeout | undefined

  const elapsedS = (): number => (startedS === undefined ? 0 : (nowS() - startedS) * speed)
  const active = (): readonly Fault[] => board.active(nowS(), timeline.positionS(elapsedS()))
  const find = (kind: Fault['kind'], faults: readonly Fault[]) => faults.find(fault => fault.kind === kind)
  const clockErrorS = (faults: readonly Fault[]): number => {
    const fault = find('wrong-clock', faults)
    return fault === undefined ? 0 : (fault.offsetS ?? faultDefaults.offsetS)
  }
  const time = (faults: readonly Fault[]): CameraTime => {
    const errorS = clockErrorS(faults)
    return { wallMs: Date.now() + errorS * 1000, atS: nowS() + errorS }
  }

  const pictureOf = (number: number, faults: readonly Fault[], shownS?: number): Picture & { damage: number[] } => {
    const shown = find('freeze', faults) === undefined ? number : timeline.keyBefore(number)
    const { nals, isKey } = timeline.frame(shown)
    const { payloads, lost, corrupted } = distort(rtpPayloads(nals), faults, number)
    const atS = (shownS ?? (startedS ?? 0) + timeline.showS(number) / speed) + clockErrorS(faults)
    return { payloads, isKey, atS, damage: [lost, corrupted] }
  }

  const show = (number: number, faults: readonly Fault[], shownS?: number): void => {
    if (viewers.size === 0) return
    if (find('stall', faults) !== undefined) {
      stats.droppedFrames.stalled += viewers.size
      return
    }
    const { damage, ...picture } = pictureOf(number, faults, shownS)
    stats.lostPackets += damage[0]!
    stats.corruptedPackets += damage[1]!
    for (const viewer of viewers) viewer.offer(picture)
  }

  const reportAll = (faults: readonly Fault[]): void => {
    reportedS = nowS()
    if (find('stall', faults) === undefined) for (const viewer of viewers) viewer.report(time(faults))
  }

  /** What has to happen once when a fault begins or ends. */
  const noticeChanges = (faults: readonly Fault[]): void => {
    const began = faults.filter(fault => !before.includes(fault))
    const ended = before.filter(fault => !faults.includes(fault))
    before = faults
    if (find('drop', began) !== undefined) for (const listener of [...listeners.drop]) listener()
    if (find('stall', ended) !== undefined || find('freeze', ended) !== undefined) {
      for (const viewer of viewers) viewer.awaitKeyFrame()
    }
    if (find('wrong-clock', [...began, ...ended]) !== undefined) reportAll(faults)
  }

  const showDue = (faults: readonly Fault[]): void => {
    const due = timeline.frameAt(elapsedS())
    const key = timeline.keyBefore(Math.max(0, due))
    const isLate = due > sent + 1 && elapsedS() - timeline.sendS(sent + 1) > longestLateS * speed
    if (isLate && key > sent + 1) {
      stats.lateFrames += key - sent - 1
      sent = key - 1
    }
    while (sent < due) {
      sent++
      show(sent, faults)
    }
  }

  const end = (): void => {
    hasEnded = true
    for (const viewer of viewers) viewer.end(time(before))
    for (const listener of [...listeners.end]) listener()
    viewers.clear()
  }

  const tick = (): void => {
    const faults = active()
    noticeChanges(faults)
    if (startedS === undefined) {
      if (nowS() >= stillAtS) {
        stillAtS = nowS() + stillS
        show(0, faults, nowS())
      }
    } else {
      showDue(faults)
      if (!loop && elapsedS() >= clip.durationS) {
        end()
        return
      }
    }
    if (nowS() - reportedS >= reportEveryS) reportAll(faults)
    schedule()
  }

  const schedule = (): void => {
    const isOver = !loop && sent + 1 >= clip.frames.length
    const dueS = startedS === undefined ? stillAtS - nowS() : (timeline.sendS(sent + 1) - elapsedS()) / speed
    const nextS = isOver ? longestWaitS : dueS
    timer = setTimeout(tick, Math.max(1, Math.ceil(Math.min(longestWaitS, nextS) * 1000)))
  }
  schedule()

  const on = (set: Set<() => void>) => (listener: () => void) => {
    set.add(listener)
    return () => void set.delete(listener)
  }

  return {
    name,
    clip,
    speed,
    stats,
    state: () => (hasEnded ? 'ended' : startedS === undefined ? 'waiting' : 'live'),
    startedAtMs: () => startedAtMs,
    positionS: () => timeline.positionS(elapsedS()),
    begin({ wallMs, steadyMs }) {
      if (startedS !== undefined) return
      startedS = (steadyMs - madeAtMs) / 1000
      startedAtMs = wallMs
      clearTimeout(timer)
      for (const listener of [...listeners.begin]) listener()
      tick()
    },
    opening() {
      if (startedS === undefined) options.onFirstViewer?.()
      const faults = active()
      if (find('stall', faults) !== undefined || hasEnded) return []
      if (startedS === undefined) return [pictureOf(0, faults, nowS())]
      if (sent < 0) return []
      const key = timeline.keyBefore(sent)
      const until = find('freeze', faults) === undefined ? sent : key
      return Array.from({ length: until - key + 1 }, (_, index) => pictureOf(key + index, faults))
    },
    join(viewer) {
      viewers.add(viewer)
      stats.viewers = viewers.size
      if (find('stall', before) === undefined) viewer.report(time(before))
    },
    leave(viewer) {
      viewers.delete(viewer)
      stats.viewers = viewers.size
    },
    fault(order) {
      if (order.kind === 'drop' && order.forS === undefined) {
        for (const listener of [...listeners.drop]) listener()
        return () => undefined
      }
      const endFault = board.order(order, nowS())
      noticeChanges(active())
      return endFault
    },
    clearFaults: () => board.clear(),
    faults: active,
    onDrop: on(listeners.drop),
    isDropping: () => find('drop', active()) !== undefined,
    refusal: () => {
      const fault = find('refuse', active())
      return fault === undefined ? undefined : (fault.status ?? faultDefaults.status)
    },
    onEnd: on(listeners.end),
    onBegin: on(listeners.begin),
    close() {
      clearTimeout(timer)
      viewers.clear()
    },
  }
}
