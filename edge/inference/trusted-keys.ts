import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { sentenceOf } from './inference-error.js'

/** Key id → public key in PEM form. Plain data. */
export type TrustedKeys = Readonly<Record<string, string>>

/** What an inline key begins with; anything else is the path of a file. */
export const inlinePrefix = 'ed25519:'

export interface TrustedKeyProblem {
  /** In the list that was given. */
  readonly index: number
  readonly problem: string
}

/** Public keys, each inline or in a file (PEM or the inline form). */
export const readTrustedKeys = async (
  entries: readonly string[],
): Promise<{ readonly keys: TrustedKeys; readonly problems: readonly TrustedKeyProblem[] }> => {
  const keys: Record<string, string> = {}
  const problems: TrustedKeyProblem[] = []
  for (const [index, entry] of entries.entries())
    try {
      const key = parsePublicKey(entry.startsWith(inlinePrefix) ? entry : await readFile(entry, 'utf8'))
      keys[keyIdOf(key)] = key.export({ type: 'spki', format: 'pem' }).toString()
    } catch (error) {
      problems.push({ index, problem: sentenceOf(error) })
    }
  return { keys, problems }
}

/** @throws with a sentence that says what to give instead. */
export const parsePublicKey = (text: string): KeyObject => {
  const given = text.trim()
  // Node would derive the public key from it, and the secret would go on lying about on every gateway.
  if (given.includes('PRIVATE KEY'))
    throw new Error('This is a private key; keep it where packages are signed and give the public key (.pub) here.')
  const key = given.startsWith(inlinePrefix) ? fromInline(given.slice(inlinePrefix.length)) : fromPem(given)
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new Error(
    `This is no Ed25519 public key; "npm run model -- keygen" makes one. Expected is "${inlinePrefix}" and 44 characters, or PEM.`,
  )
}

const fromInline = (base64: string): KeyObject | undefined => {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== base64) return undefined
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' })
}

const fromPem = (pem: string): KeyObject | undefined => {
  try {
    return createPublicKey(pem)
  } catch {
    return undefined
  }
}

const rawBytes = (key: KeyObject): Buffer => Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url')

export const inlineKey = (key: KeyObject): string => `${inlinePrefix}${rawBytes(key).toString('base64')}`

/** Names a key in manifests and messages: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes. */
export const keyIdOf = (key: KeyObject): string => createHash('sha256').update(rawBytes(key)).digest('hex').slice(0, 16)
