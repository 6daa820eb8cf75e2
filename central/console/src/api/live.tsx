import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'

const LiveContext = createContext(false)

/** Which cached queries a stream event makes stale. */
const staleAfter: Readonly<Record<string, readonly string[]>> = {
  incident: ['incidents', 'incident'],
  camera: ['cameras'],
  agent: ['agents', 'ledger'],
}

/** Keeps one event stream open; the browser reconnects it with Last-Event-ID by itself. */
export const LiveProvider = ({ children }: { readonly children: ReactNode }) => {
  const client = useQueryClient()
  const [live, setLive] = useState(false)
  useEffect(() => {
    const stream = new EventSource('/api/v1/stream')
    stream.onopen = () => {
      setLive(true)
      // What was missed while the stream was down is fetched, not guessed.
      void client.invalidateQueries()
    }
    stream.onerror = () => setLive(false)
    for (const [event, keys] of Object.entries(staleAfter)) {
      stream.addEventListener(event, () => {
        for (const key of keys) void client.invalidateQueries({ queryKey: [key] })
      })
    }
    return () => stream.close()
  }, [client])
  return <LiveContext value={live}>{children}</LiveContext>
}

export const useLive = (): boolean => useContext(LiveContext)
