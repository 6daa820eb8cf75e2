import { parseTopic, replyTopic, topicOf } from '@watchpost/shared/topics'
import { describe, expect, it } from 'vitest'

const address = { siteId: 'an-cuu', agentId: 'an-cuu-1' }

describe('topics', () => {
  it('parses what it builds', () => {
    expect(parseTopic(topicOf(address, 'data'))).toEqual({ ...address, channel: 'data' })
    expect(parseTopic(replyTopic(address, 'snapshot'))).toEqual({ ...address, channel: 'reply', command: 'snapshot' })
  })

  it.each([
    'watchpost/v2/a/b/data',
    'watchpost/v1/A/b/data',
    'watchpost/v1/a/b/unknown',
    'watchpost/v1/a/b/data/more',
    'watchpost/v1/a/b/command/snapshot/other',
    'watchpost/v1/a//data',
    '',
  ])('refuses %j', topic => {
    expect(parseTopic(topic)).toBeUndefined()
  })
})
