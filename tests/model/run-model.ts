import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { onTestFinished, vi } from 'vitest'
import { runModel } from '../../scripts/model/run-model.js'

export const shippedModels = fileURLToPath(new URL('../../models', import.meta.url))

export interface ModelResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The command as people run it, in a folder of their own. */
export const model = async (here: string, ...args: readonly string[]): Promise<ModelResult> => {
  const said: string[] = []
  const notes = vi.spyOn(process.stderr, 'write').mockImplementation(text => said.push(String(text)) > 0)
  let stdout = ''
  try {
    const code = await runModel(args, {
      here,
      out: text => {
        stdout += text
      },
      err: text => said.push(text),
    })
    return { code, stdout, stderr: said.join('') }
  } finally {
    notes.mockRestore()
  }
}

/** With --json; fails with what the command said when it did not succeed. */
export const modelJson = async <T = Record<string, unknown>>(here: string, args: readonly string[]): Promise<T> => {
  const result = await model(here, ...args, '--json')
  if (result.code !== 0) throw new Error(`code ${result.code}: ${result.stdout}${result.stderr}`)
  return JSON.parse(result.stdout) as T
}

export const workFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'watchpost-model-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Path inside the folder → content. */
export const writeFiles = (folder: string, files: Readonly<Record<string, string | Uint8Array>>): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

export type Colour = readonly [red: number, green: number, blue: number]

/** PNG of 64×32 pixels, by colour of each pixel. */
export const png = (colour: (x: number, y: number) => Colour, width = 64, height = 32): Promise<Buffer> => {
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set(colour(x, y), (y * width + x) * 3)
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
}

/** The label smoke of the model of means is red, flame is blue. */
export const plain = (red: number, blue: number): Promise<Buffer> =>
  png(() => [Math.round(red * 255), 0, Math.round(blue * 255)])
