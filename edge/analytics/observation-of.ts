import { type Observation, type ObservedProperty, observedProperties } from '@watchpost/shared/contracts/observation'
import { type Quality, utcTime } from '@watchpost/shared/contracts/primitives'
import type { Decoded } from '../inference/inference-result.js'
import type { AnalyticInput } from './analytic.js'

interface Value {
  readonly value: number | null
  readonly quality: Quality
  readonly reason?: string
}

const maxReasonLength = 200
const decimals = 4

/** Builds the published form of a value: unit from the contract, time from the frame, model from the result. */
export const observationOf = (
  analytic: string,
  property: ObservedProperty,
  { value, quality, reason }: Value,
  { frame, result }: AnalyticInput,
): Observation => ({
  analytic,
  property,
  value: value === null ? null : Number(value.toFixed(decimals)),
  unit: observedProperties[property],
  quality,
  ...(reason ? { reason: reason.slice(0, maxReasonLength) } : {}),
  phenomenonTime: utcTime(frame.takenAt),
  ...(result ? { model: { id: result.model.id, version: result.model.version } } : {}),
})

/** The decoded result when it is of the kind the analytic reads; otherwise the package does not fit the analytic. */
export const needDecoded = <K extends Decoded['kind']>(
  { result, frame }: AnalyticInput,
  kind: K,
  analytic: string,
): Extract<Decoded, { kind: K }> => {
  const decoded = result?.decoded
  if (decoded?.kind === kind) return decoded as Extract<Decoded, { kind: K }>
  throw new Error(
    `Cannot update analytic ${analytic} of camera ${frame.cameraId}: it reads a ${kind}, ` +
      `but ${result ? `model ${result.model.id} gives ${decoded?.kind}` : 'there is no model result'}. ` +
      `Configure a model package whose decoder gives a ${kind}.`,
  )
}
