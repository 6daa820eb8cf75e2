import type { Envelope } from '@watchpost/shared/contracts/envelope'
import Database from 'better-sqlite3'

/** What became of the claimed messages, judged from the file alone. */
export const judge = (file: string, claimed: readonly Envelope[]) => {
  const db = new Database(file, { readonly: true })
  const rows = db.prepare<[], { envelope: string }>('SELECT envelope FROM log').all()
  db.close()
  const stored = new Map<string, number>()
  for (const { envelope } of rows) stored.set(envelope, (stored.get(envelope) ?? 0) + 1)
  const texts = claimed.map(envelope => JSON.stringify(envelope))
  return {
    lost: texts.filter(text => !stored.has(text)).length,
    doubled: [...stored.values()].filter(count => count > 1).length,
    foreign: [...stored.keys()].length - texts.filter(text => stored.has(text)).length,
  }
}

export const duplicatesIn = (file: string): number => {
  const db = new Database(file, { readonly: true })
  const duplicates = db.prepare<[], number>('SELECT sum(duplicates) FROM stream').pluck().get()
  db.close()
  return duplicates ?? 0
}
