import { basename } from 'node:path'
import type { Decoded } from '@watchpost/edge/inference/inference-result'
import type { Picture } from '@watchpost/edge/inference/open-model'
import type { Box } from '@watchpost/shared/contracts/primitives'
import sharp, { type OverlayOptions } from 'sharp'
import { type Mask, reduceMask } from '../data/masks.js'

export interface Tile {
  readonly path: string
  readonly caption: string
  readonly picture: Picture
  readonly decoded: Decoded
  readonly truth: readonly Box[]
  readonly mask: Mask | undefined
  /** Labels that are judged. */
  readonly labels: readonly string[]
  readonly thresholdOf: (label: string) => number
}

const columns = 4
const tileWidth = 320
const tileHeight = 240
const captionHeight = 34
const truthColour = { r: 64, g: 224, b: 96 }
const foundColour = { r: 255, g: 140, b: 0 }
const css = ({ r, g, b }: typeof truthColour): string => `rgb(${r},${g},${b})`

/** Pictures side by side, truth in green and what the model said in orange; where both agree in a mask, pale blue. */
export const writeContactSheet = async (file: string, title: string, tiles: readonly Tile[]): Promise<void> => {
  const rows = Math.ceil(tiles.length / columns)
  const [width, height] = [
    Math.min(columns, Math.max(1, tiles.length)) * tileWidth,
    rows * (tileHeight + captionHeight) + captionHeight,
  ]
  const placed: OverlayOptions[] = []
  for (const [i, tile] of tiles.entries())
    placed.push({
      input: await drawTile(tile),
      left: (i % columns) * tileWidth,
      top: captionHeight + Math.floor(i / columns) * (tileHeight + captionHeight),
    })
  placed.push({ input: svg(width, captionHeight, text(8, 22, title, 15)), left: 0, top: 0 })
  await sharp({ create: { width, height, channels: 3, background: { r: 24, g: 26, b: 30 } } })
    .composite(placed)
    .png({ palette: true })
    .toFile(file)
}

const drawTile = async (tile: Tile): Promise<Buffer> => {
  const { width, height, pixels } = tile.picture
  const scale = Math.min(tileWidth / width, tileHeight / height)
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))]
  const shrunk = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(w, h, { fit: 'fill' })
    .png()
    .toBuffer()
  const [left, top] = [Math.floor((tileWidth - w) / 2), Math.floor((tileHeight - h) / 2)]
  const layers: OverlayOptions[] = [{ input: shrunk, left, top }]
  const tint = await maskLayer(tile, w, h)
  if (tint) layers.push({ input: tint, left, top })
  layers.push({ input: svg(w, h, boxLayer(tile, w, h)), left, top })
  const name = basename(tile.path)
  const lines = text(6, 14, short(name), 12) + text(6, 29, short(tile.caption), 12, css(foundColour))
  layers.push({ input: svg(tileWidth, captionHeight, lines), left: 0, top: tileHeight })
  return sharp({ create: { width: tileWidth, height: tileHeight + captionHeight, channels: 3, background: '#181a1e' } })
    .composite(layers)
    .png()
    .toBuffer()
}

const svg = (width: number, height: number, content: string): Buffer =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`)

const escaped = (content: string): string =>
  content.replace(/[<>&"]/g, character => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' })[character]!)

const text = (x: number, y: number, content: string, size: number, colour = '#e8eaee'): string =>
  `<text x="${x}" y="${y}" font-family="Noto Sans, DejaVu Sans, sans-serif" font-size="${size}" fill="${colour}">${escaped(content)}</text>`

/** As much as fits under a tile. */
const short = (content: string): string => (content.length > 48 ? `${content.slice(0, 47)}…` : content)

const boxLayer = ({ decoded, truth, labels, thresholdOf }: Tile, width: number, height: number): string => {
  const rectangle = ([x, y, w, h]: Box, style: string): string =>
    `<rect x="${(x * width).toFixed(1)}" y="${(y * height).toFixed(1)}" width="${(w * width).toFixed(1)}" height="${(h * height).toFixed(1)}" ${style}/>`
  const parts = truth.map(box =>
    rectangle(box, `fill="none" stroke="${css(truthColour)}" stroke-width="2" stroke-dasharray="5 3"`),
  )
  if (decoded.kind === 'detections')
    for (const { label, confidence, box } of decoded.detections) {
      if (!labels.includes(label) || confidence < thresholdOf(label)) continue
      parts.push(rectangle(box, `fill="none" stroke="${css(foundColour)}" stroke-width="1.5"`))
      parts.push(
        text(
          box[0] * width + 2,
          Math.max(10, box[1] * height - 2),
          `${label} ${confidence.toFixed(2)}`,
          10,
          css(foundColour),
        ),
      )
    }
  if (decoded.kind === 'grid') parts.push(...cellLayer(decoded, labels, rectangle))
  return parts.join('')
}

/** From this score on a cell is shaded, the surer the more; analytics may ask for more. */
const shadedFrom = 0.3

const cellLayer = (
  { labels: all, rows, columns, scores }: Extract<Decoded, { kind: 'grid' }>,
  labels: readonly string[],
  rectangle: (box: Box, style: string) => string,
): readonly string[] => {
  const parts: string[] = []
  for (let i = 0; i < rows * columns; i++) {
    const score = Math.max(...labels.map(label => scores[all.indexOf(label) * rows * columns + i] ?? 0))
    if (score < shadedFrom) continue
    const cell: Box = [(i % columns) / columns, Math.floor(i / columns) / rows, 1 / columns, 1 / rows]
    parts.push(rectangle(cell, `fill="${css(foundColour)}" fill-opacity="${(score * 0.6).toFixed(2)}"`))
  }
  return parts
}

const maskLayer = async (
  { decoded, mask, thresholdOf }: Tile,
  width: number,
  height: number,
): Promise<Buffer | undefined> => {
  if (decoded.kind !== 'mask') return undefined
  const truth = mask && reduceMask(mask, decoded.width, decoded.height).pixels
  const threshold = thresholdOf(decoded.label)
  const pixels = new Uint8Array(decoded.width * decoded.height * 4)
  for (let i = 0; i < decoded.scores.length; i++) {
    const isFound = decoded.scores[i]! > threshold
    const isTrue = truth?.[i] === 1
    if (!isFound && !isTrue) continue
    const { r, g, b } = isFound && isTrue ? { r: 120, g: 190, b: 255 } : isFound ? foundColour : truthColour
    pixels.set([r, g, b, 120], i * 4)
  }
  return sharp(pixels, { raw: { width: decoded.width, height: decoded.height, channels: 4 } })
    .resize(width, height, { fit: 'fill', kernel: 'nearest' })
    .png()
    .toBuffer()
}
