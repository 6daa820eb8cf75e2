import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import { HotspotCollection, HotspotReadings } from '@watchpost/shared/api/public'

/**
 * The public schemas as an allow-list: whatever is not in them is cut away, and a body that does not fit them is not sent
 * at all. Runs once per cached body, not per request.
 */
export const createSerialisers = () => {
  const [collection, readings] = [TypeCompiler.Compile(HotspotCollection), TypeCompiler.Compile(HotspotReadings)]
  const through = (schema: typeof HotspotCollection | typeof HotspotReadings, checks: (value: unknown) => boolean) => {
    return (value: unknown): string => {
      const allowed = Value.Clean(schema, structuredClone(value))
      if (!checks(allowed)) throw new Error(`The public reply does not fit its schema ${schema.$id}; nothing was sent.`)
      return JSON.stringify(allowed)
    }
  }
  return {
    collection: through(HotspotCollection, value => collection.Check(value)),
    readings: through(HotspotReadings, value => readings.Check(value)),
  }
}
