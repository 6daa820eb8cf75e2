/**
 * Collects what arrives while a commit is running and commits it together next: many concurrent appends cost one
 * fsync, a lone one is not delayed. Groups keep their order. A failed commit fails everybody in it.
 */
export const createGroupCommit = <T>(
  commit: (group: readonly T[]) => Promise<unknown>,
  maxGroup: number,
): ((item: T) => Promise<void>) => {
  interface Waiting {
    readonly item: T
    readonly resolve: () => void
    readonly reject: (error: unknown) => void
  }
  const waiting: Waiting[] = []
  let isCommitting = false

  const run = async (): Promise<void> => {
    isCommitting = true
    while (waiting.length > 0) {
      const group = waiting.splice(0, maxGroup)
      try {
        await commit(group.map(({ item }) => item))
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    isCommitting = false
  }

  return item =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!isCommitting) void run()
    })
}
