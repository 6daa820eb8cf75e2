import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { missingProgram } from '../../helpers/missing-program.js'

// Training and rendering need torch and Blender, which no test installs: what can be told without them is told here.
const missing = missingProgram('python3')
const root = fileURLToPath(new URL('../../..', import.meta.url))
const script = fileURLToPath(new URL('unknown_imports.py', import.meta.url))
const unknownIn = (...folders: string[]): string =>
  execFileSync('/usr/bin/python3', [script, ...folders], { cwd: root, encoding: 'utf8' })
const city = 'tests/fixtures/city'

it.skipIf(missing)('the scripts of training and of the simulated city import nothing that nobody defines', () => {
  expect(unknownIn('models/training', `${city}/blender`, `${city}/camera`, `${city}/plume`, city)).toBe('')
})

it.skipIf(missing)('a name that was renamed, a module that is gone and a script that does not parse are told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scripts-'))
  writeFileSync(join(folder, 'kept.py'), 'old = 1\n')
  writeFileSync(join(folder, 'uses.py'), 'import os\nfrom kept import new, old\nimport gone\n')
  writeFileSync(join(folder, 'broken.py'), 'def f(:\n')
  const told = unknownIn(folder)
  rmSync(folder, { recursive: true })
  expect(told.split('\n').map(line => line.replace(`${folder}/`, ''))).toEqual([
    expect.stringMatching(/^broken\.py:1: invalid syntax/),
    'uses.py:2: kept has no new',
    'uses.py:3: there is no module gone',
    '',
  ])
})
