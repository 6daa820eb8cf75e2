import cookie from '@fastify/cookie'
import type { Me, Role } from '@watchpost/shared/api/incidents'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Users } from '../ioc/users.js'
import { ProblemError } from '../problem.js'

export const sessionCookie = 'watchpost_session'

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on routes that need no sign-in. */
    me: Me | null
  }
  interface FastifyContextConfig {
    /** Who may call the route; 'nobody' needs no sign-in. Without it: everybody who is signed in. */
    roles?: readonly Role[] | 'anybody'
  }
}

export const reviewers: readonly Role[] = ['reviewer', 'engineer', 'admin']
export const caseWorkers: readonly Role[] = [...reviewers, 'wardOfficer']
/** Everybody of the centre: ward officers see their ward only. */
export const centreStaff: readonly Role[] = ['viewer', ...reviewers]
export const engineers: readonly Role[] = ['engineer', 'admin']

/** The signed-in person of a route that requires one. */
export const meOf = (request: FastifyRequest): Me => {
  if (!request.me) throw new ProblemError(401, 'Not signed in', 'Sign in first.')
  return request.me
}

export const addSignIn = async (app: FastifyInstance, users: Users): Promise<void> => {
  await app.register(cookie)
  app.decorateRequest('me', null)
  app.addHook('onRequest', async request => {
    const { roles } = request.routeOptions.config
    if (roles === 'anybody') return
    request.me = (await identify(request, users)) ?? null
    const me = meOf(request)
    if (!roles || roles.includes(me.role)) return
    throw new ProblemError(403, 'Not allowed', `A ${me.role} may not do this; it takes one of: ${roles.join(', ')}.`)
  })
}

const identify = async (request: FastifyRequest, users: Users): Promise<Me | undefined> => {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return users.byApiToken(bearer)
  const session = request.cookies[sessionCookie]
  return session === undefined ? undefined : users.bySession(session)
}

/** SameSite=Strict: no other site can make a signed-in browser send anything, so no further token is needed. */
export const setSession = (
  reply: FastifyReply,
  token: string | null,
  { secure }: { readonly secure: boolean },
): void => {
  const options = { path: '/', httpOnly: true, sameSite: 'strict', secure } as const
  if (token === null) reply.clearCookie(sessionCookie, options)
  else reply.setCookie(sessionCookie, token, options)
}
