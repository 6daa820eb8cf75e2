import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { AgentSnapshot } from './agent-snapshot.js'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number | null]

interface Family {
  readonly kind: 'gauge' | 'counter'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly samples: (snapshot: AgentSnapshot) => readonly Sample[]
}

const perCamera =
  (value: (camera: AgentSnapshot['cameras'][number]) => number | null): Family['samples'] =>
  ({ cameras }) =>
    cameras.map(camera => [{ camera: camera.cameraId }, value(camera)])
const one =
  (value: (snapshot: AgentSnapshot) => number | null): Family['samples'] =>
  snapshot => [[{}, value(snapshot)]]
const seconds = (ms: number | null) => (ms === null ? null : ms / 1000)
const camera = ['camera'] as const

/** The rooms count for themselves; here their numbers only get names. */
const families: readonly Family[] = [
  {
    kind: 'gauge',
    name: 'camera_up',
    help: '1 while pictures arrive and can be trusted',
    labels: camera,
    samples: perCamera(c => (c.condition === 'ok' ? 1 : 0)),
  },
  {
    kind: 'gauge',
    name: 'camera_fps',
    help: 'Frames per second received',
    labels: camera,
    samples: perCamera(c => c.fps),
  },
  {
    kind: 'gauge',
    name: 'camera_last_frame_age_seconds',
    help: 'Age of the newest frame',
    labels: camera,
    samples: perCamera(c => seconds(c.lastFrameAgeMs)),
  },
  {
    kind: 'gauge',
    name: 'camera_inference_seconds',
    help: 'Time in the model per frame, running mean',
    labels: camera,
    samples: perCamera(c => seconds(c.inferenceMs)),
  },
  {
    kind: 'counter',
    name: 'camera_decode_errors_total',
    help: 'Errors reported by the decoder',
    labels: camera,
    samples: perCamera(c => c.decodeErrors),
  },
  {
    kind: 'counter',
    name: 'camera_reconnects_total',
    help: 'Connections made anew',
    labels: camera,
    samples: perCamera(c => c.reconnects),
  },
  {
    kind: 'counter',
    name: 'frames_dropped_total',
    help: 'Frames that were due and not analysed, by reason',
    labels: ['camera', 'reason'],
    samples: ({ cameras }) =>
      cameras.flatMap(({ cameraId, dropped }) =>
        Object.entries(dropped).map(([reason, count]): Sample => [{ camera: cameraId, reason }, count]),
      ),
  },
  {
    kind: 'gauge',
    name: 'outbox_messages',
    help: 'Messages central does not have yet',
    labels: [],
    samples: one(s => s.outbox.size),
  },
  {
    kind: 'gauge',
    name: 'outbox_oldest_age_seconds',
    help: 'Age of the oldest of them',
    labels: [],
    samples: one(s => seconds(s.outbox.oldestAgeMs)),
  },
  {
    kind: 'counter',
    name: 'outbox_appended_total',
    help: 'Messages ever recorded',
    labels: [],
    samples: one(s => s.outbox.appended),
  },
  {
    kind: 'counter',
    name: 'outbox_acked_total',
    help: 'Messages acknowledged by central',
    labels: [],
    samples: one(s => s.outbox.acked),
  },
  {
    kind: 'counter',
    name: 'outbox_dead_letters_total',
    help: 'Messages refused by central',
    labels: [],
    samples: one(s => s.outbox.deadLetters),
  },
  {
    kind: 'counter',
    name: 'outbox_thinned_total',
    help: 'Observations deleted unsent because the outbox was full',
    labels: [],
    samples: one(s => s.outbox.thinned),
  },
  {
    kind: 'gauge',
    name: 'outbox_failing',
    help: '1 while the disk refuses to store',
    labels: [],
    samples: one(s => (s.recorder.problem ? 1 : 0)),
  },
  {
    kind: 'counter',
    name: 'records_dropped_total',
    help: 'Records never stored because the disk refused, by type',
    labels: ['type'],
    samples: ({ recorder }) => Object.entries(recorder.dropped).map(([type, count]): Sample => [{ type }, count]),
  },
  {
    kind: 'gauge',
    name: 'uplink_connected',
    help: '1 while connected to the broker',
    labels: [],
    samples: one(s => (s.uplink.isConnected ? 1 : 0)),
  },
  {
    kind: 'counter',
    name: 'uplink_sent_total',
    help: 'Messages handed to the broker, repeats included',
    labels: [],
    samples: one(s => s.uplink.sentEnvelopes),
  },
  {
    kind: 'counter',
    name: 'uplink_rewinds_total',
    help: 'Times sending began again because acks stayed away',
    labels: [],
    samples: one(s => s.uplink.rewinds),
  },
  {
    kind: 'gauge',
    name: 'evidence_pending',
    help: 'Pictures and clips central does not have yet',
    labels: [],
    samples: one(s => s.evidence.pending),
  },
  {
    kind: 'gauge',
    name: 'evidence_bytes',
    help: 'Disk used by pictures and clips',
    labels: [],
    samples: one(s => s.evidence.bytes),
  },
  {
    kind: 'gauge',
    name: 'event_loop_lag_seconds',
    help: '99th percentile since the last sample',
    labels: [],
    samples: one(s => seconds(s.eventLoopLagMs)),
  },
]

export interface Metrics {
  readonly contentType: string
  /** Prometheus text of one snapshot, with those of the process. */
  text(snapshot: AgentSnapshot): Promise<string>
}

export const createMetrics = (): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'watchpost_edge_' })
  const writers = families.map(({ kind, name, help, labels, samples }) => {
    const shape = { name: `watchpost_edge_${name}`, help, labelNames: [...labels], registers: [registry] }
    const metric = kind === 'gauge' ? new Gauge(shape) : new Counter(shape)
    return (snapshot: AgentSnapshot): void => {
      metric.reset()
      for (const [given, value] of samples(snapshot)) if (value !== null) metric.inc({ ...given }, value)
    }
  })
  return {
    contentType: registry.contentType,
    text: snapshot => {
      for (const write of writers) write(snapshot)
      return registry.metrics()
    },
  }
}
