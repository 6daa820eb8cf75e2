import { createHash } from 'node:crypto'

export interface CachedBody {
  readonly body: Buffer
  readonly etag: string
}

/** One body, made again at most every `freshMs` and by one caller at a time; the others get the one before. */
export const createCachedBody = (options: {
  readonly make: () => Promise<string>
  readonly freshMs: number
  /** Milliseconds that only go forward: by a clock that is set back, an old body would be young for as long. */
  readonly uptimeMs: () => number
}): (() => Promise<CachedBody>) => {
  let held: CachedBody | undefined
  let madeAt = Number.NEGATIVE_INFINITY
  let making: Promise<CachedBody> | undefined

  const make = async (): Promise<CachedBody> => {
    const startedAt = options.uptimeMs()
    const body = Buffer.from(await options.make())
    held = { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` }
    madeAt = startedAt
    return held
  }

  return () => {
    if (held && options.uptimeMs() - madeAt < options.freshMs) return Promise.resolve(held)
    making ??= make().finally(() => {
      making = undefined
    })
    // Twice the age and no longer: a body that cannot be made again must not pass for the present.
    if (held && options.uptimeMs() - madeAt < 2 * options.freshMs) {
      making.catch(() => {})
      return Promise.resolve(held)
    }
    return making
  }
}
