import { Worker } from 'node:worker_threads'
import { compiledModule } from '@watchpost/shared/compiled-module'
import { storable } from '../check-point.js'
import type { OnRefused, TimeSeriesStore } from '../time-series-store.js'
import type { SeriesRequest } from './series-worker.js'

export interface EmbeddedOptions {
  readonly file: string
  /** Raw values are kept so long, minutes four times as long, hours for ever. */
  readonly rawDays: number
  readonly onRefused: OnRefused
}

/** Time series in SQLite: no server, good for a city of some hundred cameras. */
export const openEmbeddedStore = ({ file, rawDays, onRefused }: EmbeddedOptions): TimeSeriesStore => {
  const worker = new Worker(compiledModule(import.meta.url, 'central', './series-worker.js'), {
    workerData: { file, rawDays },
  })
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (reason: Error) => void }>()
  let nextId = 1
  let ended: Error | undefined

  worker.on('message', ({ id, result, error }: { id: number; result: never; error?: string }) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(`time series ${file}: ${error}`))
  })
  const end = (reason: Error): void => {
    ended ??= reason
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
  }
  worker.on('error', error => end(new Error(`time series ${file}: ${error.message}`, { cause: error })))
  worker.on('exit', () => end(new Error(`time series ${file}: closed`)))

  const ask = <T>(request: SeriesRequest): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (ended !== undefined) return reject(ended)
      waiting.set(nextId, { resolve, reject })
      worker.postMessage({ id: nextId++, request })
    })

  return {
    write: async points => {
      const good = storable(points, onRefused)
      if (good.length > 0) await ask({ kind: 'write', points: good })
    },
    query: query => ask({ kind: 'query', query }),
    latest: property => ask({ kind: 'latest', property }),
    ping: () => ask({ kind: 'ping' }),
    close: async () => {
      if (ended === undefined) await ask({ kind: 'close' })
    },
  }
}
