#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// ONNX Runtime's official builds report use to their maker unless told not to, before they are loaded: cameras of a city do not.
process.env.ORT_DISABLE_TELEMETRY = '1'

const compiled = new URL('../dist/main.js', import.meta.url)
if (!existsSync(compiled)) {
  process.stderr.write(
    `watchpost-edge is not built yet. Run in ${fileURLToPath(new URL('../..', import.meta.url))}:\n  npm ci && npm run build\n`,
  )
  process.exit(1)
}
const { main } = await import(compiled.href)
process.exitCode = await main(process.argv.slice(2))
