import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('..', import.meta.url))

export default defineConfig({
  root,
  // Tests run from the sources, without a build of shared/ and edge/.
  resolve: { alias: [{ find: /^@watchpost\/(shared|edge)\/(.*)$/, replacement: `${root}$1/$2.ts` }] },
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/helpers/build.ts'],
    reporters: ['default', './tests/helpers/summary-reporter.ts'],
    // ONNX Runtime reports usage to its maker unless told not to.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    pool: 'forks',
    maxWorkers: 2,
    // Real processes on two slow cores: what is waited for has limits of its own, these end what hangs.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    teardownTimeout: 30_000,
  },
})
