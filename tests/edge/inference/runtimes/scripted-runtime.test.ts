import { describe, expect, it } from 'vitest'
import { scriptedRuntime } from '../../../../edge/inference/runtimes/scripted/scripted-runtime.js'
import { load, writeScriptedPackage } from '../packages.js'

const open = async (script: Record<string, unknown>) => scriptedRuntime.open(await load(writeScriptedPackage(script)))
const blank = new Float32Array(64 * 32 * 3)
const at = (number: number, takenAt = 0) => ({ cameraId: 'camera-1', number, takenAt })

describe('scripted runtime', () => {
  it('paints the outputs of the step that holds at the frame, and begins anew after the period', async () => {
    const patch = { from: [0, 1, 0, 1], to: [1, 2, 2, 3], value: 0.9 }
    const session = await open({
      period: 4,
      steps: [
        { at: 2, outputs: { scores: { fill: 0.25 } } },
        { at: 3, outputs: { scores: { patches: [patch] } } },
      ],
    })
    const shown = async (number: number) =>
      Array.from((await session.run(blank, at(number))).scores!.data, value => Math.round(value * 100) / 100)
    const zero = new Array(16).fill(0)
    const quarter = new Array(16).fill(0.25)
    const painted = [...new Array(8).fill(0), 0, 0.9, 0.9, 0, 0, 0.9, 0.9, 0]
    expect([await shown(1), await shown(2), await shown(3), await shown(4)]).toEqual([zero, quarter, painted, painted])
    expect([await shown(5), await shown(6), await shown(7)]).toEqual([zero, quarter, painted])
  })

  it('plays by the time of the frame when asked to', async () => {
    const session = await open({
      clock: 'time',
      period: 10_000,
      steps: [{ at: 0 }, { at: 6_000, outputs: { scores: { fill: 1 } } }],
    })
    const first = async (takenAt: number) => (await session.run(blank, at(1, takenAt))).scores!.data[0]
    expect([await first(50_000), await first(55_999), await first(56_000), await first(60_000)]).toEqual([0, 0, 1, 0])
  })

  it('plays by the runs of its own session when asked to, whatever the frames are called', async () => {
    const model = await load(
      writeScriptedPackage({
        clock: 'run',
        period: 3,
        steps: [{ at: 1 }, { at: 2, outputs: { scores: { fill: 1 } } }, { at: 3, fault: 'throw' }],
      }),
    )
    const [one, other] = [await scriptedRuntime.open(model), await scriptedRuntime.open(model)]
    const first = async (session: typeof one, number: number) => (await session.run(blank, at(number))).scores!.data[0]
    expect([await first(one, 700), await first(one, 5)]).toEqual([0, 1])
    await expect(first(one, 5)).rejects.toThrow('The script says')
    // It begins anew after a fault too, and the other session counts for itself.
    expect([await first(one, 5), await first(other, 5), await first(other, 5)]).toEqual([0, 0, 1])
  })

  it('refuses a script that does not fit the outputs, or whose steps are out of order', async () => {
    const outside = { from: [0, 0, 0, 0], to: [1, 3, 2, 4], value: 1 }
    await expect(open({ steps: [{ at: 1, outputs: { scores: { patches: [outside] } } }] })).rejects.toThrow(
      /a patch of steps\[0\].scores lies outside 1×2×2×4/,
    )
    await expect(open({ steps: [{ at: 1, outputs: { none: {} } }] })).rejects.toThrow(/names the output "none"/)
    await expect(open({ steps: [{ at: 2 }, { at: 2 }] })).rejects.toThrow(/steps\[1\].at must be above/)
    await expect(open({ steps: [], speed: 1 })).rejects.toThrow(/steps has 0 entries; speed is not a known setting/)
  })
})
