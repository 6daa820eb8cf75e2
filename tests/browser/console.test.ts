import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { missingProgram } from '../helpers/missing-program.js'
import { until } from '../helpers/server-process.js'
import { chartPixels, mapColours, overflowing, tabStops, visibleTexts } from './looks.js'
import { openSite, password, type Site } from './site.js'

const missing = missingProgram('chromium')
// WebGL without a graphics card; nothing that talks to the world by itself.
const flags =
  '--no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

let site: Site
let browser: Browser
let context: BrowserContext
let page: Page
const errors: string[] = []

/** Replies this test provokes: not signed in yet, a wrong password, somebody else was faster. */
const provoked = [/401 .*\/api\/v1\/(me|session)$/, /412 .*\/transitions$/]
const watch = (watched: Page) => {
  watched.on('pageerror', error => errors.push(String(error)))
  watched.on('console', message => {
    if (message.type() !== 'error') return
    const text = `${message.text()} ${message.location().url}`
    if (!provoked.some(pattern => pattern.test(text.replace(/^.*status of (\d+) \([^)]*\)/, '$1')))) errors.push(text)
  })
}

beforeAll(async () => {
  if (missing) return
  site = await openSite()
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags.split(' ') })
  context = await browser.newContext({ baseURL: site.url, locale: 'en-GB', viewport: { width: 1360, height: 850 } })
  context.setDefaultTimeout(40_000)
  page = await context.newPage()
  watch(page)
}, 600_000)
afterAll(async () => {
  await browser?.close()
  await site?.close()
})

const shows = (text: string | RegExp, within: string | null = null, of: Page = page) =>
  (within === null ? of.getByText(text) : of.locator(within).getByText(text)).first().waitFor()
const step = (title: string, run: (context: TestContext) => Promise<void>, timeout = 180_000) =>
  it(title, { timeout }, async testContext => {
    if (missing) testContext.skip(missing)
    await run(testContext)
  })
const submit = async (name: string, secret: string) => {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(secret)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
const flood = { camera: 'ba-trieu', happeningId: 'ba-trieu/1', kind: 'flood-level' } as const
const redLight = { camera: 'hung-vuong', happeningId: 'hung-vuong/1', kind: 'red-light' } as const
const redFor = { property: 'redFor', value: 3.9, unit: 's' }

describe('the console in a browser', () => {
  step('refuses a wrong password and lets the right one in', async () => {
    await page.goto('/')
    await submit('reviewer', 'a wrong password')
    await shows('Wrong name or password.')
    await submit('reviewer', password)
    await shows('Live', '.top')
    await shows('No open incidents.')
  })

  step('shows an incident the moment it is raised, without a reload', async () => {
    await page.evaluate(() => Object.assign(window, { untouched: true }))
    const at = await site.takePicture('ba-trieu', 'at', '#8a7355')
    const measure = { property: 'floodLevel', value: 31.7, unit: 'cm' }
    await site.measure([4, 9, 14, 20, 26, 31.7])
    await site.happen({ ...flood, phase: 'began', measure, level: 'Xe máy không qua được', evidence: [at] })
    await shows('Flooding', '.queue-list')
    const before = await site.takePicture('hung-vuong', 'before', '#445566')
    const moment = await site.takePicture('hung-vuong', 'at', '#556644')
    await site.happen({ ...redLight, phase: 'began', measure: redFor, evidence: [before, moment] })
    await shows('Red-light running', '.queue-list')
    expect(await page.evaluate(() => 'untouched' in window)).toBe(true)
  })

  step('is reviewed by keyboard: next, acknowledge, true', async () => {
    await page.keyboard.press('j')
    await page.waitForURL(/\/incidents\/.+/)
    await shows('Red-light running · Hung Vuong junction', '.incident header')
    await page.keyboard.press('a')
    await shows('New → Acknowledged', '.timeline')
    await page.keyboard.press('t')
    await shows('reviewer judged: True', '.verdicts')
    await shows('Verdict', '.timeline')
    await page.keyboard.press('j')
    await shows('Flooding · Ba Trieu street', '.incident header')
    await shows('Impassable for motorbikes', '.facts')
    await shows('31.7 cm', '.facts')
    await page.keyboard.press('k')
    await shows('Red-light running · Hung Vuong junction', '.incident header')
  })

  step('shows the picture with its box, and those that arrive later beside it', async () => {
    const isLoaded = () =>
      page.locator('.evidence .picture img').evaluate(image => (image as HTMLImageElement).naturalWidth)
    await until('the picture is loaded', async () => (await isLoaded()) === 640)
    const [picture, box] = await Promise.all([
      page.locator('.evidence .picture').boundingBox(),
      page.locator('.evidence .picture-box').boundingBox(),
    ])
    expect(((box?.x ?? 0) - (picture?.x ?? 0)) / (picture?.width ?? 1)).toBeCloseTo(0.25, 1)
    expect((box?.width ?? 0) / (picture?.width ?? 1)).toBeCloseTo(0.2, 1)
    expect(await page.locator('.strip button').count()).toBe(2)
    const after = await site.takePicture('hung-vuong', 'after', '#665544')
    await site.happen({ ...redLight, phase: 'updated', measure: redFor, evidence: [after] })
    await until('there are three', async () => (await page.locator('.strip button').count()) === 3)
    expect((await page.locator('.strip button').allInnerTexts()).map(text => text.split(' · ')[0])).toEqual([
      'before',
      'at the moment',
      'after',
    ])
    await page.locator('.strip button').last().click()
    await until('it has no box', async () => (await page.locator('.evidence .picture-box').count()) === 0)
  })

  step('names what was measured and where', async () => {
    await shows('Crossed after red for', '.facts')
    await shows('3.9 s', '.facts')
    await shows('An Cuu ward', '.facts')
  })

  step('keeps a note, and asks to whom before it hands over', async () => {
    await page.getByLabel('Note').fill('Two witnesses')
    await page.getByRole('button', { name: 'Save' }).click()
    await shows('Two witnesses', '.timeline')
    await page.getByRole('button', { name: 'Assign' }).click()
    await page.keyboard.type('Traffic police 2')
    await page.keyboard.press('Enter')
    await shows('Traffic police 2', '.facts')
    await shows('Acknowledged → Assigned', '.timeline')
  })

  step('says so when somebody else was faster', async () => {
    const colleague = await browser.newContext({ baseURL: site.url })
    await colleague.request.post('/api/v1/session', { data: { name: 'colleague', password } })
    await page.route('**/transitions', async route => {
      const { url, headers } = { url: route.request().url(), headers: route.request().headers() }
      const reply = await colleague.request.post(url, {
        data: { to: 'inProgress' },
        headers: { 'if-match': headers['if-match'] ?? '', 'idempotency-key': 'the-colleague' },
      })
      expect(reply.status()).toBe(200)
      await route.continue()
    })
    await page.getByRole('button', { name: 'Resolve' }).click()
    await shows(/Someone else changed this incident/)
    await page.unroute('**/transitions')
    await colleague.close()
    await shows('Assigned → In progress', '.timeline')
  })

  step('speaks Vietnamese and English, every word of it', async () => {
    const places = {
      incidents: '.queue-item',
      map: '.map canvas',
      cameras: '.camera',
      flood: '[role=img] canvas',
      agents: '.wall .facts',
    }
    const same = /^(Watchpost|Camera|#|·|ba-trieu|hung-vuong|an-cuu-1|stop-line|reviewer|colleague|[a-z])$/
    const alike = (text: string) =>
      same.test(text) ||
      /^[\d.,:;/ #()%+–-]*(cm|fps|s|%)?$/.test(text) ||
      /^(· )?(water-segmentation|vehicles|0\.1\.0)( 0\.1\.0)?$/.test(text)
    const untranslated: string[] = []
    for (const [place, content] of Object.entries(places)) {
      await page.locator(`.places a[href="/${place}"]`).click()
      await page.waitForURL(`**/${place}`)
      await page.locator(content).first().waitFor()
      expect(await page.locator('html').getAttribute('lang')).toBe('en')
      const english = await visibleTexts(page)
      await page.getByRole('button', { name: 'Tiếng Việt' }).click()
      await page.getByRole('button', { name: 'English' }).waitFor()
      expect(await page.locator('html').getAttribute('lang')).toBe('vi')
      const vietnamese = new Set(await visibleTexts(page))
      untranslated.push(...english.filter(text => vietnamese.has(text) && !alike(text)))
      await page.getByRole('button', { name: 'English' }).click()
      await page.getByRole('button', { name: 'Tiếng Việt' }).waitFor()
    }
    expect(untranslated).toEqual([])
  })

  step('draws the map with a pin for each place and the names of the wards', async () => {
    await page.goto('/map')
    await page.getByRole('button', { name: 'Flooding: Ba Trieu street' }).waitFor()
    // Incidents and cameras come by calls of their own.
    const pins = async (which: string) => page.locator(`.pin${which}`).count()
    await until('each place has one', async () => (await pins(':not(.camera)')) >= 2 && (await pins('.camera')) >= 2)
    expect([await pins(':not(.camera)'), await pins('.camera')]).toEqual([2, 2])
    await shows('An Cuu ward', '.map')
    await until('land, ward and river are drawn', async () => (await mapColours(page)) >= 3)
    await page.getByRole('button', { name: 'Flooding: Ba Trieu street' }).click()
    await shows('Flooding · Ba Trieu street', '.incident header')
  })

  step('shows the newest picture of each camera', async () => {
    await page.goto('/cameras')
    const pictures = page.locator('.camera img')
    await until('both are there', async () => (await pictures.count()) === 2)
    const widths = () =>
      pictures.evaluateAll(images => images.map(image => Math.sign((image as HTMLImageElement).naturalWidth)))
    await until('both are loaded', async () => (await widths()).join() === '1,1')
    await shows(/Traffic/, '.camera')
  })

  step('draws the water level and its alarm levels', async () => {
    await page.goto('/flood')
    await shows('Ba Trieu street', 'h2')
    for (const token of ['water', 'minor'])
      await until(`${token} is drawn`, async () => (await chartPixels(page, token)) > 60)
  })

  step('proves that no message of an agent is missing', async () => {
    await page.goto('/agents')
    await shows('No message is missing')
    await shows('Online', '.wall')
    await shows('water-segmentation 0.1.0', '.wall')
  })

  step('is used without a mouse, and the focus is seen', async () => {
    await page.goto('/incidents')
    await shows('Flooding', '.queue-list')
    const stops = await tabStops(page, 14)
    const names = stops.map(({ name }) => name.split('\n')[0])
    for (const name of ['Skip to content', 'Tiếng Việt', 'Sign out', 'Incidents', 'Agents', 'Open', 'All kinds'])
      expect(names).toContain(name)
    expect(stops.filter(({ visible }) => !visible)).toEqual([])
  })

  step('fits a phone: nothing scrolls sideways, the navigation is in reach', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto('/incidents')
    await shows('Flooding', '.queue-list')
    await page.locator('.queue-item').first().click()
    await page.locator('.evidence img').first().waitFor()
    expect(await overflowing(page)).toEqual([])
    await page.getByRole('link', { name: 'List' }).click()
    for (const place of ['incidents', 'map', 'cameras', 'flood', 'agents']) {
      await page.locator(`.places a[href="/${place}"]`).click()
      await page.waitForURL(`**/${place}`)
      await page.locator('.queue-item, .map canvas, .camera, [role=img] canvas, .wall .facts').first().waitFor()
      expect([place, await overflowing(page)]).toEqual([place, []])
      const last = await page.locator('.places a').last().boundingBox()
      expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual(844)
    }
    await page.setViewportSize({ width: 1360, height: 850 })
  })

  step('tells citizens the level and its age, and says unknown, never dry, when it is old', async () => {
    const citizen = await context.newPage()
    watch(citizen)
    await citizen.setViewportSize({ width: 390, height: 844 })
    // As a gauge does, until the page is there: a level is old after ten seconds.
    const gauge = setInterval(() => void site.measure([30]), 2000)
    try {
      await site.measure([30])
      await citizen.goto('/public')
      await shows('30 cm', '.hotspot', citizen)
      await shows('Impassable for motorbikes', '.hotspot', citizen)
      await shows(/Measured at .* ago\)/, '.hotspot', citizen)
      expect(await overflowing(citizen)).toEqual([])
    } finally {
      clearInterval(gauge)
    }
    await citizen.getByText('Unknown').waitFor({ timeout: 60_000 })
    expect(await citizen.getByText('30 cm').count()).toBe(0)
    expect(await citizen.getByText('The road is not flooded').count()).toBe(0)
    await citizen.close()
  })

  step('had nothing to complain about so far', async () => expect(errors).toEqual([]))

  step('keeps its lists and says so while central is away, and is live again by itself', async () => {
    await page.goto('/incidents')
    await shows('Live', '.top')
    await shows('Flooding', '.queue-list')
    await site.killCentral()
    await shows('Connection lost, trying again…', '.top')
    await shows('Flooding', '.queue-list')
    await site.startCentral()
    await page.locator('.top').getByText('Live').waitFor({ timeout: 60_000 })
    await shows('Flooding', '.queue-list')
  })
})
