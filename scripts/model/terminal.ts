/** Columns as wide as their widest cell; numbers (and what begins like one) to the right. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((title, i) => Math.max(...[title, ...rows.map(row => row[i] ?? '')].map(cell => cell.length)))
  const isNumber = head.map((_, i) => rows.length > 0 && rows.every(row => /^([-+]?[\d.]|[–·]|$)/.test(row[i] ?? '')))
  const line = (cells: readonly string[]): string =>
    head
      .map((_, i) => (isNumber[i] ? (cells[i] ?? '').padStart(widths[i]!) : (cells[i] ?? '').padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map(width => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

/** For a figure that may not exist: a dash says that there was nothing to measure. */
export const figure = (value: number | null | undefined, digits = 3): string =>
  value === null || value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits)

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

export interface Progress {
  step(): void
  end(): void
}

const barWidth = 24
/** A terminal is redrawn at most so often; a log gets a line at most so often. */
const redrawMs = 100
const lineMs = 10_000

/** On stderr: a bar on a terminal, a plain line now and then elsewhere, nothing for a job that is done at once. */
export const createProgress = (what: string, total: number, out: NodeJS.WriteStream = process.stderr): Progress => {
  const began = performance.now()
  let done = 0
  let shown = began
  let drawn = false
  const rest = (): string => {
    const elapsedS = (performance.now() - began) / 1000
    return done === 0 ? '' : `, ${duration((elapsedS / done) * (total - done))} left`
  }
  const draw = (now: number): void => {
    shown = now
    const share = total === 0 ? 1 : done / total
    const filled = Math.round(share * barWidth)
    const count = `${done}/${total}`
    if (!out.isTTY) {
      out.write(`${what}: ${count} (${Math.floor(share * 100)} %)${rest()}\n`)
      return
    }
    drawn = true
    out.write(`\r\x1b[K${what} ${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${count}${rest()}`)
  }
  return {
    step() {
      done++
      const now = performance.now()
      if (now - shown >= (out.isTTY ? redrawMs : lineMs)) draw(now)
    },
    end() {
      if (drawn) out.write('\r\x1b[K')
    },
  }
}

const duration = (seconds: number): string => {
  const whole = Math.ceil(seconds)
  if (whole < 90) return `${whole} s`
  const minutes = Math.round(whole / 60)
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`
}

/** Something to know that is not an error; stdout belongs to the result. */
export const note = (sentence: string): void => void process.stderr.write(`note: ${sentence}\n`)
