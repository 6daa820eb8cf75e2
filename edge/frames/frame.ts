/** One picture with its UTC time: RGB, 8 bits, row-major, `width * height * 3` bytes. Never written to after it was made. */
export interface Frame {
  readonly cameraId: string
  readonly width: number
  readonly height: number
  /** Backed by a SharedArrayBuffer, so that worker threads read it without a copy. */
  readonly pixels: Uint8Array<SharedArrayBuffer>
  /** Unix milliseconds, UTC: when the picture was taken, as well as the source can tell. */
  readonly takenAt: number
  /** Counts up from 1 per camera connection. */
  readonly number: number
}
