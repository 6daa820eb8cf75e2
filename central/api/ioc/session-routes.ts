import rateLimit from '@fastify/rate-limit'
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { Me, SignIn } from '@watchpost/shared/api/incidents'
import { meOf, sessionCookie, setSession } from '../plugins/sign-in.js'
import { ProblemError } from '../problem.js'
import { normal, type Users } from './users.js'

interface SessionOptions {
  readonly users: Users
  readonly secureCookies: boolean
}

/** Guessing is slow from one address and against one name; people who mistype are not locked out for long. */
const tries = { max: 10, timeWindow: 60_000, cache: 10_000 } as const

export const sessionRoutes: FastifyPluginAsyncTypebox<SessionOptions> = async (app, { users, secureCookies }) => {
  await app.register(rateLimit, { global: false })
  const limits = [
    app.createRateLimit(tries),
    app.createRateLimit({ ...tries, keyGenerator: request => normal((request.body as SignIn).name) }),
  ]
  const schema = { tags: ['session'], response: { 200: Me } }

  app.post(
    '/session',
    { config: { roles: 'anybody' }, schema: { ...schema, summary: 'Sign in', body: SignIn } },
    async (request, reply) => {
      const { name, password } = request.body
      const taken = await Promise.all(limits.map(limit => limit(request)))
      const waitSeconds = Math.max(
        ...taken.map(limit => (!limit.isAllowed && limit.isExceeded ? limit.ttlInSeconds : 0)),
      )
      if (waitSeconds > 0) {
        reply.header('retry-after', waitSeconds)
        throw new ProblemError(429, 'Too many sign-ins', `Wait ${waitSeconds} seconds.`)
      }
      const signedIn = await users.signIn(name, password)
      if (!signedIn) {
        request.log.warn({ name, address: request.ip }, 'Sign-in was refused')
        throw new ProblemError(401, 'Wrong name or password', 'Ask an administrator for a new password if it is lost.')
      }
      setSession(reply, signedIn.sessionToken, { secure: secureCookies })
      return signedIn.me
    },
  )

  app.delete(
    '/session',
    {
      config: { roles: 'anybody' },
      schema: { tags: ['session'], summary: 'Sign out', response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const token = request.cookies[sessionCookie]
      if (token !== undefined) await users.signOut(token)
      setSession(reply, null, { secure: secureCookies })
      reply.code(204)
      return null
    },
  )

  for (const path of ['/me', '/session']) {
    app.get(path, { schema: { ...schema, summary: 'Who is signed in' } }, async request => meOf(request))
  }
}
