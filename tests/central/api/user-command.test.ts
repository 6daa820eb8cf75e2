import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readPassword } from '../../../central/api/ioc/read-password.js'
import { openSqliteUsers } from '../../../central/api/ioc/sqlite/user-store.js'
import { runUserCommand } from '../../../central/api/ioc/user-command.js'
import { createUsers, type Users } from '../../../central/api/ioc/users.js'

let users: Users
let printed: string
beforeEach(() => {
  users = createUsers({ store: openSqliteUsers({ file: ':memory:' }), clock: () => 0 })
  printed = ''
})
afterEach(() => users.close())

const run = (...parameters: string[]) =>
  runUserCommand(parameters, {
    users,
    wardIds: ['thuan-hoa'],
    readPassword: async () => 'a long password',
    print: text => {
      printed += text
    },
  })

describe('watchpost-central user', () => {
  it('adds, lists, renews and removes', async () => {
    await run('add', '--config', 'central.yaml', '--name', 'minh', '--role', 'wardOfficer', '--ward', 'thuan-hoa')
    expect((await users.signIn('minh', 'a long password'))?.me).toEqual({
      name: 'minh',
      role: 'wardOfficer',
      wardId: 'thuan-hoa',
    })
    printed = ''
    await run('token', 'minh')
    expect(await users.byApiToken(printed.trim())).toMatchObject({ name: 'minh' })
    printed = ''
    await run('list')
    expect(JSON.parse(printed)).toMatchObject({ name: 'minh', hasApiToken: true })
    await run('password', 'minh')
    await run('remove', 'minh')
    expect(await users.list()).toEqual([])
  })

  it.each([
    [['add', 'minh'], /needs a role.*viewer\|reviewer/],
    [['add', 'minh', '--role', 'king'], /no role "king"/],
    [['add', 'minh', '--role', 'wardOfficer', '--ward', 'moon'], /no ward "moon".*thuan-hoa/],
    [['remove', 'nobody'], /no user "nobody"/],
    [['token', 'nobody'], /no user "nobody"/],
    [['rename', 'minh'], /no user command "rename"/],
    [['add'], /Wrong use/],
  ])('refuses %j and says why', async (parameters, message) => {
    await expect(run(...parameters)).rejects.toThrow(message)
  })
})

describe('the password', () => {
  const stderr = new PassThrough()
  it('comes from the environment, or from the first line of the input', async () => {
    const stdin = Readable.from(['from the input\nsecond line\n'])
    expect(await readPassword({ env: { WATCHPOST_PASSWORD: 'from env' }, stdin, stderr })).toBe('from env')
    expect(await readPassword({ env: {}, stdin, stderr })).toBe('from the input')
  })

  it('is asked for with a hint when there is none', async () => {
    await expect(readPassword({ env: {}, stdin: Readable.from([]), stderr })).rejects.toThrow('WATCHPOST_PASSWORD')
  })
})
