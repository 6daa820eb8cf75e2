import type { Envelope } from '@watchpost/shared/contracts/envelope'

export const maxBatchEnvelopes = 200
/** Brokers and their bridges commonly limit packets to 256 KB. */
export const maxBatchBytes = 256 * 1024
const roomForHead = 200

export interface CutBatch {
  readonly payload: string
  readonly lastSeq: number
  readonly count: number
}

export interface BatchPlace {
  readonly epoch: number
  readonly oldestSeq: number
  readonly afterSeq: number
}

/** As many of the envelopes as fit into one batch, from the first; one that is too large by itself goes alone. */
export const cutBatch = (envelopes: readonly Envelope[], { epoch, oldestSeq, afterSeq }: BatchPlace): CutBatch => {
  const texts: string[] = []
  let bytes = roomForHead
  for (const envelope of envelopes.slice(0, maxBatchEnvelopes)) {
    const text = JSON.stringify(envelope)
    bytes += Buffer.byteLength(text) + 1
    if (bytes > maxBatchBytes && texts.length > 0) break
    texts.push(text)
  }
  const head = JSON.stringify({ epoch, oldestSeq, afterSeq }).slice(0, -1)
  return {
    payload: `${head},"envelopes":[${texts.join(',')}]}`,
    lastSeq: envelopes[texts.length - 1]!.seq,
    count: texts.length,
  }
}
