export interface FailureCount {
  /** Runs the work; a failure is counted by its reason, logged when it is new, and goes no further. */
  guard(subject: Readonly<Record<string, string>>, work: () => Promise<void>): Promise<void>
  /** Frames lost this way, by reason. */
  of(cameraId: string): Readonly<Record<string, number>>
}

export interface FailureLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Frames that could not be judged: counted each, logged once per change of reason, so that a dead worker is no flood of lines. */
export const createFailureCount = (log: FailureLog): FailureCount => {
  const counts = new Map<string, Record<string, number>>()
  const current = new Map<string, string>()
  return {
    async guard(subject, work) {
      const key = Object.values(subject).join('/')
      try {
        await work()
        if (current.delete(key)) log.info(subject, 'Frames are analysed again')
      } catch (error) {
        const reason = String((error as { reason?: unknown }).reason ?? 'analysis-failed')
        const cameraId = subject.cameraId ?? ''
        const ofCamera = counts.get(cameraId) ?? {}
        counts.set(cameraId, { ...ofCamera, [reason]: (ofCamera[reason] ?? 0) + 1 })
        if (current.get(key) === reason) return
        current.set(key, reason)
        log.warn({ ...subject, reason, err: error }, 'Frames cannot be analysed')
      }
    },
    of: cameraId => ({ ...counts.get(cameraId) }),
  }
}
