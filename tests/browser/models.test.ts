import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ShadowReport, shadowReportExample } from '@watchpost/shared/contracts/shadow-report'
import { type Reported, reportedExample } from '@watchpost/shared/contracts/twin'
import { archiveOf } from '@watchpost/shared/manifest/package-archive'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gridManifest } from '../edge/inference/packages.js'
import { missingProgram } from '../helpers/missing-program.js'
import { until } from '../helpers/server-process.js'
import { overflowing } from './looks.js'
import { openSite, password, type Site } from './site.js'

const missing = missingProgram('chromium')
const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

let site: Site
let browser: Browser
let page: Page
const errors: string[] = []
const folder = mkdtempSync(join(tmpdir(), 'browser-models-'))

beforeAll(async () => {
  if (missing) return
  site = await openSite(['an-cuu-2', 'an-cuu-3'])
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags.split(' ') })
  const context = await browser.newContext({
    baseURL: site.url,
    locale: 'en-GB',
    viewport: { width: 1360, height: 900 },
  })
  context.setDefaultTimeout(40_000)
  page = await context.newPage()
  page.on('pageerror', error => errors.push(String(error)))
}, 600_000)
afterAll(async () => {
  await browser?.close()
  await site?.close()
  rmSync(folder, { recursive: true, force: true })
})

const weights = 'weights of a new model'
const manifest = JSON.stringify(gridManifest(weights, { id: 'water-segmentation', version: '0.3.0' }))
const archive = archiveOf([
  { path: 'manifest.json', bytes: new TextEncoder().encode(manifest) },
  { path: 'model.onnx', bytes: new TextEncoder().encode(weights) },
])
const digest = createHash('sha256').update(archive).digest('hex')

type Standing = Partial<Reported['models'][number]>
type Candidate = NonNullable<Standing['candidate']>
/** As an agent that runs the model at one camera and follows what central wants. */
const report = (standing: Standing, agentId?: string): Promise<void> => {
  const content = {
    ...reportedExample,
    at: new Date().toISOString(),
    cameras: [
      {
        cameraId: 'ba-trieu',
        name: 'Bà Triệu',
        analytics: [{ id: 'flood', kind: 'flood-level', model: 'water-segmentation' }],
      },
    ],
    models: [{ ...reportedExample.models[0]!, slot: 'water-segmentation', digest: null, ...standing }],
  }
  return site.say('reported', content, agentId)
}
const shown = (text: string | RegExp) => page.getByText(text).first().waitFor()
const desired = async (agentId = 'an-cuu-1'): Promise<{ models?: { mode: string; digest?: string }[] }> =>
  page.evaluate(async id => (await fetch(`/api/v1/agents/${id}/desired`)).json(), agentId)

describe('the page of models', () => {
  it('takes a model from its package to shadow, promotion and back', { timeout: 300_000 }, async context => {
    if (missing) return context.skip(missing)
    await report({})
    await page.goto('/')
    await page.getByLabel('User name').fill('engineer')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: 'Models' }).click()
    await shown('Bà Triệu')

    writeFileSync(join(folder, 'water-segmentation-0.3.0.wpm'), archive)
    await page.getByLabel('Upload a package').setInputFiles(join(folder, 'water-segmentation-0.3.0.wpm'))
    await shown('water-segmentation 0.3.0 is here.')
    await page.getByRole('button', { name: 'Run in shadow' }).click()
    await until('central wants the shadow run', async () => (await desired()).models?.[0]?.mode === 'shadow')
    expect((await desired()).models).toMatchObject([{ id: 'water-segmentation', digest, cpuShare: 0.25 }])

    const picture = await site.takePicture('ba-trieu', 'disagreement', '#5d7285')
    const candidate = { digest, version: '0.3.0', phase: 'shadowing' as const, cameras: null, cpuShare: 0.25 }
    await report({ candidate })
    const shadow: ShadowReport = {
      ...shadowReportExample,
      model: 'water-segmentation',
      candidate: { ...shadowReportExample.candidate, id: 'water-segmentation', version: '0.3.0', digest },
      disagreements: [{ ...shadowReportExample.disagreements[0]!, cameraId: 'ba-trieu', thumbnail: picture.sha256 }],
    }
    await site.say('shadow', { at: new Date().toISOString(), reports: [shadow] })
    await shown('91.0 %')
    await shown('In shadow')
    await page.locator('.disagreements img').first().scrollIntoViewIfNeeded()
    await page.waitForFunction(
      () => (document.querySelector('.disagreements img') as HTMLImageElement)?.naturalWidth > 0,
    )
    if (process.env.SCREENSHOTS)
      await page.screenshot({ path: join(process.env.SCREENSHOTS, 'models.png'), fullPage: true })

    // An agent that failed and one that fetches have shown nothing: they are named and left alone.
    const others = { candidate: { ...candidate, phase: 'failed', problem: 'Its golden answer is wrong.' } as Candidate }
    await report(others, 'an-cuu-2')
    await report({ candidate: { ...candidate, phase: 'downloading', receivedBytes: 1_500_000 } }, 'an-cuu-3')
    await shown('Its golden answer is wrong.')
    await page.getByRole('button', { name: 'Stop 0.3.0 on 3 agents' }).waitFor()

    // By keyboard: the question takes the focus, so Enter twice is enough, and Tab leads away from it.
    await page.getByRole('button', { name: 'Promote 0.3.0 on 1 agents' }).focus()
    await page.keyboard.press('Enter')
    await shown('0.3.0 takes over on 1 agents.')
    await shown('Not on an-cuu-2 (Given up), an-cuu-3 (Fetching): not in shadow there.')
    if (process.env.SCREENSHOTS)
      await page.screenshot({ path: join(process.env.SCREENSHOTS, 'models-promote.png'), fullPage: true })
    await page.keyboard.press('Enter')
    await until('central wants it active', async () => (await desired()).models?.[0]?.mode === 'active')
    expect([await desired('an-cuu-2'), await desired('an-cuu-3')]).toMatchObject([{ status: 404 }, { status: 404 }])

    // Whatever a candidate is at, it can be stopped beside its agent.
    for (const agentId of ['an-cuu-2', 'an-cuu-3']) {
      await page
        .locator('.model-agent', { hasText: agentId })
        .getByRole('button', { name: 'Stop the candidate' })
        .focus()
      await page.keyboard.press('Enter')
      await until('central wants what runs', async () => (await desired(agentId)).models?.[0]?.mode === 'configured')
      await report({ candidate: null }, agentId)
    }
    await page.getByText('Its golden answer is wrong.').waitFor({ state: 'detached' })
    const last = { at: new Date().toISOString(), what: 'promoted' as const, digest, reason: 'It took over.' }
    await report({ version: '0.3.0', digest, previous: { digest: null }, last })
    await shown('It took over.')
    await page.getByRole('button', { name: 'Roll back' }).click()
    await page.getByRole('button', { name: 'Yes, do it' }).click()
    await until('central wants the one before', async () => (await desired()).models?.[0]?.mode === 'configured')

    await page.setViewportSize({ width: 390, height: 800 })
    expect(await overflowing(page)).toEqual([])
    if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, 'models-phone.png') })
    await page.getByRole('button', { name: 'Tiếng Việt' }).click()
    await shown('Báo cáo chạy thử song song')
    await report({ candidate })
    await report(others, 'an-cuu-2')
    await page.getByRole('button', { name: 'Đưa 0.3.0 vào dùng tại 1 trạm' }).click()
    await shown('Không áp dụng tại an-cuu-2 (Đã bỏ): hiện không chạy thử song song.')
    expect(await page.getByRole('button', { name: 'Dừng ứng viên' }).count()).toBe(2)
    expect(await overflowing(page)).toEqual([])
    if (process.env.SCREENSHOTS)
      await page.screenshot({ path: join(process.env.SCREENSHOTS, 'models-vi.png'), fullPage: true })
    const asked = page.waitForRequest(request => request.url().endsWith('/rollout'))
    await page.getByRole('button', { name: 'Dừng 0.3.0 tại 2 trạm' }).click()
    expect((await asked).postDataJSON()).toEqual({ mode: 'stop', agents: ['an-cuu-1', 'an-cuu-2'] })
    expect(errors).toEqual([])
  })
})
