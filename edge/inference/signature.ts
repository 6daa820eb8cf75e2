import { createPublicKey, verify } from 'node:crypto'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'

/** Key id → public key in PEM form. */
export type TrustedKeys = Readonly<Record<string, string>>

/** The bytes under the signature: the manifest without it, as JSON with sorted keys and no spaces. */
export const signedBytes = ({ signature: _, ...manifest }: ModelManifest): Buffer =>
  Buffer.from(canonicalJson(manifest), 'utf8')

/** What is wrong with the signature, as sentences. It covers the weights by their hash, which is checked elsewhere. */
export const signatureProblems = (
  manifest: ModelManifest,
  { requireSignatures, trustedKeys }: { readonly requireSignatures: boolean; readonly trustedKeys: TrustedKeys },
): readonly string[] => {
  const { signature } = manifest
  if (!signature)
    return requireSignatures ? ['The package is not signed; sign it or set requireSignatures to false.'] : []
  const key = trustedKeys[signature.keyId]
  if (key === undefined)
    return requireSignatures
      ? [`The package is signed by "${signature.keyId}", which is no trusted key; add that key or have it signed anew.`]
      : []
  return isSignedBy(key, manifest, signature.value)
    ? []
    : [
        `The signature by "${signature.keyId}" does not fit the manifest; fetch the package again or have it signed anew.`,
      ]
}

const isSignedBy = (pem: string, manifest: ModelManifest, value: string): boolean =>
  verify(null, signedBytes(manifest), createPublicKey(pem), Buffer.from(value, 'base64'))

const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}
