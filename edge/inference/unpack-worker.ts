import { parentPort, workerData } from 'node:worker_threads'
import { sentenceOf } from './inference-error.js'
import { unpackArchive } from './package-archive-file.js'
import type { UnpackAnswer, UnpackRequest } from './unpack-package.js'

const { archivePath, target, sha256 } = workerData as UnpackRequest
const answer: UnpackAnswer = await unpackArchive(archivePath, target, { sha256 }).then(
  () => ({ problem: null }),
  (error: unknown) => ({ problem: sentenceOf(error) }),
)
parentPort!.postMessage(answer)
