import sharp from 'sharp'

export interface RedactedPicture {
  readonly bytes: Buffer
  readonly widthPx: number
  readonly heightPx: number
}

/** So few samples across the whole picture that no face and no number plate survives; water, kerbs and cars do. */
const sampledWidthPx = 112
const shownWidthPx = 320
const blurSigmaPx = 2.2

/**
 * The only way a picture becomes public. Central does not know where people and vehicles are in it, so the whole frame is
 * reduced; when detections travel with the picture, only they need be. Metadata (EXIF, GPS) does not survive.
 */
export const redact = async (picture: Buffer): Promise<RedactedPicture> => {
  // Two pipelines: within one, sharp would combine both resizes into one and keep the detail.
  const sampled = await sharp(picture, { limitInputPixels: 40_000_000 })
    .rotate()
    .resize({ width: sampledWidthPx })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = sampled.info
  const { data, info } = await sharp(sampled.data, { raw: { width, height, channels } })
    .resize({ width: shownWidthPx, kernel: 'cubic' })
    .blur(blurSigmaPx)
    .jpeg({ quality: 70 })
    .toBuffer({ resolveWithObject: true })
  return { bytes: data, widthPx: info.width, heightPx: info.height }
}
