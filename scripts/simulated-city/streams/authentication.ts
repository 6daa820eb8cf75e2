import { createHash, timingSafeEqual } from 'node:crypto'
import type { RtspRequest } from './rtsp-messages.js'

export interface Credentials {
  readonly user: string
  readonly password: string
  /** What is offered to clients; both when absent. */
  readonly authentication?: 'basic' | 'digest'
}

const realm = 'simulated city'

/** One `WWW-Authenticate` value per kind offered, the stronger last: ffmpeg takes the last it understands. */
export const challenges = (nonce: string, authentication?: Credentials['authentication']): string[] => [
  ...(authentication === 'digest' ? [] : [`Basic realm="${realm}"`]),
  ...(authentication === 'basic' ? [] : [`Digest realm="${realm}", nonce="${nonce}", algorithm=MD5`]),
]

/** RFC 2617, with and without `qop`; the nonce must be the one that this connection was given. */
export const isAuthorised = (request: RtspRequest, nonce: string, credentials: Credentials | undefined): boolean => {
  if (credentials === undefined) return true
  const { user, password, authentication } = credentials
  const given = request.header('Authorization') ?? ''
  if (/^basic /i.test(given)) {
    const expected = Buffer.from(`${user}:${password}`).toString('base64')
    return authentication !== 'digest' && isSame(given.slice(6).trim(), expected)
  }
  if (!/^digest /i.test(given) || authentication === 'basic') return false
  const field = (name: string): string => {
    const match = new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^",\\s]*))`, 'i').exec(given)
    return match?.[1] ?? match?.[2] ?? ''
  }
  const secret = md5(`${user}:${realm}:${password}`)
  const action = md5(`${request.method}:${field('uri')}`)
  const qop = field('qop')
  const middle = qop === '' ? nonce : [nonce, field('nc'), field('cnonce'), qop].join(':')
  const expected = md5(`${secret}:${middle}:${action}`)
  return field('username') === user && field('nonce') === nonce && isSame(field('response'), expected)
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

const isSame = (given: string, expected: string): boolean => {
  const [a, b] = [given, expected].map(text => createHash('sha256').update(text).digest())
  return timingSafeEqual(a!, b!)
}
