const userInfo = /(\w+:\/\/)[^/\s'"@]*(?:@[^/\s'"@]*)*@/g
const authorization = /(authorization:\s*\w+\s+).*/gi

/** Takes credentials out of a text: whatever stands before `@` in an address, authorisation headers, and the given secrets. */
export const redact = (text: string, secrets: readonly string[] = []): string => {
  let result = text.replace(userInfo, '$1***@').replace(authorization, '$1***')
  for (const secret of secrets) {
    if (secret.length > 0) result = result.replaceAll(secret, '***')
  }
  return result
}
