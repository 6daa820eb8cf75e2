import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { FailedError } from '../command.js'
import { mean, quantile } from '../metrics/overlap.js'
import type { BenchMessage, BenchSetup } from './bench-process.js'

export interface BenchFigures {
  readonly ms: { readonly median: number; readonly p95: number }
  /** Of all threads of the process, median per picture. */
  readonly cpuMs: number
  /** What opening and the first pictures added to the process. */
  readonly sessionMb: number
  /** What each further picture added: 0 unless something leaks. */
  readonly mbPerImage: number
}

/** One way of running the model, in a process of its own: memory and threads of one do not show in another's figures. */
export interface Contestant {
  readonly variant: BenchSetup['variant']
  readonly threads: number
  run(picture: number): Promise<void>
  figures(): BenchFigures
  close(): Promise<void>
}

/** Processes run compiled code, also when this file is run from its source, as tests do. */
const processUrl = new URL(
  import.meta.url.endsWith('.js') ? './bench-process.js' : '../../dist/model/bench/bench-process.js',
  import.meta.url,
)

export const openContestant = async (setup: BenchSetup): Promise<Contestant> => {
  const child = fork(fileURLToPath(processUrl), {
    execArgv: [],
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const times: { readonly ms: number; readonly cpuMs: number; readonly rssBytes: number }[] = []
  child.send(setup)
  const ready = await answer(child)
  if (ready.kind !== 'ready') throw new FailedError('The process of the bench answered out of turn.')
  return {
    variant: setup.variant,
    threads: setup.threads,
    async run(picture) {
      child.send(picture)
      const message = await answer(child)
      if (message.kind === 'ran') times.push(message)
    },
    figures: () => ({
      ms: {
        median: quantile(
          times.map(({ ms }) => ms),
          0.5,
        ),
        p95: quantile(
          times.map(({ ms }) => ms),
          0.95,
        ),
      },
      cpuMs: quantile(
        times.map(({ cpuMs }) => cpuMs),
        0.5,
      ),
      sessionMb: ready.sessionBytes / 1e6,
      mbPerImage: growth(times.map(({ rssBytes }) => rssBytes)) / 1e6,
    }),
    async close() {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** Per picture, from the first quarter of the run to the last: single steps of the allocator would drown it. */
const growth = (rss: readonly number[]): number => {
  const quarter = Math.max(1, Math.floor(rss.length / 4))
  const [early, late] = [mean(rss.slice(0, quarter)) ?? 0, mean(rss.slice(-quarter)) ?? 0]
  return Math.max(0, late - early) / Math.max(1, rss.length - quarter)
}

const answer = async (child: ChildProcess): Promise<BenchMessage> => {
  const ended = new AbortController()
  try {
    const first = await Promise.race([
      once(child, 'message', { signal: ended.signal }).then(([message]) => message as BenchMessage),
      once(child, 'exit', { signal: ended.signal }).then(([code, signal]): BenchMessage => {
        return { kind: 'failed', message: `it ended with ${signal ?? `code ${code}`}` }
      }),
    ])
    if (first.kind === 'failed') throw new FailedError(`A process of the bench failed: ${first.message}`)
    return first
  } finally {
    ended.abort()
  }
}
