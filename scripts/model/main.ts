import { runModel } from './run-model.js'

// ONNX Runtime reports use to its maker unless told not to.
process.env.ORT_DISABLE_TELEMETRY = '1'

// npm runs scripts in the project's folder; the paths that people type start where they are.
const here = process.env.npm_lifecycle_event === 'model' ? process.env.INIT_CWD : undefined

// Set rather than exit(): output to a pipe must not be cut off.
process.exitCode = await runModel(process.argv.slice(2), {
  here: here ?? process.cwd(),
  out: text => process.stdout.write(`${text}\n`),
  err: text => process.stderr.write(`${text}\n`),
})
