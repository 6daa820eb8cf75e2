/** What an agent counts of one camera. */
export interface CameraCounters {
  readonly dropped: Readonly<Record<string, number>>
  readonly reconnects: number
  /** Null until the model has judged a frame. */
  readonly inferenceS: number | null
}

export interface AgentCounters {
  readonly cameras: ReadonlyMap<string, CameraCounters>
  /** Messages central does not have yet. */
  readonly waiting: number
}

/** Reads an agent's `/metrics`. Rejects when the agent does not answer. */
export const readCounters = async (metricsUrl: string): Promise<AgentCounters> => {
  const reply = await fetch(metricsUrl)
  if (!reply.ok) throw new Error(`${metricsUrl} answered ${reply.status}`)
  return parseCounters(await reply.text())
}

export const parseCounters = (text: string): AgentCounters => {
  const samples = text.split('\n').flatMap(parseSample)
  const values = (name: string) => samples.filter(sample => sample.name === `watchpost_edge_${name}`)
  const ids = new Set(values('camera_up').map(({ labels }) => labels.camera!))
  return {
    waiting: values('outbox_messages')[0]?.value ?? 0,
    cameras: new Map(
      [...ids].map(id => [
        id,
        {
          dropped: Object.fromEntries(
            values('frames_dropped_total')
              .filter(({ labels }) => labels.camera === id)
              .map(({ labels, value }) => [labels.reason!, value]),
          ),
          reconnects: values('camera_reconnects_total').find(({ labels }) => labels.camera === id)?.value ?? 0,
          inferenceS: values('camera_inference_seconds').find(({ labels }) => labels.camera === id)?.value ?? null,
        },
      ]),
    ),
  }
}

const parseSample = (line: string) => {
  const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line)
  if (!match) return []
  const labels = Object.fromEntries([...(match[2] ?? '').matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, k, v]) => [k, v]))
  return [{ name: match[1]!, labels: labels as Record<string, string>, value: Number(match[3]) }]
}
