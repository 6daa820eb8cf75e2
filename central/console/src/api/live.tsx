import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import { createRefresher } from './refresher.js'

/** `waiting` until the first connection; `lost` while central cannot be reached. */
export type Liveness = 'waiting' | 'live' | 'lost'

const LiveContext = createContext<Liveness>('waiting')
/** The browser gives up on a stream that was refused (a proxy's 502, an ended session): we ask again so often. */
const reopenEveryMs = 3000

/** Which cached queries a stream event makes stale. */
const staleAfter: Readonly<Record<string, readonly string[]>> = {
  incident: ['incidents', 'incident'],
  camera: ['cameras'],
  agent: ['agents', 'ledger', 'models', 'shadow'],
}

/** Keeps one event stream open; a broken connection the browser reconnects by itself, with Last-Event-ID. */
export const LiveProvider = ({ children }: { readonly children: ReactNode }) => {
  const client = useQueryClient()
  const [live, setLive] = useState<Liveness>('waiting')
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let stream: EventSource
    const refresher = createRefresher(client)
    const open = (): void => {
      stream = new EventSource('/api/v1/stream')
      stream.onopen = () => {
        setLive('live')
        // What was missed while the stream was down is fetched, not guessed.
        void client.invalidateQueries()
      }
      stream.onerror = () => {
        setLive('lost')
        if (stream.readyState !== EventSource.CLOSED) return
        // It may have been refused because the session has ended.
        void client.invalidateQueries({ queryKey: ['me'] })
        timer = setTimeout(open, reopenEveryMs)
      }
      for (const [event, keys] of Object.entries(staleAfter)) {
        stream.addEventListener(event, () => {
          for (const key of keys) refresher.refresh(key)
        })
      }
    }
    open()
    return () => {
      clearTimeout(timer)
      refresher.stop()
      stream.close()
    }
  }, [client])
  return <LiveContext value={live}>{children}</LiveContext>
}

export const useLive = (): Liveness => useContext(LiveContext)
