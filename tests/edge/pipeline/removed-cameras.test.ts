import { Value } from '@sinclair/typebox/value'
import { CameraHealth } from '@watchpost/shared/contracts/camera-health'
import { Event } from '@watchpost/shared/contracts/event'
import { describe, expect, it } from 'vitest'
import { endRemoved } from '../../../edge/pipeline/removed-cameras.js'
import { endStored } from '../../../edge/rules/end-stored.js'

const nowMs = Date.UTC(2026, 9, 27, 3)
const open = (...happenings: object[]) => ({ version: 1, open: happenings })
const flood = { happeningId: 'le-loi-1/flood/1/level', threshold: 30, name: 'deep', severity: 'critical' }
const plume = {
  happeningId: 'doi-thong/smoke/1/ridge',
  zone: 'ridge',
  kind: 'forest-fire',
  severity: 'major',
  confidence: 0.7,
}
const stop = {
  happeningId: 'le-loi-1/traffic/1/4-kerb',
  kind: 'illegal-stopping',
  place: 'kerb',
  label: 'car',
  beganAt: 1,
  confidence: 0.8,
  height: 0.2,
  foot: [0.5, 0.5],
  trackId: null,
}
const blurred = { condition: 'blurred', message: 'x', hint: 'y', since: 1 }
const states = {
  'le-loi-1/flood': open(flood),
  'le-loi-1/traffic': open(stop),
  'le-loi-1/flood/learnt': { grids: [] },
  'doi-thong/smoke': open(plume),
  'doi-thong/old': { version: 9 },
  'camera-conditions': { version: 1, open: { 'doi-thong': { blurred }, 'le-loi-1': { blurred } } },
}
const watched = (id: string, ...analytics: string[]) =>
  ({ id, analytics: analytics.map(one => ({ id: one })) }) as never

describe('what a removed camera left open', () => {
  it('ends with it, and its states are taken away', () => {
    const removed = endRemoved({ cameras: [watched('le-loi-1', 'traffic')], states, endStored, nowMs })
    expect(
      removed.records.map(({ cameraId, type, data }) => [cameraId, type, 'kind' in data ? data.happeningId : 'health']),
    ).toEqual([
      ['le-loi-1', 'event.v1', flood.happeningId],
      ['doi-thong', 'event.v1', plume.happeningId],
      ['doi-thong', 'camera-health.v1', 'health'],
    ])
    for (const { type, data } of removed.records) {
      expect(data).toMatchObject({ phase: 'ended', phenomenonTime: '2026-10-27T03:00:00.000Z' })
      expect(Value.Check(type === 'event.v1' ? Event : CameraHealth, data)).toBe(true)
    }
    expect(removed.states).toEqual({
      'le-loi-1/flood': null,
      'doi-thong/smoke': null,
      'doi-thong/old': null,
      'camera-conditions': { version: 1, open: { 'le-loi-1': { blurred } } },
    })
  })

  it('keeps kind, severity and place of each', () => {
    const { records } = endRemoved({ cameras: [], states, endStored, nowMs })
    expect(records.flatMap(({ data }) => ('kind' in data ? [data] : []))).toMatchObject([
      { kind: 'flood-level', severity: 'critical', analytic: 'flood' },
      { kind: 'illegal-stopping', severity: 'minor', zone: 'kerb', analytic: 'traffic', confidence: 0.8 },
      { kind: 'forest-fire', severity: 'major', zone: 'ridge', analytic: 'smoke', confidence: 0.7 },
    ])
  })

  it('is nothing as long as all cameras are watched', () => {
    const cameras = [watched('le-loi-1', 'flood', 'traffic'), watched('doi-thong', 'smoke', 'old')]
    expect(endRemoved({ cameras, states, endStored, nowMs })).toEqual({ records: [], states: {} })
  })
})
