import { describe, expect, it } from 'vitest'
import { createJobQueue } from '../../../edge/inference/job-queue.js'

const takeAll = (queue: { take(): string | undefined }): readonly string[] => {
  const taken: string[] = []
  for (let job = queue.take(); job !== undefined; job = queue.take()) taken.push(job)
  return taken
}

describe('job queue', () => {
  it('takes from each model in turn, so that one with many cameras does not starve the others', () => {
    const queue = createJobQueue<string>(10)
    for (const job of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.offer(job[0]!, job)
    expect(takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  it('keeps the order within a model, also when jobs come in meanwhile', () => {
    const queue = createJobQueue<string>(10)
    queue.offer('a', 'a1')
    queue.offer('a', 'a2')
    expect(queue.take()).toBe('a1')
    queue.offer('b', 'b1')
    queue.offer('a', 'a3')
    expect(takeAll(queue)).toEqual(['a2', 'b1', 'a3'])
  })

  it('refuses a job beyond its limit and counts what waits', () => {
    const queue = createJobQueue<string>(2)
    expect([queue.offer('a', 'a1'), queue.offer('b', 'b1'), queue.offer('a', 'a2')]).toEqual([true, true, false])
    expect([queue.size, queue.waiting('a'), queue.waiting('b'), queue.waiting('c')]).toEqual([2, 1, 1, 0])
    expect(queue.drain()).toEqual(['a1', 'b1'])
    expect([queue.size, queue.take()]).toEqual([0, undefined])
  })
})
