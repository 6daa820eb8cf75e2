import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { workerUrl } from '../worker-url.js'
import type { ConvertJob } from './convert-worker.js'

/**
 * Writes the ONNX weights of a package that declares `derivedFrom`. The file appears whole or not at all.
 * In a thread of its own: 0.3 s of work that must not stall cameras when a model is added to a running agent.
 */
export const deriveWeights = async (manifest: ModelManifest, graphPath: string, targetPath: string): Promise<void> => {
  await mkdir(dirname(targetPath), { recursive: true })
  const part = `${targetPath}.${randomUUID()}.part`
  const { input, derivedFrom } = manifest
  try {
    await convertInThread({
      graphPath,
      targetPath: part,
      inputName: input.name,
      height: input.height,
      width: input.width,
      outputs: derivedFrom!.outputs,
    })
    await rename(part, targetPath)
  } finally {
    await rm(part, { force: true })
  }
}

const convertInThread = (job: ConvertJob): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl('convert/convert-worker.js'), { workerData: job, execArgv: [] })
    worker.once('error', reject)
    worker.once('exit', code => (code === 0 ? resolve() : reject(new Error(`The converter ended with code ${code}.`))))
  })
