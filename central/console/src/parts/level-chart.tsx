import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export interface ChartLevel {
  readonly name: string
  readonly cm: number
  readonly severity: string
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

/** Draws each alarm level as a dashed line with its name. */
const drawLevels =
  (levels: readonly ChartLevel[]) =>
  (plot: uPlot): void => {
    const { ctx, bbox } = plot
    ctx.save()
    ctx.font = `${12 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
    ctx.lineWidth = 1.5 * devicePixelRatio
    ctx.textAlign = 'left'
    ctx.textBaseline = 'alphabetic'
    for (const level of levels) {
      const y = plot.valToPos(level.cm, 'y', true)
      if (y < bbox.top || y > bbox.top + bbox.height) continue
      ctx.strokeStyle = ctx.fillStyle = colour(level.severity)
      ctx.beginPath()
      ctx.moveTo(bbox.left, y)
      ctx.lineTo(bbox.left + bbox.width, y)
      ctx.stroke()
      ctx.fillText(`${level.name} · ${level.cm} cm`, bbox.left + 6 * devicePixelRatio, y - 5 * devicePixelRatio)
    }
    ctx.restore()
  }

/** Level in cm over time, with alarm levels. `values` ascending by `at` (Unix seconds); null where nothing was measured. */
export const LevelChart = ({
  values,
  levels,
  from,
  to,
  label,
  locale,
}: {
  readonly values: readonly { readonly at: number; readonly value: number | null }[]
  readonly levels: readonly ChartLevel[]
  readonly from: number
  readonly to: number
  readonly label: string
  readonly locale: string
}) => {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const parent = box.current
    if (parent === null) return
    const top = Math.max(20, ...levels.map(({ cm }) => cm * 1.15), ...values.map(({ value }) => (value ?? 0) * 1.1))
    const clock = new Intl.DateTimeFormat(locale, { timeZone: 'Asia/Ho_Chi_Minh', hour: '2-digit', minute: '2-digit' })
    const axis = {
      stroke: colour('ink-2'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { stroke: colour('line') },
    }
    const plot = new uPlot(
      {
        width: parent.clientWidth,
        height: 280,
        legend: { show: false },
        scales: { x: { time: true, min: from, max: to }, y: { range: [0, top] } },
        axes: [
          { ...axis, values: (_plot, ticks) => ticks.map(tick => clock.format(tick * 1000)) },
          { ...axis, size: 44 },
        ],
        series: [
          {},
          { stroke: colour('water'), width: 2.5, fill: `${colour('water')}26`, points: { show: values.length < 3 } },
        ],
        hooks: { draw: [drawLevels(levels)] },
      },
      [values.map(({ at }) => at), values.map(({ value }) => value)],
      parent,
    )
    const observer = new ResizeObserver(() => plot.setSize({ width: parent.clientWidth, height: 280 }))
    observer.observe(parent)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [values, levels, from, to, locale])
  return <div ref={box} role="img" aria-label={label} />
}
