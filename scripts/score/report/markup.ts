/** Text as it may stand in HTML. Everything that comes from a truth file or from central passes here. */
export const esc = (text: string | number): string =>
  String(text).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

export const figure = (value: number | null | undefined, decimals: number, unit = ''): string =>
  value === null || value === undefined ? '–' : `${value.toFixed(decimals)}${unit && ` ${unit}`}`

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="scroll"><table><thead><tr>${head.map(text => `<th>${text}</th>`).join('')}</tr></thead><tbody>${rows
    .map(row => `<tr>${row.map(cell => `<td>${cell}</td>`).join('')}</tr>`)
    .join('')}</tbody></table></div>`
