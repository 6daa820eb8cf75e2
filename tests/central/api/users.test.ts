import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteUsers } from '../../../central/api/ioc/sqlite/user-store.js'
import { createUsers, type Users } from '../../../central/api/ioc/users.js'

let directory: string
let users: Users
const password = 'correct horse battery'
const lan = { name: 'lan', role: 'reviewer', wardId: null, password } as const
const open = () => createUsers({ store: openSqliteUsers({ file: join(directory, 'users.sqlite') }), clock: () => 1000 })

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'users-'))
  users = open()
})
afterEach(async () => {
  await users.close()
  rmSync(directory, { recursive: true })
})

describe('users', () => {
  it('are listed without secrets and outlive a restart', async () => {
    await users.add(lan)
    await users.close()
    users = open()
    expect(await users.list()).toEqual([
      { name: 'lan', role: 'reviewer', wardId: null, createdAt: 1000, hasApiToken: false },
    ])
    expect((await users.signIn('lan', password))?.me).toEqual({ name: 'lan', role: 'reviewer', wardId: null })
  })

  it('keep no password, session or token that could be used', async () => {
    await users.add(lan)
    const { sessionToken } = (await users.signIn('lan', password))!
    const apiToken = (await users.renewApiToken('lan'))!
    const files = ['users.sqlite', 'users.sqlite-wal']
      .map(name => readFileSync(join(directory, name), 'latin1'))
      .join('')
    expect(files).toContain('$argon2id$v=19$m=19456,t=2,p=1$')
    for (const secret of [password, sessionToken, apiToken]) expect(files).not.toContain(secret)
  })

  it('say what is wrong with a new user', async () => {
    await users.add(lan)
    await expect(users.add(lan)).rejects.toThrow(/"lan".*taken.*password instead/)
    await expect(users.add({ ...lan, name: 'an', password: 'short' })).rejects.toThrow(/10 to 500/)
    await expect(users.add({ ...lan, name: 'a/b' })).rejects.toThrow(/letters, digits/)
    await expect(users.add({ ...lan, name: 'an', role: 'wardOfficer' })).rejects.toThrow(/needs a ward/)
  })

  it('lose their sessions with a new password and with their removal', async () => {
    await users.add(lan)
    const first = (await users.signIn('lan', password))!
    expect(await users.setPassword('lan', 'another long one')).toBe(true)
    expect(await users.bySession(first.sessionToken)).toBeUndefined()
    expect(await users.signIn('lan', password)).toBeUndefined()
    const second = (await users.signIn('lan', 'another long one'))!
    const token = (await users.renewApiToken('lan'))!
    expect(await users.remove('lan')).toBe(true)
    expect([await users.bySession(second.sessionToken), await users.byApiToken(token)]).toEqual([undefined, undefined])
    expect([
      await users.remove('lan'),
      await users.setPassword('lan', 'another long one'),
      await users.renewApiToken('lan'),
    ]).toEqual([false, false, undefined])
  })
})
