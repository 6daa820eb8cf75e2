import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Central, problemOf, startCentral } from './harness.js'

let central: Central
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'console-'))
  mkdirSync(join(directory, 'assets'))
  writeFileSync(join(directory, 'index.html'), 'operators')
  writeFileSync(join(directory, 'public.html'), 'citizens')
  writeFileSync(join(directory, 'assets', 'main-4f3c.js'), 'export {}')
  writeFileSync(join(directory, 'icon.svg'), '<svg/>')
  central = await startCentral({ consoleDir: directory, map: { styleUrl: 'https://tiles.example/style.json' } })
})
afterAll(async () => {
  await central.stop()
  rmSync(directory, { recursive: true })
})
const get = (url: string) => central.app.inject({ method: 'GET', url })

describe('the console', () => {
  it.each([
    ['/', 'operators'],
    ['/incidents/e1?tab=timeline', 'operators'],
    ['/cameras', 'operators'],
    ['/public', 'citizens'],
    ['/public/le-loi', 'citizens'],
    ['/publications', 'operators'],
  ])('serves %s with the page of the %s', async (url, body) => {
    const reply = await get(url)
    expect([reply.statusCode, reply.body]).toEqual([200, body])
    expect(reply.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' })
  })

  it('serves hashed files for ever and others to be checked', async () => {
    expect((await get('/assets/main-4f3c.js')).headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': expect.stringContaining('javascript'),
    })
    expect((await get('/icon.svg')).headers['cache-control']).toBe('no-cache')
  })

  it.each(['/assets/gone.js', '/gone.png', '/api/v1/gone', '/api/gone', '/public/v1/gone', '/ingest/gone'])(
    'never answers %s with a page',
    async url => {
      expect(problemOf(await get(url))).toMatchObject({
        status: 404,
        mediaType: 'application/problem+json; charset=utf-8',
      })
    },
  )

  it('lets the map work and nothing foreign run', async () => {
    const policy = String((await get('/')).headers['content-security-policy'])
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("worker-src 'self' blob:")
    expect(policy).toContain("img-src 'self' data: blob: https://tiles.example")
    expect(policy).toContain("connect-src 'self' https://tiles.example")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('upgrade-insecure-requests')
    expect((await get('/')).headers['strict-transport-security']).toBeUndefined()
  })

  it('asks for HTTPS and secure cookies when it is told to', async () => {
    const secure = await startCentral({ http: { trustProxy: false, secureCookies: true }, consoleDir: directory })
    const page = await secure.app.inject({ method: 'GET', url: '/' })
    expect(page.headers['strict-transport-security']).toContain('max-age=')
    await secure.users.add({ name: 'lan', role: 'viewer', wardId: null, password: 'a long password' })
    const reply = await secure.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: { name: 'lan', password: 'a long password' },
    })
    expect(reply.headers['set-cookie']).toContain('Secure')
    await secure.stop()
  })
})
