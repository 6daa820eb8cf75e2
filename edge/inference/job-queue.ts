/** Waiting jobs, taken in turn from each model: a model with many cameras does not starve the others. */
export interface JobQueue<T> {
  readonly size: number
  waiting(modelId: string): number
  /** False when the queue is full; the job is then not in it. */
  offer(modelId: string, job: T): boolean
  take(): T | undefined
  /** Empties the queue. */
  drain(): readonly T[]
}

export const createJobQueue = <T>(limit: number): JobQueue<T> => {
  // A Map keeps its order: the model served last goes to the end.
  const lines = new Map<string, T[]>()
  let size = 0
  return {
    get size() {
      return size
    },
    waiting: modelId => lines.get(modelId)?.length ?? 0,
    offer(modelId, job) {
      if (size >= limit) return false
      const line = lines.get(modelId)
      if (line) line.push(job)
      else lines.set(modelId, [job])
      size++
      return true
    },
    take() {
      const [next] = lines
      if (!next) return undefined
      const [modelId, line] = next
      const job = line.shift()
      lines.delete(modelId)
      if (line.length > 0) lines.set(modelId, line)
      size--
      return job
    },
    drain() {
      const jobs = [...lines.values()].flat()
      lines.clear()
      size = 0
      return jobs
    },
  }
}
