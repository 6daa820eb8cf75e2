/** Frame headers (SOF0-SOF15) hold the size; C4, C8 and CC lie among them and mean something else. */
const isFrameHeader = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
/** Markers without a length: fillers, TEM, restarts, start of image. */
const standsAlone = (marker: number): boolean =>
  marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
const startOfScan = 0xda

/** Size in pixels from the head of a JPEG, without decoding it (ITU-T T.81, B.2). Undefined: the head is too short, or no JPEG. */
export const jpegSize = (head: Uint8Array): { readonly width: number; readonly height: number } | undefined => {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined
  let at = 2
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1]!
    if (isFrameHeader(marker)) {
      const [height, width] = [bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7)]
      return width > 0 && height > 0 ? { width, height } : undefined
    }
    if (marker === startOfScan) return undefined
    at += standsAlone(marker) ? (marker === 0xff ? 1 : 2) : 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}
