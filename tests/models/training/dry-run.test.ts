import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import sharp from 'sharp'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../../helpers/clips.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 })

/** The scripts that train, run as a model engineer runs them, on pictures drawn here. */
const root = fileURLToPath(new URL('../../..', import.meta.url))
const training = join(root, 'models/training')
const python = '/usr/bin/python3'
const start = join(process.env.WATCHPOST_TEST_DATA ?? join(root, '../shared/data'), 'models/yolox-nano-416.onnx')
const missing = !existsSync(start)
  ? 'no pretrained start here: set WATCHPOST_TEST_DATA to a folder with models/yolox-nano-416.onnx'
  : spawnSync(python, ['-c', 'import cv2, numpy, onnx, torch']).status !== 0
    ? 'python3-torch, python3-onnx and python3-opencv are not installed'
    : undefined

const folder = temporaryFolder('dry-run')
const at = (...parts: readonly string[]): string => {
  const file = join(folder, 'data', ...parts)
  mkdirSync(dirname(file), { recursive: true })
  return file
}

/** Grey above and brown below, with a pale puff where there is smoke and a bright spot where there is flame. */
const draw = async (file: string, number: number, { smoke = false, flame = false, water = false } = {}) => {
  const shape = (colour: string, inside: string) => `<g fill="${colour}">${inside}</g>`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180">
    ${shape(`rgb(${120 + number * 4},150,170)`, '<rect width="320" height="90"/>')}
    ${shape(`rgb(90,${60 + number * 5},40)`, '<rect y="90" width="320" height="90"/>')}
    ${smoke ? shape('#ddd', '<ellipse cx="160" cy="60" rx="40" ry="30"/>') : ''}
    ${flame ? shape('#f80', '<ellipse cx="160" cy="110" rx="12" ry="20"/>') : ''}
    ${water ? shape('#667', '<rect y="120" width="320" height="60"/>') : ''}</svg>`
  await sharp(Buffer.from(svg)).toFile(file)
}
const numbers = Array.from({ length: 18 }, (_, number) => number)

/** Enough of every kind that something is trained on and something held out. */
const drawFires = async () => {
  const rows = ['file,set,scene']
  for (const number of numbers)
    for (const [set, scene, kind] of [
      ['web', 'web', { smoke: true, flame: number % 2 === 0 }],
      ['cctv', number < 6 ? 'cctv-1' : 'cctv-3', { smoke: number % 2 === 0, flame: number % 3 === 0 }],
      ['negative', 'negative', {}],
    ] as const) {
      const name = `${set}-${number}`
      await draw(at('fire-smoke/images', `${name}.jpg`), number, kind)
      const boxes = [
        ...('smoke' in kind && kind.smoke ? ['1 0.5 0.33 0.25 0.33'] : []),
        ...('flame' in kind && kind.flame ? ['0 0.5 0.6 0.08 0.22'] : []),
      ]
      writeFileSync(at('fire-smoke/labels', `${name}.txt`), boxes.join('\n'))
      rows.push(`fire-smoke/images/${name}.jpg,${set},${scene}`)
    }
  writeFileSync(at('fire-smoke/index.csv'), rows.join('\n'))
}

const drawWaters = async () => {
  const rows = ['file,mask,set']
  for (const number of numbers) {
    await draw(at(`water/images/aerial-${number}.jpg`), number, { water: true })
    const mask = '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180"><rect width="320" height="180"/>'
    await sharp(Buffer.from(`${mask}<rect y="120" width="320" height="60" fill="#fff"/></svg>`))
      .removeAlpha()
      .greyscale()
      .toFile(at(`water/masks/aerial-${number}.png`))
    rows.push(`water/images/aerial-${number}.jpg,water/masks/aerial-${number}.png,aerial`)
  }
  writeFileSync(at('water/index.csv'), rows.join('\n'))
}

const drawStreets = async () => {
  const rows = ['file,class,viewpoint,sure,scene,set']
  for (const number of numbers)
    for (const kind of ['flooded', 'wet', 'dry']) {
      const file = `street-flood/images/${kind}-${number}.jpg`
      await draw(at(file), number, { water: kind === 'flooded' })
      rows.push(`${file},${kind},street,1,${kind}${number},drawn`)
    }
  writeFileSync(at('street-flood/index.csv'), rows.join('\n'))
}

/** Pictures of every source with a person, a motorbike and a car; of city cameras two groups, one of which is held out. */
const drawTraffic = async () => {
  const boxes = ['0 0.2 0.6 0.05 0.2', '2 0.5 0.6 0.1 0.2', '3 0.8 0.7 0.2 0.2'].join('\n')
  for (const set of ['cctv', 'overhead', 'indonesia', 'india']) {
    const rows = ['image,group']
    for (const number of numbers) {
      const name = `${set}-${number}`
      await draw(at('traffic', set, 'images', `${name}.jpg`), number)
      writeFileSync(at('traffic', set, 'labels', `${name}.txt`), boxes)
      rows.push(`${name},group-${number % 2}`)
    }
    writeFileSync(at('traffic', set, 'index.csv'), rows.join('\n'))
  }
}

const train = async (script: string, ...more: readonly string[]): Promise<string> => {
  const [cache, out] = [join(folder, `${script}-cache`), join(folder, `${script}.onnx`)]
  const data = ['--data', join(folder, 'data'), '--start', start, '--cache', cache, '--out', out]
  await promisify(execFile)(python, ['-B', join(training, script), ...data, ...more, '--dry-run', '--threads', '1'])
  return out
}

/** What an ONNX file answers to a grey picture of the size that a shipped package takes. */
const answerOf = async (file: string, packageId: string) => {
  const manifest = readFileSync(join(root, 'models', packageId, 'manifest.json'), 'utf8')
  const { width, height } = JSON.parse(manifest).input
  const session = await InferenceSession.create(file)
  const grey = new Float32Array(3 * height * width).fill(128)
  const answer = await session.run({ images: new Tensor('float32', grey, [1, 3, height, width]) })
  const [name, { dims, data }] = Object.entries(answer)[0]!
  return { name, dims, data: [...(data as Float32Array)] }
}

describe('training, from folders of pictures to an ONNX file', () => {
  beforeEach(context => context.skip(missing !== undefined, missing))
  beforeAll(async () => {
    if (missing !== undefined) return
    await drawFires()
    await drawWaters()
    await drawStreets()
    await drawTraffic()
  })

  it.each([
    ['smoke_flame.py', 'smoke-flame', []],
    ['water.py', 'water-segmentation', []],
    ['road_users.py', 'road-users', ['--junction', join(root, 'tests/fixtures/city/junction')]],
  ])('%s writes weights that fit the shipped package', async (script, packageId, more) => {
    const answers = await Promise.all(
      [await train(script, ...more), join(root, 'models', packageId, 'model.onnx')].map(file =>
        answerOf(file, packageId),
      ),
    )
    const [mine, shipped] = answers.map(answer => [answer.name, answer.dims])
    expect(mine).toEqual(shipped)
    expect(answers[0]!.data.every(Number.isFinite)).toBe(true)
  })
})
