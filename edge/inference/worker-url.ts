/**
 * Worker threads run compiled code. From TypeScript sources (tests) the compiled twin under `edge/dist` is taken,
 * which the tests' setup brings up to date. `file` is relative to this room, e.g. `inference-worker.js`.
 */
export const workerUrl = (file: string): URL => {
  const compiled = import.meta.url.endsWith('.js')
  return new URL(compiled ? `./${file}` : `../dist/inference/${file}`, import.meta.url)
}
