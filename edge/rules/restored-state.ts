/** Raised whenever the stored form changes; an older form is not taken over. */
const stateVersion = 1

export interface Restored<T> {
  /** Open happenings, or none. */
  readonly open: readonly T[]
  readonly problem: string | null
}

export const storedState = <T>(open: readonly T[]): unknown => ({ version: stateVersion, open })

/**
 * Reads what `storedState` wrote. A state that cannot be read must not keep a camera from starting: it is left out and the
 * problem told, so that the agent can log it.
 */
export const readState = <T>(restored: unknown, isOpen: (value: unknown) => value is T): Restored<T> => {
  if (restored === undefined || restored === null) return { open: [], problem: null }
  if (!isRecord(restored) || restored.version !== stateVersion || !Array.isArray(restored.open))
    return { open: [], problem: `the stored state is not of version ${stateVersion}; open happenings start anew` }
  const open = restored.open.filter(isOpen)
  const lost = restored.open.length - open.length
  return { open, problem: lost > 0 ? `${lost} of ${restored.open.length} stored happenings cannot be read` : null }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** True when the value has all these members with these types. */
export const hasShape = (value: unknown, shape: Readonly<Record<string, 'string' | 'number' | 'boolean'>>): boolean =>
  isRecord(value) && Object.entries(shape).every(([name, type]) => typeof value[name] === type)
