import type { Page } from 'playwright-core'
import sharp from 'sharp'

/** Every visible text of the page, piece by piece. */
export const visibleTexts = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const texts: string[] = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const text = walker.currentNode.textContent?.trim() ?? ''
      const parent = walker.currentNode.parentElement
      const shown = parent?.closest('select') ?? parent
      if (text !== '' && shown?.checkVisibility()) texts.push(text)
    }
    return texts
  })

/** Things of the page that reach beyond its right edge; a map's own canvas is clipped and does not count. */
export const overflowing = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const wide = [document.documentElement, ...document.querySelectorAll('main, .queue, .queue-detail, .page')].filter(
      element => element.scrollWidth > element.clientWidth + 1,
    )
    return wide.map(element => `${element.tagName}.${element.className}: ${element.scrollWidth} px`)
  })

/** Colours of at least a three-hundredth of the map's area, without what lies over it. */
export const mapColours = async (page: Page): Promise<number> => {
  const style = '.maplibregl-marker, .map-list, .maplibregl-control-container { visibility: hidden !important }'
  const shot = await page.locator('.map canvas').screenshot({ style })
  const { data, info } = await sharp(shot).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const counts = new Map<number, number>()
  for (let at = 0; at < data.length; at += 3) {
    const colour = data.readUIntBE(at, 3)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  return [...counts.values()].filter(count => count > (info.width * info.height) / 300).length
}

/** How many pixels of the chart are about the colour of a design token. */
export const chartPixels = (page: Page, token: string): Promise<number> =>
  page.evaluate(name => {
    const canvas = document.querySelector<HTMLCanvasElement>('[role=img] canvas')
    const context = canvas?.getContext('2d')
    if (!canvas || !context) return 0
    const hex = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
    const wanted = [1, 3, 5].map(at => Number.parseInt(hex.slice(at, at + 2), 16))
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
    let found = 0
    for (let at = 0; at < data.length; at += 4) {
      const off = wanted.reduce((sum, value, channel) => sum + Math.abs(value - (data[at + channel] ?? 0)), 0)
      if (off < 60 && (data[at + 3] ?? 0) > 128) found++
    }
    return found
  }, token)

/** Walks through the page with the Tab key: what gets the focus, and whether one can see that it has it. */
export const tabStops = async (page: Page, count: number): Promise<{ name: string; visible: boolean }[]> => {
  const stops: { name: string; visible: boolean }[] = []
  for (let index = 0; index < count; index++) {
    await page.keyboard.press('Tab')
    const stop = await page.evaluate(() => {
      const element = document.activeElement
      if (!(element instanceof HTMLElement) || element === document.body) return undefined
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const name = element.getAttribute('aria-label') ?? element.innerText ?? ''
      return { name: name.trim(), visible: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 }
    })
    if (stop) stops.push(stop)
  }
  return stops
}
