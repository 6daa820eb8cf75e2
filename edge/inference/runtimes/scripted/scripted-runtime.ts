import { readFile } from 'node:fs/promises'
import { validateConfig } from '@watchpost/shared/config/validate-config'
import type { FrameMoment, ModelRuntime } from '../../model-runtime.js'
import type { Tensor, Tensors } from '../../tensor.js'
import { Script, type Step } from './script.js'

/** Plays a script instead of looking at pictures: deterministic, for demonstrations, load and fault tests. */
export const scriptedRuntime: ModelRuntime = {
  async open({ manifest, weightsPath }) {
    const script = await readScript(weightsPath)
    const shapes = new Map(manifest.outputs.map(({ name, shape }) => [name, shape]))
    checkScript(script, shapes, weightsPath)
    const blank = paint(undefined, shapes)
    const painted = new Map(script.steps.map(step => [step, paint(step, shapes)]))
    let runs = 0
    return {
      async run(_, moment) {
        burn(script.busyMs)
        const step = stepAt(script, { ...moment, run: ++runs })
        if (step?.fault) await fail(step.fault as string)
        return step ? painted.get(step)! : blank
      },
      async close() {},
    }
  },
}

const readScript = async (path: string): Promise<Script> => {
  const { value, errors } = validateConfig(Script, JSON.parse(await readFile(path, 'utf8')))
  if (errors.length === 0) return value
  throw new Error(`${path}: ${errors.map(({ path: at, message }) => `${at} ${message}`).join('; ')}.`)
}

type Shapes = ReadonlyMap<string, readonly number[]>

const checkScript = ({ steps }: Script, shapes: Shapes, path: string): void => {
  steps.forEach((step, i) => {
    if (i > 0 && step.at <= steps[i - 1]!.at) throw new Error(`${path}: steps[${i}].at must be above the one before.`)
    for (const [name, { patches = [] }] of Object.entries(step.outputs)) {
      const shape = shapes.get(name)
      if (!shape)
        throw new Error(`${path}: steps[${i}] names the output "${name}", which the manifest does not declare.`)
      const fits = patches.every(
        ({ from, to }) =>
          from.length === shape.length &&
          to.length === shape.length &&
          shape.every((length, d) => from[d]! < to[d]! && to[d]! <= length),
      )
      if (!fits) throw new Error(`${path}: a patch of steps[${i}].${name} lies outside ${shape.join('×')}.`)
    }
  })
}

type Moment = FrameMoment & { readonly run: number }

const stepAt = ({ clock, period, steps }: Script, { number, takenAt, run }: Moment): Step | undefined => {
  const now = { frame: number, time: takenAt, run }[clock as 'frame' | 'time' | 'run']
  // Frames and runs are counted from 1, so the last one of a period is number `period`.
  const origin = clock === 'time' ? 0 : 1
  const at = period === undefined ? now : ((now - origin) % period) + origin
  return steps.findLast(step => step.at <= at)
}

const paint = (step: Step | undefined, shapes: Shapes): Tensors =>
  Object.fromEntries(
    [...shapes].map(([name, shape]): [string, Tensor] => {
      const { fill = 0, patches = [] } = step?.outputs[name] ?? {}
      const data = new Float32Array(shape.reduce((product, length) => product * length, 1)).fill(fill)
      for (const { from, to, value } of patches) paintPatch(data, shape, from, to, value)
      return [name, { shape, data }]
    }),
  )

const paintPatch = (
  data: Float32Array,
  shape: readonly number[],
  from: readonly number[],
  to: readonly number[],
  value: number,
  dimension = 0,
  offset = 0,
): void => {
  const last = dimension === shape.length - 1
  for (let i = from[dimension]!; i < to[dimension]!; i++) {
    const here = (offset + i) * (last ? 1 : shape[dimension + 1]!)
    if (last) data[here] = value
    else paintPatch(data, shape, from, to, value, dimension + 1, here)
  }
}

const burn = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

const fail = (fault: string): Promise<never> => {
  if (fault === 'exit') process.exit(1)
  // Something must be waited for: a thread that has nothing to wait for ends while its model is opened.
  if (fault === 'hang') return new Promise(() => setInterval(() => {}, 60_000))
  return Promise.reject(new Error('The script says that this run fails.'))
}
