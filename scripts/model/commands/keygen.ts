import { generateKeyPairSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { inlineKey, keyIdOf } from '@watchpost/edge/inference/trusted-keys'
import { type Command, FailedError } from '../command.js'

export const keygen: Command = {
  help: `Usage: npm run model -- keygen NAME [--json]

Writes NAME.key (the secret: keep it where packages are signed, never on a gateway) and NAME.pub, and prints the line for trustedKeys
in the agent's configuration. Existing files are never overwritten.

  npm run model -- keygen ~/keys/release-2026`,
  options: {},
  async run(given) {
    const [name] = given.pathArguments(1, 1, 'the name of the key, e.g. keys/release-2026')
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    await mkdir(dirname(name!), { recursive: true })
    await writeNew(`${name}.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600)
    await writeNew(`${name}.pub`, publicKey.export({ type: 'spki', format: 'pem' }).toString(), 0o644)
    const found = {
      keyId: keyIdOf(publicKey),
      publicKey: inlineKey(publicKey),
      keyFile: `${name}.key`,
      publicFile: `${name}.pub`,
    }
    return {
      ok: true,
      json: found,
      text: `Key ${found.keyId}
  secret  ${found.keyFile}   (readable by you alone; whoever has it can sign for you)
  public  ${found.publicFile}

Into the configuration of each agent:
  requireSignatures: true
  trustedKeys: ["${found.publicKey}"]`,
    }
  },
}

const writeNew = async (path: string, text: string, mode: number): Promise<void> => {
  try {
    await writeFile(path, text, { mode, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new FailedError(`${path} is there already and was left alone; choose another name, or remove it yourself.`)
  }
}
