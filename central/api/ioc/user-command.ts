import { parseArgs } from 'node:util'
import { type Role, roles } from '@watchpost/shared/api/incidents'
import type { Users } from './users.js'

interface UserCommandDeps {
  readonly users: Users
  /** Wards of the city file, for ward officers. */
  readonly wardIds: readonly string[]
  readonly readPassword: () => Promise<string>
  readonly print: (text: string) => void
}

export const userUsage = `watchpost-central user <command> --config central.yaml

  user add --name NAME --role ROLE [--ward WARD]   ROLE: ${roles.join(', ')}
  user list                                        one JSON line per user
  user password --name NAME                        set a new password; ends the user's sessions
  user token --name NAME                           make a new API token and print it this once
  user remove --name NAME

The password is read from WATCHPOST_PASSWORD, or from the first line of the input.
`

/** Throws with a sentence for the operator when something is wrong. */
export const runUserCommand = async (
  parameters: readonly string[],
  { users, wardIds, readPassword, print }: UserCommandDeps,
): Promise<void> => {
  const { values, positionals } = parseArgs({
    args: [...parameters],
    allowPositionals: true,
    // --config was read before; it stands here only so that it is not taken for a mistake.
    options: {
      name: { type: 'string' },
      role: { type: 'string' },
      ward: { type: 'string' },
      config: { type: 'string', short: 'c' },
    },
  })
  const [command, ...names] = positionals
  const [name, ...rest] = [...(values.name === undefined ? [] : [values.name]), ...names]
  if (command === 'list' && name === undefined) {
    for (const user of await users.list()) print(`${JSON.stringify(user)}\n`)
    return
  }
  if (name === undefined || rest.length > 0) throw new Error(`Wrong use.\n\n${userUsage}`)
  switch (command) {
    case 'add': {
      const role = roleOf(values.role)
      const wardId = values.ward ?? null
      if (wardId !== null && !wardIds.includes(wardId)) {
        throw new Error(`There is no ward "${wardId}" in the city file; it has: ${wardIds.join(', ') || 'none'}.`)
      }
      await users.add({ name, role, wardId, password: await readPassword() })
      return print(`${name} may sign in as ${role}\n`)
    }
    case 'password':
      return print(known(name, await users.setPassword(name, await readPassword())) && `${name} has a new password\n`)
    case 'token':
      return print(`${known(name, await users.renewApiToken(name))}\n`)
    case 'remove':
      return print(known(name, await users.remove(name)) && `${name} may no longer sign in\n`)
    default:
      throw new Error(`There is no user command "${command}".\n\n${userUsage}`)
  }
}

const roleOf = (role: string | undefined): Role => {
  const found = roles.find(known => known === role)
  if (found) return found
  throw new Error(
    `${role === undefined ? 'A user needs a role' : `There is no role "${role}"`}: --role ${roles.join('|')}.`,
  )
}

const known = <T>(name: string, result: T | false | undefined): T => {
  if (result !== false && result !== undefined) return result
  throw new Error(`There is no user "${name}". See: watchpost-central user list`)
}
