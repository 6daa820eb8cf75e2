import type { PageKey } from '../incidents/incident-store.js'
import { ProblemError } from './problem.js'

/** Opaque to clients, so that what is in it can change. */
export const cursorOf = (key: PageKey | null): string | null =>
  key && Buffer.from(JSON.stringify([key.at, key.id])).toString('base64url')

export const parseCursor = (cursor: string | undefined): PageKey | undefined => {
  if (cursor === undefined) return undefined
  try {
    const [at, id, ...rest] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (Number.isSafeInteger(at) && typeof id === 'string' && rest.length === 0) return { at: at as number, id }
  } catch {
    // Falls through to the one answer for every malformed cursor.
  }
  throw new ProblemError(400, 'Invalid cursor', 'The cursor was not made by this API.', [
    { path: '/cursor', message: 'not a cursor', hint: 'Send nextCursor of the page before, or none to start again.' },
  ])
}
