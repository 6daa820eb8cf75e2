import { describe, expect, it } from 'vitest'
import type { OutboxRecord } from '../../../edge/outbox/outbox.js'
import {
  type ConditionReport,
  conditionsStateId,
  createCameraConditions,
} from '../../../edge/pipeline/camera-conditions.js'

const change = (
  phase: 'began' | 'ended',
  condition: ConditionReport['condition'] = 'offline',
  at = 1_000,
): ConditionReport => ({
  cameraId: 'le-loi-1',
  condition,
  phase,
  message: 'no answer',
  hint: phase === 'began' ? 'Check the cable.' : '',
  at,
})

const setUp = (restored?: unknown) => {
  const recorded: OutboxRecord[] = []
  let state: unknown
  const conditions = createCameraConditions({
    cameraIds: ['le-loi-1'],
    restored,
    record: async (records, states) => {
      recorded.push(...records)
      state = states[conditionsStateId]
    },
    graceMs: 60_000,
  })
  const phases = () =>
    recorded.map(record => [
      record.type === 'camera-health.v1' && record.data.condition,
      'phase' in record.data && record.data.phase,
    ])
  return { conditions, phases, state: () => JSON.parse(JSON.stringify(state)) as unknown }
}

describe('camera conditions', () => {
  it('are recorded once when they begin and once when they end', async () => {
    const { conditions, phases } = setUp()
    for (const phase of ['began', 'began', 'ended', 'ended'] as const) await conditions.report(change(phase))
    expect(phases()).toEqual([
      ['offline', 'began'],
      ['offline', 'ended'],
    ])
  })

  it('show the oldest open one first, with its hint', async () => {
    const { conditions } = setUp()
    await conditions.report(change('began', 'blurred', 2_000))
    await conditions.report(change('began', 'moved', 1_000))
    expect(conditions.open('le-loi-1').map(({ condition, hint }) => [condition, hint])).toEqual([
      ['moved', 'Check the cable.'],
      ['blurred', 'Check the cable.'],
    ])
  })

  it('do not begin again after a restart while they last', async () => {
    const before = setUp()
    await before.conditions.report(change('began'))
    const after = setUp(before.state())
    await after.conditions.report(change('began', 'offline', 9_000))
    expect(after.phases()).toEqual([])
    expect(after.conditions.open('le-loi-1')).toMatchObject([{ condition: 'offline', since: 1_000 }])
    await after.conditions.report(change('ended'))
    expect(after.phases()).toEqual([['offline', 'ended']])
  })

  it('end when the camera has shown pictures for a minute after the restart', async () => {
    const before = setUp()
    await before.conditions.report(change('began'))
    await before.conditions.report(change('began', 'moved'))
    const after = setUp(before.state())
    await after.conditions.report(change('began', 'moved', 100_000))
    after.conditions.sawFrame('le-loi-1', 100_000)
    after.conditions.sawFrame('le-loi-1', 159_000)
    expect(after.phases()).toEqual([])
    after.conditions.sawFrame('le-loi-1', 161_000)
    expect(after.phases()).toEqual([['offline', 'ended']])
    const later = setUp(after.state())
    await later.conditions.report(change('ended', 'moved'))
    expect(later.phases()).toEqual([['moved', 'ended']])
  })

  it('survive a stored state that cannot be read', async () => {
    const { conditions, phases } = setUp({ version: 7 })
    await conditions.report(change('began'))
    expect(phases()).toEqual([['offline', 'began']])
  })
})
