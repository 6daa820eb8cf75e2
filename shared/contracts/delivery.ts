import { type Static, Type } from '@sinclair/typebox'
import { Epoch, Problem, Seq } from './primitives.js'

/** Everything of the epoch up to and including `seq` is committed at central (0: nothing yet); the agent may delete it. */
export const Ack = Type.Object(
  { epoch: Epoch, seq: Type.Integer({ minimum: 0 }) },
  { $id: 'Ack', additionalProperties: false },
)

/** Central refuses one message for good; the agent moves it to its dead letters and never sends it again. */
export const Nack = Type.Object(
  { epoch: Epoch, seq: Seq, problem: Problem },
  { $id: 'Nack', additionalProperties: false },
)

export type Ack = Static<typeof Ack>
export type Nack = Static<typeof Nack>

export const ackExample: Ack = { epoch: 1793070000000, seq: 42 }
export const nackExample: Nack = {
  epoch: 1793070000000,
  seq: 41,
  problem: {
    type: 'https://watchpost.dev/problems/invalid-message',
    title: 'Message does not fit its schema',
    status: 422,
    detail: '/data/unit: expected string',
  },
}
