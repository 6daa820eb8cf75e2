import { initial } from './001-initial.js'

/** In order; `user_version` of the database is how many of them it has had. Never changed once released. */
export const migrations: readonly string[] = [initial]
