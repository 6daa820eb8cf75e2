import { type Static, Type } from '@sinclair/typebox'

const Patch = Type.Object(
  {
    from: Type.Array(Type.Integer({ minimum: 0 }), { description: 'First index of each dimension.' }),
    to: Type.Array(Type.Integer({ minimum: 1 }), { description: 'Index behind the last one of each dimension.' }),
    value: Type.Number(),
  },
  { additionalProperties: false },
)

const Step = Type.Object(
  {
    at: Type.Number({ minimum: 0, description: 'Frame number, milliseconds or run from which this step holds.' }),
    outputs: Type.Record(
      Type.String(),
      Type.Object(
        { fill: Type.Optional(Type.Number()), patches: Type.Optional(Type.Array(Patch)) },
        { additionalProperties: false },
      ),
      {
        default: {},
        description: 'What each output shows: `fill` (default 0), then the patches. One not named is all 0.',
      },
    ),
    fault: Type.Optional(
      Type.Union(
        ['throw', 'exit', 'hang'].map(name => Type.Literal(name)),
        { description: 'What goes wrong instead, to rehearse it: the run fails, its worker dies, it never ends.' },
      ),
    ),
  },
  { additionalProperties: false },
)

/** The "weights" of a scripted model: which tensors it gives at which frame or time. */
export const Script = Type.Object(
  {
    clock: Type.Union([Type.Literal('frame'), Type.Literal('time'), Type.Literal('run')], {
      default: 'frame',
      description:
        'frame: by frame number, from 1; time: by the time of the frame, in milliseconds; run: by the runs of each session, from 1.',
    }),
    period: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'After so many frames, milliseconds or runs it begins anew.' }),
    ),
    busyMs: Type.Number({ minimum: 0, default: 0, description: 'CPU time burnt per run, as a real model would.' }),
    steps: Type.Array(Step, { minItems: 1, description: 'Ascending; before the first one all outputs are 0.' }),
  },
  { additionalProperties: false },
)
export type Script = Static<typeof Script>
export type Step = Static<typeof Step>
