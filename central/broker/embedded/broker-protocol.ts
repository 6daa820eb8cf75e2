/** What the parent tells the broker process, and hears from it. */
export type BrokerCommand =
  | {
      readonly kind: 'listen'
      readonly host: string
      readonly port: number
      readonly centralUsername: string
      readonly centralPassword: string
      /** SHA-256 of the password by agent, hexadecimal; null: no credentials, loopback only. */
      readonly passwordHashes: Readonly<Record<string, string>> | null
      readonly sites: Readonly<Record<string, string>>
    }
  | { readonly kind: 'sites'; readonly sites: Readonly<Record<string, string>> }
  | { readonly kind: 'stop' }

export type BrokerReport =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'refused'; readonly clientId: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }
