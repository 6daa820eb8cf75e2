import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface DownloadOptions {
  /** Central's address, without the path. */
  readonly url: string
  readonly token: string | undefined
  readonly agentId: string
  /** A larger package is not taken. */
  readonly maxBytes: number
  readonly fetch?: typeof fetch
  /** First pause after a failure; doubles up to `ceilingMs`. */
  readonly baseMs?: number
  readonly ceilingMs?: number
  readonly random?: () => number
}

export interface DownloadRequest {
  readonly digest: string
  /** Grows while bytes arrive; what is there already is not fetched again. */
  readonly part: string
  readonly signal: AbortSignal
  readonly onProgress: (receivedBytes: number) => void
  /** Why it waits, as a sentence; null when it goes on. */
  readonly onTrouble: (problem: string | null) => void
}

/** Central said no for good, or the bytes are not what was asked for. */
export class DownloadRefusedError extends Error {
  override readonly name = 'DownloadRefusedError'
}

/** So long nothing may come before the connection counts as dead. */
const stallMs = 30_000
/** Answers in the 400s that may be different next time. */
const retriedStatuses = new Set([401, 403, 408, 416, 425, 429])

/**
 * Fetches an archive into `part` until it is whole and has its digest. Central may go away in the middle: it is asked again, with
 * growing pauses, from the byte where it stopped. Rejects with a DownloadRefusedError, or when the signal aborts.
 */
export const createDownload = (options: DownloadOptions) => {
  const { baseMs = 1_000, ceilingMs = 60_000, random = Math.random } = options
  const send = options.fetch ?? fetch
  const base = options.url.endsWith('/') ? options.url : `${options.url}/`

  /** Resolves when all bytes have come. */
  const attempt = async ({ digest, part, signal, onProgress, onTrouble }: DownloadRequest): Promise<void> => {
    const have = (await stat(part).catch(() => undefined))?.size ?? 0
    const stalled = new AbortController()
    let timer = setTimeout(() => stalled.abort(new Error('nothing arrived for 30 s')), stallMs)
    const alive = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => stalled.abort(new Error('nothing arrived for 30 s')), stallMs)
    }
    try {
      const response = await send(new URL(`ingest/v1/models/${digest}`, base), {
        headers: {
          'X-Watchpost-Agent': options.agentId,
          ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
          ...(have > 0 ? { Range: `bytes=${have}-` } : {}),
        },
        signal: AbortSignal.any([signal, stalled.signal]),
        redirect: 'error',
      })
      const total = totalOf(response, have)
      // All bytes are here and were not verified before a crash.
      if (response.status === 416 && have > 0) return
      await check(response, digest)
      if (total !== null && total > options.maxBytes)
        throw new DownloadRefusedError(
          `The package has ${total} bytes, this agent takes ${options.maxBytes} at most. Make it smaller.`,
        )
      onTrouble(null)
      const from = response.status === 206 ? have : 0
      await mkdir(dirname(part), { recursive: true })
      const file = await open(part, from > 0 ? 'r+' : 'w')
      let at = from
      try {
        for await (const chunk of response.body ?? []) {
          alive()
          await file.write(chunk, 0, chunk.length, at)
          at += chunk.length
          if (at > options.maxBytes) throw new DownloadRefusedError(`More than ${options.maxBytes} bytes came.`)
          onProgress(at)
        }
        await file.sync()
      } finally {
        await file.close()
      }
      if (total !== null && at < total) throw new Error(`the connection ended after ${at} of ${total} bytes`)
    } finally {
      clearTimeout(timer)
    }
  }

  const check = async (response: Response, digest: string): Promise<void> => {
    const { status } = response
    if (status === 200 || status === 206) return
    await response.body?.cancel().catch(() => {})
    if (status === 404)
      throw new DownloadRefusedError(
        `Central has no package ${digest.slice(0, 12)}…; upload it there, or wish another.`,
      )
    const why = `central answered ${status}`
    if (status >= 400 && status < 500 && !retriedStatuses.has(status)) throw new DownloadRefusedError(`${why}.`)
    throw new Error(status === 401 || status === 403 ? `${why}: check evidence.tokenFile of this agent` : why)
  }

  return async (request: DownloadRequest): Promise<void> => {
    let [failures, mismatches] = [0, 0]
    while (!request.signal.aborted) {
      try {
        await attempt(request)
        const digest = await digestOf(request.part)
        if (digest === request.digest) return
        await rm(request.part, { force: true })
        // A proxy or a disk may have spoilt it once; twice, and it is not the package that was asked for.
        if (++mismatches >= 2)
          throw new DownloadRefusedError(
            `The bytes that came have the digest ${digest.slice(0, 12)}… instead of ${request.digest.slice(0, 12)}…; upload the package again.`,
          )
      } catch (error) {
        if (error instanceof DownloadRefusedError || request.signal.aborted) throw error
        const pauseMs = Math.min(ceilingMs, baseMs * 2 ** Math.min(failures++, 20)) * (0.5 + random() / 2)
        request.onTrouble(
          `The download waits: ${reasonOf(error)}. What has come is kept, and it goes on from there in ${Math.ceil(pauseMs / 1000)} s.`,
        )
        await sleep(pauseMs, undefined, { signal: request.signal })
      }
    }
    throw request.signal.reason
  }
}

export type Download = ReturnType<typeof createDownload>

const totalOf = (response: Response, have: number): number | null => {
  const ranged = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]
  if (ranged !== undefined) return Number(ranged)
  const length = response.headers.get('content-length')
  return length === null ? null : Number(length) + (response.status === 206 ? have : 0)
}

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** fetch hides what happened in the cause. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message
}
