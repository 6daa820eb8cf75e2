import { setTimeout as sleep } from 'node:timers/promises'
import type { EvidenceRoom, Upload } from './evidence.js'
import type { EvidenceLog } from './evidence-log.js'

export interface EvidenceUploaderOptions {
  /** Central's address, without the path. */
  readonly url: string
  readonly token: string | undefined
  readonly agentId: string
  readonly evidence: Pick<EvidenceRoom, 'pending' | 'openForUpload' | 'markSent' | 'markDead' | 'onPending'>
  readonly log: EvidenceLog
  readonly fetch?: typeof fetch
  /** First delay after a failure; doubles up to `ceilingMs`. */
  readonly baseMs?: number
  readonly ceilingMs?: number
  readonly random?: () => number
}

export interface EvidenceUploader {
  start(): void
  /** Resolves when the request under way has ended or was cut. What was not confirmed stays pending. */
  stop(): Promise<void>
  status(): { readonly sent: number; readonly failures: number; readonly lastError: string | null }
}

type Outcome = { readonly kind: 'sent' } | { readonly kind: 'dead'; readonly reason: string } | Retry
interface Retry {
  readonly kind: 'retry'
  readonly reason: string
  readonly hint: string
  /** Central refuses this picture, or the disk does not give it: a new one may fare better at once. False in an outage of central. */
  readonly isOfPicture: boolean
  readonly afterMs?: number
}

const requestTimeoutMs = 30_000
/**
 * What central itself says of the picture: too large, no picture. Everything else may be different next time, and a wrong address or a
 * proxy must not cost the evidence.
 */
const finalStatuses = new Set([413, 415])
/** Not of the picture, unlike the others from 400 to 499: the token is refused, or central is slow or busy. */
const outageStatuses = new Set([401, 408, 429])

/**
 * Puts pictures to central, one at a time, newest first: after an outage the running incident gets its picture before yesterday's. Central
 * verifies the hash, so repeating a put is harmless. A picture that fails waits behind all others, and a new picture ends the pause after
 * one that was refused or cannot be read, so one bad picture holds up none; an outage of central keeps its pause.
 */
export const createEvidenceUploader = (options: EvidenceUploaderOptions): EvidenceUploader => {
  const { evidence, log, agentId, token, random = Math.random, baseMs = 1_000, ceilingMs = 60_000 } = options
  const send = options.fetch ?? fetch
  const base = options.url.endsWith('/') ? options.url : `${options.url}/`
  const stopping = new AbortController()
  /** New since the start and not tried yet; taken from the end. */
  const fresh: string[] = []
  /** What was there at the start, newest first, then what failed; taken from the front, when nothing is fresh. */
  let waiting: string[] = []
  let wake: () => void = () => {}
  let running: Promise<void> | undefined
  let [sent, failures, failuresInRow] = [0, 0, 0]
  let lastError: string | null = null

  const put = async ({ sha256, mediaType, body, note }: Upload): Promise<Outcome> => {
    const headers: Record<string, string> = { 'Content-Type': mediaType, 'X-Watchpost-Agent': agentId }
    if (token !== undefined) headers.Authorization = `Bearer ${token}`
    if (note !== undefined) {
      headers['X-Watchpost-Camera'] = note.cameraId
      headers['X-Watchpost-Role'] = note.role
      headers['X-Watchpost-Taken-At'] = new Date(note.takenAt).toISOString()
    }
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(requestTimeoutMs)])
    try {
      const url = new URL(`ingest/v1/evidence/${sha256}`, base)
      const response = await send(url, {
        method: 'PUT',
        headers,
        body: new Uint8Array(body),
        signal,
        redirect: 'error',
      })
      const text = response.ok ? '' : await response.text().catch(() => '')
      await response.body?.cancel().catch(() => {})
      return outcomeOf(response, text)
    } catch (error) {
      return {
        kind: 'retry',
        reason: messageOf(error),
        hint: 'Check evidence.url, and that central runs and can be reached.',
        isOfPicture: false,
      }
    }
  }

  const pause = async (retry: Retry): Promise<void> => {
    const backOffMs = Math.min(ceilingMs, baseMs * 2 ** Math.min(failuresInRow, 20)) * (0.5 + random() / 2)
    const delayMs = Math.max(backOffMs, Math.min(retry.afterMs ?? 0, ceilingMs))
    if (failuresInRow === 0 || retry.reason !== lastError) {
      log.warn(
        { reason: retry.reason, hint: retry.hint, retryInMs: Math.round(delayMs) },
        'Pictures wait: they cannot be sent',
      )
    }
    failures++
    failuresInRow++
    lastError = retry.reason
    // Also one that came while the request was under way ends the pause.
    if (retry.isOfPicture && fresh.length > 0) return
    const woken = new AbortController()
    if (retry.isOfPicture) wake = () => woken.abort()
    await sleep(delayMs, undefined, { signal: AbortSignal.any([stopping.signal, woken.signal]) }).catch(() => {})
  }

  const next = async (): Promise<string | undefined> => {
    const sha256 = fresh.pop() ?? waiting.shift()
    if (sha256 !== undefined) return sha256
    await new Promise<void>(resolve => {
      wake = resolve
    })
    return undefined
  }

  const handle = async (sha256: string): Promise<void> => {
    const upload = await evidence.openForUpload(sha256)
    if (upload === undefined) return
    const outcome = await put(upload)
    if (outcome.kind === 'retry') {
      waiting.push(sha256)
      if (!stopping.signal.aborted) await pause(outcome)
      return
    }
    if (failuresInRow > 0) log.info({ failures: failuresInRow }, 'Pictures are sent again')
    failuresInRow = 0
    lastError = null
    if (outcome.kind === 'dead') return evidence.markDead(sha256, outcome.reason)
    await evidence.markSent(sha256)
    sent++
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const sha256 = await next()
      if (sha256 === undefined) continue
      try {
        await handle(sha256)
      } catch (error) {
        // The disk, not central: the picture stays pending on disk and is tried again.
        waiting.push(sha256)
        await pause({ kind: 'retry', reason: messageOf(error), hint: 'Check the disk of dataDir.', isOfPicture: true })
      }
    }
  }

  return {
    start() {
      waiting = evidence.pending().toReversed()
      evidence.onPending(sha256 => {
        fresh.push(sha256)
        wake()
      })
      running ??= run().catch(err => log.error({ err }, 'The upload of pictures ended for good; restart the agent'))
    },
    async stop() {
      stopping.abort()
      wake()
      await running
    },
    status: () => ({ sent, failures, lastError }),
  }
}

const outcomeOf = (response: Response, text: string): Outcome => {
  const { status } = response
  if (response.ok) return { kind: 'sent' }
  const reason = `Central answered ${status}${text === '' ? '' : `: ${text.slice(0, 300)}`}`
  if (finalStatuses.has(status) && isProblemOf(status, text)) return { kind: 'dead', reason }
  const hint = hintFor(status)
  const isOfPicture = status >= 400 && status < 500 && !outageStatuses.has(status)
  const afterSeconds = Number(response.headers.get('Retry-After') ?? Number.NaN)
  const afterMs = Number.isFinite(afterSeconds) ? { afterMs: afterSeconds * 1000 } : {}
  return { kind: 'retry', reason, hint, isOfPicture, ...afterMs }
}

/** Central answers with a problem (RFC 9457) that names its status; a proxy, or whatever else is at the address, does not. */
const isProblemOf = (status: number, text: string): boolean => {
  try {
    return (JSON.parse(text) as { status?: unknown } | null)?.status === status
  } catch {
    return false
  }
}

const hintFor = (status: number): string => {
  if (status === 401) return 'Check the token of this agent (evidence.tokenFile or tokenEnv) against central.'
  if (status === 403)
    return 'Check the token of this agent (evidence.tokenFile or tokenEnv), and its site and cameras in the city file of central.'
  if (status >= 500 || status === 408 || status === 429)
    return 'Central is in trouble or busy; the agent tries again by itself.'
  return 'Check evidence.url, and the proxy before central if there is one; the agent tries again by itself.'
}

/** fetch hides what happened in the cause. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message
}
