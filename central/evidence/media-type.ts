import type { EvidenceMediaType } from './evidence-store.js'

/** Bytes needed to tell. */
export const signatureBytes = 12

/** Judged by the bytes, never by what the sender says; undefined: neither JPEG nor MP4. */
export const mediaTypeOf = (head: Buffer): EvidenceMediaType | undefined => {
  if (head.length >= 3 && head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'image/jpeg'
  // ISO/IEC 14496-12: the first box is `ftyp`, after its four bytes of size.
  if (head.length >= 8 && head.toString('latin1', 4, 8) === 'ftyp') return 'video/mp4'
  return undefined
}
