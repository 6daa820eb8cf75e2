import { afterEach, describe, expect, it, vi } from 'vitest'
import { api } from '../../../central/console/src/api/client.js'

afterEach(() => vi.unstubAllGlobals())

describe('changes of an incident', () => {
  it('go out with a key of their own also where the page is not a secure one', async () => {
    const keys: (string | undefined)[] = []
    // Over plain HTTP browsers give pages neither `subtle` nor `randomUUID`.
    const { crypto } = globalThis
    vi.stubGlobal('crypto', { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) })
    vi.stubGlobal('fetch', async (_path: string, { headers }: { headers: Record<string, string> }) => {
      keys.push(headers['idempotency-key'])
      return Response.json({})
    })
    await api.transition({ id: 'e1', version: 1 }, { to: 'acknowledged' })
    await api.note('e1', 'seen')
    await api.note('e1', 'seen')
    expect(new Set(keys)).toHaveProperty('size', 3)
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/)
  })
})
