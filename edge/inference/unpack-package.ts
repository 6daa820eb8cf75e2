import { Worker } from 'node:worker_threads'
import { ModelPackageError } from './inference-error.js'
import { workerUrl } from './worker-url.js'

export interface UnpackRequest {
  readonly archivePath: string
  /** Must not be there yet. */
  readonly target: string
  readonly sha256: string
}

export type UnpackAnswer = { readonly problem: string | null }

/** `unpackArchive` in a thread of its own: hashing a hundred megabytes would hold up frames. Rejects with a ModelPackageError. */
export const unpackPackage = async (request: UnpackRequest): Promise<void> => {
  const worker = new Worker(workerUrl('unpack-worker.js'), { workerData: request, execArgv: [] })
  const { problem } = await new Promise<UnpackAnswer>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', code => reject(new Error(`The thread that unpacks ended with code ${code}.`)))
  })
  if (problem !== null) throw new ModelPackageError(problem)
}
