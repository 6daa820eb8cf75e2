import { createPublicKey, verify } from 'node:crypto'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import type { TrustedKeys } from './trusted-keys.js'

/** No other thing that the same key may sign one day begins like this. */
const domain = 'watchpost model package v1\n'
const signatureBytes = 64

/**
 * The bytes under the signature: the manifest without it, as JSON with sorted keys and no spaces. It names the SHA-256 of the
 * weights and, in `files`, of every other file of the package.
 */
export const signedBytes = ({ signature: _, ...manifest }: ModelManifest): Buffer =>
  Buffer.from(domain + canonicalJson(manifest), 'utf8')

/** What is wrong with the signature, as sentences. That files have the hashes of the manifest is checked elsewhere. */
export const signatureProblems = (
  manifest: ModelManifest,
  { requireSignatures, trustedKeys }: { readonly requireSignatures: boolean; readonly trustedKeys: TrustedKeys },
): readonly string[] => {
  const { signature } = manifest
  const known = Object.keys(trustedKeys)
  if (!signature)
    return requireSignatures
      ? ['The package is not signed; sign it with "npm run model -- sign", or set requireSignatures to false.']
      : []
  if (!manifest.files)
    return ['The package is signed but does not list its files; sign it again with "npm run model -- sign".']
  const key = trustedKeys[signature.keyId]
  if (key === undefined)
    return requireSignatures
      ? [
          `The package is signed with the key ${signature.keyId}, which is not trusted here (trusted: ${known.join(', ') || 'none'}); add its public key to trustedKeys or have the package signed with a trusted one.`,
        ]
      : []
  return isSignedBy(key, manifest, signature.value)
    ? []
    : [
        `The signature of the key ${signature.keyId} does not fit the manifest; fetch the package again or have it signed again.`,
      ]
}

const isSignedBy = (pem: string, manifest: ModelManifest, value: string): boolean => {
  const bytes = Buffer.from(value, 'base64')
  return bytes.length === signatureBytes && verify(null, signedBytes(manifest), createPublicKey(pem), bytes)
}

const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}
