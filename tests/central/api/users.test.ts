import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
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

  it('are known by Vietnamese names and passwords, composed or not', async () => {
    const [name, secret] = ['Hậu', 'mật khẩu của Hậu']
    const forms = ['NFC', 'NFD'] as const
    for (const set of forms) {
      await users.add({ ...lan, name: name.normalize(set), password: secret.normalize(set) })
      for (const typed of forms)
        expect((await users.signIn(name.normalize(typed), secret.normalize(typed)))?.me.name).toBe(name)
      await users.setPassword(name.normalize('NFD'), `${secret} 2`.normalize(set))
      for (const typed of forms) expect(await users.signIn(name, `${secret} 2`.normalize(typed))).toBeDefined()
      expect(await users.renewApiToken(name.normalize('NFD'))).toBeDefined()
      expect(await users.remove(name.normalize('NFD'))).toBe(true)
    }
  })

  it('keep a password that an earlier release stored as it was typed', async () => {
    const typed = 'mật khẩu của Hậu'.normalize('NFD')
    const store = openSqliteUsers({ file: join(directory, 'users.sqlite') })
    const passwordHash = await hash(typed)
    await store.insert({ name: 'hau', role: 'viewer', wardId: null, passwordHash, tokenDigest: null, createdAt: 0 })
    await store.close()
    expect(await users.signIn('hau', typed)).toBeDefined()
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
