import type { Me, Role } from '@watchpost/shared/api/incidents'

export interface UserListing extends Me {
  readonly createdAt: number
  readonly hasApiToken: boolean
}

export interface NewUser {
  readonly name: string
  readonly role: Role
  readonly wardId: string | null
  readonly password: string
}

/** People who may sign in. Passwords, sessions and API tokens are kept as digests only. */
export interface Users {
  /** Rejects with what is wrong and a hint: name taken, password too short, ward officer without a ward. */
  add(user: NewUser): Promise<void>
  list(): Promise<readonly UserListing[]>
  /** False: no such user. Ends their sessions. */
  remove(name: string): Promise<boolean>
  /** False: no such user. Ends their sessions. */
  setPassword(name: string, password: string): Promise<boolean>
  /** Makes a new API token and returns it this once; the one before stops working. Undefined: no such user. */
  renewApiToken(name: string): Promise<string | undefined>
  /** Undefined: wrong name or password, in the same time for both. */
  signIn(name: string, password: string): Promise<{ readonly me: Me; readonly sessionToken: string } | undefined>
  signOut(sessionToken: string): Promise<void>
  bySession(sessionToken: string): Promise<Me | undefined>
  byApiToken(apiToken: string): Promise<Me | undefined>
  close(): Promise<void>
}
