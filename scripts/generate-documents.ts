import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asyncApiDocument } from '@watchpost/shared/contracts/async-api'
import { catalogue } from '@watchpost/shared/contracts/catalogue'
import { ModelManifest } from '@watchpost/shared/manifest/model-manifest'

/**
 * Writes shared/documents: one JSON Schema per message and the AsyncAPI document.
 * With --check it writes nothing and exits 1 when a document is not what the schemas say.
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'shared/documents')
const check = process.argv.includes('--check')

const schemaDocument = (name: string, schema: object, examples: readonly unknown[]): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...schema,
  $id: `/schemas/${name}.json`,
  ...(examples.length > 0 ? { examples } : {}),
})

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const documents = new Map<string, object>([
  ['asyncapi.json', asyncApiDocument(version)],
  ['schemas/model-manifest.v1.json', schemaDocument('model-manifest.v1', ModelManifest, [])],
  ...Object.entries(catalogue).map(
    ([name, { schema, examples }]) => [`schemas/${name}.json`, schemaDocument(name, schema, examples)] as const,
  ),
])

const readOrEmpty = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')
const listOrEmpty = (path: string): string[] => (existsSync(path) ? readdirSync(path) : [])

const stale: string[] = []
for (const [name, document] of documents) {
  const file = join(folder, name)
  const text = `${JSON.stringify(document, null, 2)}\n`
  if (readOrEmpty(file) === text) continue
  stale.push(name)
  if (check) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
for (const name of listOrEmpty(join(folder, 'schemas'))) {
  if (documents.has(`schemas/${basename(name)}`)) continue
  stale.push(`schemas/${name} (no longer made)`)
  if (!check) rmSync(join(folder, 'schemas', name))
}

if (check && stale.length > 0) {
  console.error(`These documents are not what the schemas say: ${stale.join(', ')}. Run: npm run docs`)
  process.exit(1)
}
console.log(check ? `${documents.size} documents agree with the schemas` : `${stale.length} documents written`)
