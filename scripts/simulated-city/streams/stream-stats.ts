/** What one stream did, over all its viewers. */
export interface StreamStats {
  viewers: number
  describes: number
  plays: number
  teardowns: number
  sentFrames: number
  sentBytes: number
  /** Frames that a viewer did not get, by reason. */
  readonly droppedFrames: {
    /** The viewer does not read fast enough. */
    slowViewer: number
    /** After a gap: nothing can be decoded before the next key frame. */
    awaitingKeyFrame: number
    /** Held back by a fault. */
    stalled: number
  }
  /** Frames that nobody got because this server came too late. */
  lateFrames: number
  lostPackets: number
  corruptedPackets: number
}

export const noStats = (): StreamStats => ({
  viewers: 0,
  describes: 0,
  plays: 0,
  teardowns: 0,
  sentFrames: 0,
  sentBytes: 0,
  droppedFrames: { slowViewer: 0, awaitingKeyFrame: 0, stalled: 0 },
  lateFrames: 0,
  lostPackets: 0,
  corruptedPackets: 0,
})
