import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingProgram } from '../helpers/missing-program.js'
import { until } from '../helpers/server-process.js'
import { overflowing, visibleTexts } from './looks.js'
import { openSite, password, type Site } from './site.js'

const missing = missingProgram('chromium')
const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

let site: Site
let browser: Browser
let context: BrowserContext
let page: Page
const errors: string[] = []

beforeAll(async () => {
  if (missing) return
  site = await openSite()
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags.split(' ') })
  const options = { baseURL: site.url, locale: 'en-GB', viewport: { width: 1360, height: 1000 }, hasTouch: true }
  context = await browser.newContext(options)
  context.setDefaultTimeout(40_000)
  await signIn(context, 'reviewer')
  page = await context.newPage()
  page.on('pageerror', error => errors.push(String(error)))
  for (const [index, camera] of (['hung-vuong', 'ba-trieu'] as const).entries()) {
    const before = await site.takePicture(camera, 'before', '#334455')
    const at = await site.takePicture(camera, 'at', index === 0 ? '#556644' : '#445566')
    const kind = index === 0 ? 'red-light' : 'flood-level'
    const measure = { property: 'redFor', value: 3.9, unit: 's' }
    await site.happen({ camera, happeningId: camera, kind, phase: 'began', measure, evidence: [before, at] })
  }
}, 600_000)
afterAll(async () => {
  await browser?.close()
  await site?.close()
})

const step = (title: string, run: () => Promise<void>) =>
  it(title, { timeout: 240_000 }, async test => {
    if (missing) test.skip(missing)
    await run()
  })
const signIn = (who: BrowserContext, name: string) => who.request.post('/api/v1/session', { data: { name, password } })
const boxes = () => page.locator('button.picture-box')
const open = async (title: string): Promise<void> => {
  await page.goto('/incidents')
  await page.locator('.queue-item').filter({ hasText: title }).click()
  await page.locator('.evidence img').first().waitFor()
}

/** The only label there may be of this camera, as an engineer takes it out. */
const exported = async (camera: string) => {
  const engineer = await browser.newContext({ baseURL: site.url })
  await signIn(engineer, 'engineer')
  const reply = await engineer.request.get(`/api/v1/labels/export?images=none&camera=${camera}`)
  const { images, annotations, categories } = await reply.json()
  await engineer.close()
  const nameOf = (id: number) => categories.find((item: { id: number }) => item.id === id).name
  return {
    images,
    boxes: annotations.map(
      ({ category_id, bbox, source }: { category_id: number; bbox: number[]; source: string }) => ({
        label: nameOf(category_id),
        bbox,
        source,
      }),
    ),
  }
}

describe('correcting boxes in a browser', () => {
  step('draws one with the mouse, names it, and finds it in the export', async () => {
    await open('Red-light running')
    await page.keyboard.press('b')
    const surface = page.getByRole('application', { name: 'Boxes in the picture' })
    const { x, y, width, height } = (await surface.boundingBox())!
    await page.mouse.move(x + 0.6 * width, y + 0.1 * height)
    await page.mouse.down()
    await page.mouse.move(x + 0.7 * width, y + 0.2 * height, { steps: 3 })
    await page.mouse.move(x + 0.85 * width, y + 0.4 * height, { steps: 3 })
    await page.mouse.up()
    expect(await boxes().count()).toBe(2)
    // A press without a drag draws nothing.
    await page.mouse.click(x + 0.05 * width, y + 0.9 * height)
    expect(await boxes().count()).toBe(2)
    await page.getByLabel('Box 2: what is it?').selectOption('motorcycle')
    await page.getByRole('button', { name: 'Remove box 1' }).click()
    await page.getByRole('button', { name: /^True/ }).click()
    await page.getByText('Boxes as corrected by reviewer').waitFor()
    expect(await page.locator('.picture-box.reviewed').count()).toBe(1)
    const { images, boxes: found } = await exported('hung-vuong')
    expect(images).toMatchObject([{ width: 640, height: 360, hardNegative: false }])
    expect(found).toMatchObject([{ label: 'motorcycle', source: 'reviewer' }])
    for (const [index, wanted] of [384, 36, 160, 108].entries())
      expect(Math.abs(found[0].bbox[index] - wanted)).toBeLessThan(4)
  })

  step('moves and resizes it with the mouse, and saves it under the same verdict', async () => {
    await page.getByRole('button', { name: 'Correct boxes' }).click()
    const before = (await boxes().first().boundingBox())!
    await page.mouse.move(before.x + before.width / 2, before.y + before.height / 2)
    await page.mouse.down()
    await page.mouse.move(before.x + before.width / 2 - 100, before.y + before.height / 2 + 50, { steps: 4 })
    await page.mouse.up()
    const moved = (await boxes().first().boundingBox())!
    expect([moved.x - before.x, moved.y - before.y].map(Math.round)).toEqual([-100, 50])
    expect(Math.round(moved.width - before.width)).toBe(0)
    await page.mouse.move(moved.x + moved.width - 1, moved.y + moved.height - 1)
    await page.mouse.down()
    await page.mouse.move(moved.x + moved.width + 59, moved.y + moved.height + 29, { steps: 4 })
    await page.mouse.up()
    const grown = (await boxes().first().boundingBox())!
    expect(Math.abs(grown.width - moved.width - 60)).toBeLessThan(3)
    expect(Math.abs(grown.height - moved.height - 30)).toBeLessThan(3)
    await page.getByRole('button', { name: 'Save boxes' }).click()
    await page.getByRole('button', { name: 'Correct boxes' }).waitFor()
    const { boxes: found } = await exported('hung-vuong')
    expect(found).toHaveLength(1)
    expect(found[0].bbox[2]).toBeGreaterThan(190)
  })

  step('draws, moves, resizes and names one by keyboard alone, and it is in the export', async () => {
    await open('Flooding')
    await page.keyboard.press('b')
    const keys = ['Delete', 'n', 'ArrowLeft', 'ArrowLeft', 'ArrowDown', 'Shift+ArrowRight', 'Control+Shift+ArrowUp']
    for (const key of keys) await page.keyboard.press(key)
    let judged = 0
    page.on('response', reply => {
      if (reply.url().endsWith('/verdict')) judged++
    })
    const box = page.getByRole('button', { name: /Box 1: water; left 36 %, top 42 %, 22 % wide, 20 % high/ })
    await box.waitFor()
    expect(await box.evaluate(element => element === document.activeElement)).toBe(true)
    expect(page.url()).toContain('/incidents/')
    // Held a little too long, and pressed again.
    for (const key of ['t', 't']) await page.keyboard.down(key)
    await page.keyboard.up('t')
    await page.getByText('Boxes as corrected by reviewer').waitFor()
    expect(judged).toBe(1)
    await page.keyboard.press('t')
    await until('it is judged again', async () => judged === 2)
    const { boxes: found } = await exported('ba-trieu')
    expect(found).toEqual([{ label: 'water', source: 'reviewer', bbox: [230.4, 151.2, 140.8, 71.28] }])
  })

  step('leaves everything as it was when it is discarded, and with Escape', async () => {
    await page.keyboard.press('b')
    for (const key of ['Delete', 'Escape']) await page.keyboard.press(key)
    await page.getByRole('button', { name: 'Correct boxes' }).waitFor()
    expect(await page.locator('.picture-box.reviewed').count()).toBe(1)
    await page.getByRole('button', { name: 'Correct boxes' }).click()
    await page.keyboard.press('n')
    await page.getByRole('button', { name: 'Discard' }).click()
    expect(await page.locator('.picture-box.reviewed').count()).toBe(1)
  })

  step('is done with a finger on a phone, where nothing scrolls sideways', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.getByRole('button', { name: 'Correct boxes' }).click()
    const surface = page.getByRole('application')
    await surface.scrollIntoViewIfNeeded()
    const { x, y, width, height } = (await surface.boundingBox())!
    const cdp = await context.newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', at?: [number, number]) =>
      cdp.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: at ? [{ x: x + at[0] * width, y: y + at[1] * height }] : [],
      })
    await touch('touchStart', [0.7, 0.1])
    for (const at of [0.2, 0.3, 0.4]) await touch('touchMove', [0.7 + at / 2, at])
    await touch('touchEnd')
    await until('it is drawn', async () => (await boxes().count()) === 2)
    expect(await overflowing(page)).toEqual([])
    await page.getByRole('button', { name: 'Save boxes' }).click()
    await page.getByRole('button', { name: 'Correct boxes' }).waitFor()
    expect((await exported('ba-trieu')).boxes).toHaveLength(2)
    await page.setViewportSize({ width: 1360, height: 1000 })
  })
})

describe('precision in a browser', () => {
  step('shows a row per camera and model, its interval, and leads to the incidents behind a count', async () => {
    await open('Flooding')
    await page.keyboard.press('f')
    await page.getByText('reviewer judged: False alarm').waitFor()
    await page.locator('.places a[href="/precision"]').click()
    const rows = page.locator('.precision-table tbody tr')
    await until('both are there', async () => (await rows.count()) === 2)
    // The cameras' names come by a call of their own.
    await rows.getByText('Ba Trieu street').waitFor()
    expect(await rows.allInnerTexts()).toMatchObject([
      expect.stringMatching(/Ba Trieu street\s+Flooding\s+water-segmentation 0.1.0\s+0 %\s+0–79 %/),
      expect.stringMatching(/Hung Vuong junction\s+Red-light running\s+vehicles 0.1.0\s+100 %\s+21–100 %/),
    ])
    await page.getByRole('button', { name: 'Camera', exact: true }).click()
    await page.getByRole('button', { name: /^Camera/ }).click()
    expect(await rows.first().innerText()).toContain('Hung Vuong junction')
    await page.getByLabel('Camera').selectOption('ba-trieu')
    expect(await rows.count()).toBe(1)
    await page.getByRole('link', { name: 'False alarms: 1, show the happenings' }).click()
    await page.getByRole('heading', { name: /The judged happenings · Ba Trieu street/ }).waitFor()
    await page.getByRole('link', { name: 'Open the incident' }).click()
    await page.getByText('Flooding · Ba Trieu street').first().waitFor()
    await page.goBack()
    await page.getByRole('link', { name: 'Open the incident' }).waitFor()
    expect(await page.getByRole('link', { name: 'Download labels' }).count()).toBe(0)
  })

  step('offers the labels behind it to an engineer, as the filter says', async () => {
    const engineer = await browser.newContext({ baseURL: site.url, locale: 'en-GB' })
    await signIn(engineer, 'engineer')
    const other = await engineer.newPage()
    await other.goto('/precision?onlyKind=red-light')
    const link = other.getByRole('link', { name: 'Download labels (COCO)' })
    expect(await link.getAttribute('href')).toBe('/api/v1/labels/export?format=coco&kind=red-light')
    const [download] = await Promise.all([other.waitForEvent('download'), link.click()])
    expect(download.suggestedFilename()).toBe('watchpost-labels-coco.tar')
    await download.path()
    await engineer.close()
  })

  step('speaks both languages and fits a phone', async () => {
    const alike = /^(Camera|[\d.,:;/ #()%+–·↑↓-]+|(water-segmentation|vehicles) .*|[a-z]|Watchpost)$/
    await page.goto('/precision?camera=ba-trieu&kind=flood-level&verdict=false')
    await page.getByRole('link', { name: 'Open the incident' }).waitFor()
    const english = await visibleTexts(page)
    await page.getByRole('button', { name: 'Tiếng Việt' }).click()
    await page.getByRole('heading', { name: 'Độ chính xác của mô hình' }).waitFor()
    const vietnamese = new Set(await visibleTexts(page))
    expect(english.filter(text => vietnamese.has(text) && !alike.test(text))).toEqual([])
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await overflowing(page)).toEqual([])
  })

  step('had nothing to complain about', async () => expect(errors).toEqual([]))
})
