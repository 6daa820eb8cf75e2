import { open } from 'node:fs/promises'
import { workerData } from 'node:worker_threads'
import { type ConvertOptions, convertGraph } from './convert-graph.js'
import { readGraphModel } from './graph-model.js'
import { onnxFile } from './onnx-file.js'

export interface ConvertJob extends ConvertOptions {
  readonly graphPath: string
  readonly targetPath: string
}

// Process of one thread: a failure ends it with an error event, which the starter reports.
const { graphPath, targetPath, ...options } = workerData as ConvertJob
const graph = convertGraph(await readGraphModel(graphPath), options)
const file = await open(targetPath, 'w')
try {
  for (const piece of onnxFile(graph)) await file.writeFile(piece)
  await file.sync()
} finally {
  await file.close()
}
