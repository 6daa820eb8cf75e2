import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ConsumerStatus } from './ingest.js'
import type { CommitCounts } from './log/commit-messages.js'

/** Counters of the way in. received = committed + duplicates + refused, per message; the rest is counted per MQTT message. */
export interface IngestMetrics {
  counted(counts: CommitCounts): void
  acknowledged(latencyMs: number): void
  /** An MQTT message that was not taken: nothing of it is stored. */
  dropped(reason: DropReason, messages?: number): void
}

export type DropReason = 'unknown-agent' | 'foreign-topic' | 'storage-failed' | 'after-stop'

interface Gauges {
  readonly pendingBytes: () => number
  readonly consumers: () => readonly ConsumerStatus[]
}

export const createIngestMetrics = (register: Registry, gauges: Gauges): IngestMetrics => {
  const registers = [register]
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `watchpost_ingest_${name}_total`, help, labelNames, registers })
  const received = counter('received', 'Messages received in batches')
  const committed = counter('committed', 'Messages committed to the log')
  const duplicates = counter('duplicates', 'Messages that were committed or refused before')
  const refused = counter('refused', 'Messages put to the dead letters', ['reason'])
  const lost = counter('declared_lost', 'Sequence numbers that agents declared lost')
  const dropped = counter('dropped', 'MQTT messages not taken; agents keep what they hold and send it again', [
    'reason',
  ])
  const latency = new Histogram({
    name: 'watchpost_ingest_ack_latency_seconds',
    help: 'From the arrival of a batch to its acknowledgement',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  new Gauge({
    name: 'watchpost_ingest_pending_bytes',
    help: 'Taken from the broker and not yet committed',
    registers,
    collect() {
      this.set(gauges.pendingBytes())
    },
  })
  new Gauge({
    name: 'watchpost_consumer_lag',
    help: 'Committed messages the consumer has not applied',
    labelNames: ['consumer'],
    registers,
    collect() {
      for (const { name, lag } of gauges.consumers()) this.set({ consumer: name }, lag)
    },
  })
  new Gauge({
    name: 'watchpost_consumer_failing',
    help: '1 while a consumer rejects what it is given and is retried',
    labelNames: ['consumer'],
    registers,
    collect() {
      for (const { name, failing } of gauges.consumers()) this.set({ consumer: name }, failing === null ? 0 : 1)
    },
  })

  return {
    counted: counts => {
      received.inc(counts.received)
      committed.inc(counts.committed)
      duplicates.inc(counts.duplicates)
      lost.inc(counts.declaredLost)
      for (const [reason, count] of Object.entries(counts.refused)) refused.inc({ reason }, count)
    },
    acknowledged: latencyMs => latency.observe(latencyMs / 1000),
    dropped: (reason, messages = 1) => dropped.inc({ reason }, messages),
  }
}
