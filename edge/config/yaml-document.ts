import type { ConfigError } from '@watchpost/shared/config/config-error'
import { isMap, isNode, LineCounter, type Node, parseDocument } from 'yaml'

export interface YamlDocument {
  /** The content as plain data; undefined when the text is not YAML. */
  readonly raw: unknown
  readonly errors: readonly ConfigError[]
  /** Line of the place that `path` (`cameras[2].source.url`) names, or of the nearest section around it. */
  lineOf(path: string): number | undefined
}

export const readYaml = (text: string): YamlDocument => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const errors = document.errors.map(error => ({
    path: '',
    line: lines.linePos(error.pos[0]).line,
    message: `is not valid YAML: ${error.message}`,
    hint: 'Check indentation, colons and quotes around this line.',
  }))
  const lineAt = (offset: number | undefined) => (offset === undefined ? undefined : lines.linePos(offset).line)
  return {
    raw: errors.length > 0 ? undefined : document.toJS(),
    errors,
    lineOf: path => lineAt(offsetOf(document.contents, partsOf(path))),
  }
}

const partsOf = (path: string): readonly (string | number)[] =>
  [...path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(match => match[1] ?? Number(match[2]))

/** Follows the path as far as the document has it; a key's own position is better than its value's. */
const offsetOf = (root: Node | null, parts: readonly (string | number)[]): number | undefined => {
  let node: unknown = root
  let offset: number | undefined
  for (const part of parts) {
    if (isMap(node)) {
      const pair = node.items.find(item => String(item.key) === String(part))
      if (!pair) return offset
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else {
      const items: readonly unknown[] = isNode(node) && 'items' in node ? (node.items as readonly unknown[]) : []
      node = items[Number(part)]
      if (isNode(node)) offset = node.range?.[0] ?? offset
    }
  }
  return offset
}
