import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInference } from '../../edge/inference/inference.js'
import { loadModelPackage } from '../../edge/inference/model-package.js'

const silent = { info: () => {}, warn: () => {}, error: () => {} }

/** A package of `models/`, loaded and running in one worker; the working directory is the repository's root. */
export const startShippedModel = async (id: string) => {
  const cacheDir = mkdtempSync(join(tmpdir(), `${id}-`))
  const model = await loadModelPackage(join(process.cwd(), 'models', id), { cacheDir, requireSignatures: false })
  const inference = createInference({ packages: [model], workers: 1, log: silent })
  await inference.start()
  const stop = async (): Promise<void> => {
    await inference.stop()
    rmSync(cacheDir, { recursive: true, force: true })
  }
  return { model, inference, stop }
}
