/** A decoded picture without its time: RGB, 8 bits, row-major. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array<SharedArrayBuffer>
}

const maxHeaderBytes = 64
const maxPictureBytes = 3840 * 3840 * 3
const headerPattern = /^P6\s(\d+)\s(\d+)\s255\s$/

/**
 * Cuts ffmpeg's stream of binary PPM pictures into buffers of their own. Each picture carries its size, so neither ffprobe nor a
 * guess is needed, and a camera that changes its resolution is noticed at once. Every picture gets a fresh SharedArrayBuffer, freed
 * by the garbage collector: whoever keeps a reference (evidence, a worker) can never see it overwritten.
 */
export const createPictureAssembler = (): { push(chunk: Uint8Array): Generator<Picture> } => {
  let header = ''
  let picture: Picture | undefined
  let filled = 0

  return {
    *push(chunk) {
      let offset = 0
      while (offset < chunk.length) {
        if (picture === undefined) {
          header += String.fromCharCode(chunk[offset++]!)
          picture = pictureOf(header)
          if (picture === undefined) continue
          header = ''
          filled = 0
        }
        const part = chunk.subarray(offset, offset + picture.pixels.length - filled)
        picture.pixels.set(part, filled)
        filled += part.length
        offset += part.length
        if (filled < picture.pixels.length) return
        const complete = picture
        picture = undefined
        yield complete
      }
    },
  }
}

/** Undefined while the header is incomplete. */
const pictureOf = (header: string): Picture | undefined => {
  const last = header.at(-1)
  if (last === '\n' || last === ' ') {
    const match = headerPattern.exec(header)
    if (match !== null) {
      const [width, height] = [Number(match[1]), Number(match[2])]
      const bytes = width * height * 3
      if (bytes === 0 || bytes > maxPictureBytes)
        throw new RangeError(`ffmpeg announced a picture of ${width}x${height}`)
      return { width, height, pixels: new Uint8Array(new SharedArrayBuffer(bytes)) }
    }
  }
  if (header.length < maxHeaderBytes && header[0] === 'P') return undefined
  throw new RangeError('ffmpeg wrote something that is not a picture')
}
