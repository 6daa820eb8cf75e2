import type { Problem } from '@watchpost/shared/contracts/primitives'

type ProblemErrors = NonNullable<Problem['errors']>

/** An answer the client can act on; the error handler writes it as RFC 9457. */
export class ProblemError extends Error {
  readonly status: number
  readonly detail: string
  readonly errors: ProblemErrors

  constructor(status: number, title: string, detail: string, errors: ProblemErrors = []) {
    super(title)
    this.name = 'ProblemError'
    this.status = status
    this.detail = detail
    this.errors = errors
  }
}

export const notFound = (what: string, id: string): ProblemError =>
  new ProblemError(404, `No such ${what}`, `There is no ${what} "${id}", or it is not in your ward.`)

export const hashMismatch = (expectedSha256: string, actualSha256: string): ProblemError =>
  new ProblemError(
    422,
    'The bytes do not have this hash',
    `Expected ${expectedSha256}, received ${actualSha256}. Nothing was stored; send the file again.`,
  )

export const problemType = 'application/problem+json; charset=utf-8'

/** `type` stays "about:blank" (RFC 9457, 4.2.1): the status and title say all there is. */
export const problemOf = (
  status: number,
  title: string,
  rest: Partial<Pick<Problem, 'detail' | 'instance' | 'errors'>> = {},
): Problem => ({ type: 'about:blank', title, status, ...rest })
