import { createHash, randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import type { Me, Role } from '@watchpost/shared/api/incidents'
import type { UserRow, UserStore } from './user-store.js'

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

/** People who may sign in; letters with accents may come composed or not (NFC). Passwords, sessions and API tokens are kept as digests only. */
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

/** argon2id (the library's default) with OWASP's numbers: 19 MiB, two passes, one lane. */
const hashOptions = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const shortestPassword = 10
/** A shift and a bit; a wall screen that is used keeps its session. */
const sessionIdleMs = 12 * 3_600_000
const sessionLongestMs = 14 * 24 * 3_600_000
/** Not every request is worth a write. */
const sessionTouchMs = 5 * 60_000

/** Vietnamese letters come composed or not, as keyboards and terminals please; names and passwords are one and the same in both. */
export const normal = (text: string): string => text.normalize('NFC')

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex')
const newToken = (): string => randomBytes(32).toString('base64url')
const meOf = ({ name, role, wardId }: UserRow): Me => ({ name, role, wardId })

export const createUsers = ({ store, clock }: { readonly store: UserStore; readonly clock: () => number }): Users => {
  // Verified against when the name is unknown, so that the time tells nobody which names exist.
  let nobody: Promise<string> | undefined

  return {
    add: async ({ role, wardId, ...given }) => {
      const [name, password] = [normal(given.name), normal(given.password)]
      checkName(name)
      checkPassword(password)
      if (role === 'wardOfficer' && wardId === null) {
        throw new Error(`Cannot add "${name}": a wardOfficer needs a ward. Name one of the city file's wards.`)
      }
      const passwordHash = await hash(password, hashOptions)
      const row = { name, role, wardId, passwordHash, tokenDigest: null, createdAt: clock() }
      if (await store.insert(row)) return
      throw new Error(`Cannot add "${name}": the name is taken. Change the password instead, or remove the user first.`)
    },
    list: async () =>
      (await store.all()).map(row => ({
        ...meOf(row),
        createdAt: row.createdAt,
        hasApiToken: row.tokenDigest !== null,
      })),
    remove: name => store.remove(normal(name)),
    setPassword: async (name, given) => {
      const password = normal(given)
      checkPassword(password)
      return store.change(normal(name), { passwordHash: await hash(password, hashOptions) })
    },
    renewApiToken: async name => {
      const token = newToken()
      return (await store.change(normal(name), { tokenDigest: digestOf(token) })) ? token : undefined
    },
    signIn: async (name, password) => {
      nobody ??= hash(newToken(), hashOptions)
      const [user, stranger] = [await store.find(normal(name)), await nobody]
      const digest = user?.passwordHash ?? stranger
      // Passwords of earlier releases were kept as they were typed.
      const matches =
        (await verify(digest, normal(password))) || (password !== normal(password) && (await verify(digest, password)))
      if (!user || !matches) return undefined
      const [sessionToken, now] = [newToken(), clock()]
      await store.removeSessionsUnusedSince(now - sessionIdleMs)
      await store.putSession({ digest: digestOf(sessionToken), userName: user.name, createdAt: now, usedAt: now })
      return { me: meOf(user), sessionToken }
    },
    signOut: token => store.removeSession(digestOf(token)),
    bySession: async token => {
      const found = await store.session(digestOf(token))
      if (!found) return undefined
      const { session, user } = found
      const now = clock()
      if (now - session.usedAt > sessionIdleMs || now - session.createdAt > sessionLongestMs) {
        await store.removeSession(session.digest)
        return undefined
      }
      if (now - session.usedAt > sessionTouchMs) await store.putSession({ ...session, usedAt: now })
      return meOf(user)
    },
    byApiToken: async token => {
      const user = await store.findByToken(digestOf(token))
      return user && meOf(user)
    },
    close: () => store.close(),
  }
}

const checkName = (name: string): void => {
  if (/^[\p{L}\p{N}._@-]{1,120}$/u.test(name)) return
  throw new Error(`Cannot use "${name}" as a name: letters, digits and . _ @ - only, at most 120.`)
}

const checkPassword = (password: string): void => {
  if (password.length >= shortestPassword && password.length <= 500) return
  throw new Error(`Cannot use this password: it must have ${shortestPassword} to 500 characters.`)
}
