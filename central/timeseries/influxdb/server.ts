export interface InfluxServerOptions {
  readonly url: string
  /** v1: `/write` (1.x); v2: `/api/v2/write` (2.x, 3.x and others that speak it). */
  readonly api: 'v1' | 'v2'
  /** Database, or bucket. */
  readonly database: string
  readonly org: string
  readonly username?: string
  readonly password?: string
  readonly token?: string
}

/** The server understood and said no: to this content (`isContent`), or to everything until somebody repairs something. */
export class InfluxRefusedError extends Error {
  override readonly name = 'InfluxRefusedError'
  readonly isContent: boolean

  constructor(message: string, isContent: boolean) {
    super(message)
    this.isContent = isContent
  }
}

/** One column of an InfluxQL reply by name, or null. */
export interface InfluxSeries {
  readonly tags?: Readonly<Record<string, string>>
  readonly columns: readonly string[]
  readonly values: readonly (readonly (string | number | null)[])[]
}

export interface InfluxServer {
  /** Resolves when the server has accepted every line. */
  write(lines: readonly string[]): Promise<void>
  query(influxQl: string): Promise<readonly InfluxSeries[]>
  /** Rejects also when something else than InfluxDB, or what stands in for it, answers there. */
  ping(): Promise<void>
}

const timeoutMs = 15_000
const contentStatuses = new Set([400, 413, 422])

export const createInfluxServer = (options: InfluxServerOptions): InfluxServer => {
  const base = options.url.replace(/\/+$/, '')
  const headers: Record<string, string> = {}
  if (options.token !== undefined) headers.authorization = `Token ${options.token}`
  else if (options.username !== undefined)
    headers.authorization = `Basic ${Buffer.from(`${options.username}:${options.password ?? ''}`).toString('base64')}`
  const writeTarget =
    options.api === 'v1'
      ? `${base}/write?${new URLSearchParams({ db: options.database, precision: 'ms' })}`
      : `${base}/api/v2/write?${new URLSearchParams({ org: options.org, bucket: options.database, precision: 'ms' })}`

  const call = async (target: string, init: RequestInit = {}): Promise<Response> => {
    const path = new URL(target).pathname
    try {
      return await fetch(target, { ...init, headers, signal: AbortSignal.timeout(timeoutMs) })
    } catch (error) {
      const cause = (error as Error).cause
      const reason = cause instanceof Error ? cause.message : (error as Error).message
      throw new Error(`InfluxDB ${base}${path}: ${reason}; check that it runs and timeseries.url`, { cause: error })
    }
  }

  const refuse = async (response: Response): Promise<never> => {
    const path = new URL(response.url).pathname
    const said = (await response.text()).slice(0, 300).trim()
    const text = `InfluxDB ${base}${path}: ${response.status} ${said}${hintFor(response.status, options)}`
    if (response.status >= 500) throw new Error(text)
    throw new InfluxRefusedError(text, contentStatuses.has(response.status))
  }

  return {
    write: async lines => {
      const response = await call(writeTarget, { method: 'POST', body: lines.join('\n') })
      if (!response.ok) await refuse(response)
      await response.arrayBuffer()
    },
    query: async influxQl => {
      const search = new URLSearchParams({ db: options.database, q: influxQl, epoch: 'ms' })
      const response = await call(`${base}/query?${search}`)
      if (!response.ok) await refuse(response)
      const { results } = (await response.json()) as { results: { error?: string; series?: InfluxSeries[] }[] }
      const failed = results.find(result => result.error !== undefined)
      if (failed) throw new Error(`InfluxDB ${base}/query: ${failed.error}`)
      return results.flatMap(result => result.series ?? [])
    },
    ping: async () => {
      const response = await call(`${base}/ping`)
      if (!response.ok) await refuse(response)
      // 3.x answers 200 with its version; what only speaks the protocol tells none, but answers 204 as 1.x and 2.x do.
      if (response.status !== 204 && !response.headers.has('x-influxdb-version'))
        throw new Error(`InfluxDB ${base}/ping: another server answers there; check timeseries.url`)
    },
  }
}

const hintFor = (status: number, { api, database }: InfluxServerOptions): string => {
  if (status === 401 || status === 403)
    return api === 'v1' ? '; check timeseries.username and passwordFile' : '; check timeseries.tokenFile'
  if (status === 404)
    return api === 'v1'
      ? `; create it: CREATE DATABASE "${database}"`
      : `; create the bucket ${database}, check timeseries.api`
  return ''
}
