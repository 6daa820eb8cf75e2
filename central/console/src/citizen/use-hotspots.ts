import type { HotspotCollection } from '@watchpost/shared/api/public'
import { useEffect, useState } from 'react'

const everyMs = 15_000

/** The public hotspots, renewed every 15 s. The last answer is kept when the network goes, and `reachable` says so. */
export const useHotspots = (): { readonly collection: HotspotCollection | null; readonly reachable: boolean } => {
  const [state, setState] = useState<{ collection: HotspotCollection | null; reachable: boolean }>({
    collection: null,
    reachable: true,
  })
  useEffect(() => {
    const aborted = new AbortController()
    const load = async (): Promise<void> => {
      try {
        const reply = await fetch('/public/v1/hotspots', { signal: aborted.signal })
        if (!reply.ok) throw new Error(`HTTP ${reply.status}`)
        setState({ collection: (await reply.json()) as HotspotCollection, reachable: true })
      } catch {
        if (!aborted.signal.aborted) setState(previous => ({ ...previous, reachable: false }))
      }
    }
    void load()
    const timer = setInterval(() => void load(), everyMs)
    return () => {
      clearInterval(timer)
      aborted.abort()
    }
  }, [])
  return state
}
