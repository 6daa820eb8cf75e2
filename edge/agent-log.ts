import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/** Lines for people on a terminal, JSON for everything else; on stderr, as stdout belongs to results. */
export const createLog = (level: string): Logger => {
  const name = 'watchpost-edge'
  if (process.stderr.isTTY)
    return pino(
      { name, level },
      pretty({ destination: 2, sync: true, ignore: 'pid,hostname,name', translateTime: 'SYS:HH:MM:ss' }),
    )
  return pino({ name, level }, pino.destination({ fd: 2, sync: true }))
}
