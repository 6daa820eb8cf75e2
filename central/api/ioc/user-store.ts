import type { Role } from '@watchpost/shared/api/incidents'

export interface UserRow {
  readonly name: string
  readonly role: Role
  readonly wardId: string | null
  readonly passwordHash: string
  /** SHA-256 of the API token. */
  readonly tokenDigest: string | null
  readonly createdAt: number
}

export interface SessionRow {
  /** SHA-256 of what the cookie holds. */
  readonly digest: string
  readonly userName: string
  readonly createdAt: number
  readonly usedAt: number
}

/** Where people and their sessions are kept. */
export interface UserStore {
  /** False: the name is taken. */
  insert(user: UserRow): Promise<boolean>
  all(): Promise<readonly UserRow[]>
  find(name: string): Promise<UserRow | undefined>
  findByToken(tokenDigest: string): Promise<UserRow | undefined>
  /** False: no such user. Whatever is set; sessions end with a new password. */
  change(name: string, change: Partial<Pick<UserRow, 'passwordHash' | 'tokenDigest'>>): Promise<boolean>
  /** False: no such user. Their sessions end. */
  remove(name: string): Promise<boolean>
  putSession(session: SessionRow): Promise<void>
  /** With its user; undefined when there is none. */
  session(digest: string): Promise<{ readonly session: SessionRow; readonly user: UserRow } | undefined>
  removeSession(digest: string): Promise<void>
  removeSessionsUnusedSince(usedBeforeMs: number): Promise<void>
  close(): Promise<void>
}
