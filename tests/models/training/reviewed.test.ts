import { execFile, spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Event, eventExample } from '@watchpost/shared/contracts/event'
import type { Box } from '@watchpost/shared/contracts/primitives'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Central, record, sha256Of, startCentral } from '../../central/api/harness.js'
import { missingProgram } from '../../helpers/missing-program.js'

const python = '/usr/bin/python3'
const missing = missingProgram('python3')
const script = fileURLToPath(new URL('../../../models/training/reviewed.py', import.meta.url))

let central: Central
let archive: string
let firePicture: string
let farPicture: string
/** In a corner of every picture. */
const white = Buffer.from('<svg width="32" height="48"><rect width="32" height="48" fill="#fff"/></svg>')
let engineer: Record<string, string>
let reviewer: Record<string, string>
const read = (...parameters: string[]) =>
  promisify(execFile)(python, [script, ...parameters, '--cache', join(central.directory, 'cache')])

const exported = async (name: string): Promise<string> => {
  const url = '/api/v1/labels/export'
  const reply = await central.app.inject({ method: 'GET', url, headers: engineer })
  const path = join(central.directory, name)
  writeFileSync(path, reply.rawPayload)
  return path
}

/** What a program prints of every picture that smoke and flame are trained on. */
const readOf = async (print: string, also = '') => {
  const program = `import json, sys; sys.path.insert(0, sys.argv[1]); import reviewed
${also}
for picture in reviewed.fire_smoke([sys.argv[2]], sys.argv[3])[0]:
    ${print}`
  const parameters = ['-c', program, join(script, '..'), archive, join(central.directory, 'cache')]
  const { stdout } = await promisify(execFile)(python, parameters)
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
}

beforeAll(async () => {
  central = await startCentral()
  reviewer = await central.signIn('reviewer')
  engineer = await central.signIn('engineer')
  const happen = async (id: string, colour: string, event: Partial<Event>, verdict: object): Promise<string> => {
    const bytes = await sharp({ create: { width: 320, height: 180, channels: 3, background: colour } })
      .composite([{ input: white, gravity: 'northwest' }])
      .jpeg()
      .toBuffer()
    const evidence = [{ ...eventExample.evidence[0]!, bytes: bytes.length, sha256: sha256Of(bytes) }]
    await central.incidents.apply([record(id, { happeningId: id, evidence, ...event })])
    await central.upload(bytes)
    const url = `/api/v1/events/${id}/verdict`
    const reply = await central.app.inject({ method: 'POST', url, payload: verdict, headers: reviewer })
    expect(reply.statusCode).toBe(200)
    return sha256Of(bytes)
  }
  const smoke: Partial<Event> = { kind: 'forest-fire', geometry: { box: [0.1, 0.2, 0.3, 0.4], label: 'smoke' } }
  await happen('own', '#100', smoke, { value: 'true' })
  const boxes = [
    { label: 'smoke', box: [0.5, 0, 0.25, 0.5] },
    { label: 'flame', box: [0.5, 0.5, 0.1, 0.1] },
    { label: 'car', box: [0, 0, 0.1, 0.1] },
  ]
  firePicture = await happen('corrected', '#200', smoke, { value: 'true', boxes })
  await happen('fog', '#300', smoke, { value: 'false' })
  await happen('misread', '#400', { geometry: { label: 'water' } }, { value: 'false' })
  await happen('dry', '#600', { geometry: { label: 'water' } }, { value: 'false', boxes: [] })
  await happen('obeyed', '#500', { kind: 'red-light', geometry: { box: [0, 0, 0.2, 0.2] } }, { value: 'false' })
  const region: Box = [0, 0, 0.0625, 0.25]
  const far: Partial<Event> = {
    kind: 'forest-fire',
    geometry: { box: [0.03125, 0.125, 0.0625, 0.125], label: 'smoke', region },
  }
  farPicture = await happen('far', '#800', far, { value: 'true' })
  await happen('mist', '#900', far, { value: 'false' })
  const smokeSomewhere: Partial<Event> = { ...smoke, geometry: { label: 'smoke' } }
  await happen('half', '#700', smokeSomewhere, { value: 'true' })
  await happen('of-half', '#700', smoke, { value: 'true', boxes: [{ label: 'flame', box: [0, 0, 0.1, 0.1] }] })
  archive = await exported('reviewed.tar')
}, 120_000)
afterAll(() => central.stop())

const step = (title: string, run: () => Promise<void>) =>
  it(title, { timeout: 240_000 }, async test => {
    if (missing) test.skip(missing)
    await run()
  })

describe('training', () => {
  step('reads boxes, hard negatives and dry streets of an export, and counts what it leaves out', async () => {
    const { stdout } = await read(archive, '--json')
    expect(JSON.parse(stdout)).toEqual({
      smokeFlame: {
        pictures: 5,
        withBoxes: 3,
        hardNegatives: 2,
        closeUps: 2,
        loose: 2,
        boxes: { smoke: 3, flame: 1 },
        leftOut: { 'not judged for fire': 3, 'shows fire somewhere, without a box': 1 },
      },
      water: { dry: 1, leftOut: { 'not judged for water': 8 } },
    })
  })

  step('takes boxes as centres and shares, smoke before flame', async () => {
    const pictures = await readOf('print(json.dumps(vars(picture)))')
    expect(pictures.find(({ path }) => path.endsWith(`${firePicture}.jpg`))).toMatchObject({
      camera: 'le-loi-1',
      loose: false,
      boxes: [
        [0, 0.625, 0.25, 0.25, 0.5],
        [1, 0.55, 0.55, 0.1, 0.1],
      ],
    })
  })

  step('takes the part of a picture that the model looked at, with boxes in fractions of it', async () => {
    const pictures = await readOf('print(json.dumps(vars(picture)))')
    expect(pictures.find(({ path }) => path.includes(farPicture))).toMatchObject({
      path: expect.stringMatching(/\.jpg#0,0,0\.0625,0\.25$/),
      boxes: [[0, 0.75, 0.75, 0.5, 0.5]],
    })
  })

  it('cuts that part out, as large as the model saw it', { timeout: 240_000 }, async test => {
    if (spawnSync(python, ['-c', 'import cv2, torch']).status !== 0) test.skip('python3-torch or -opencv is missing')
    const least = await readOf(`if '#' in picture.path: print(cache.load_picture(picture.path).min())`, 'import cache')
    expect(least.map(brightness => brightness > 240)).toEqual([true, true])
  })

  step('takes every picture once, as the export taken last says, in whatever order they are given', async () => {
    const url = '/api/v1/events/own/verdict'
    await central.app.inject({ method: 'POST', url, payload: { value: 'false' }, headers: reviewer })
    const later = await exported('later.tar')
    for (const archives of [
      [archive, later],
      [later, archive],
    ]) {
      const { smokeFlame } = JSON.parse((await read(...archives, '--json')).stdout)
      expect(smokeFlame).toMatchObject({
        pictures: 5,
        withBoxes: 2,
        hardNegatives: 3,
        leftOut: { 'superseded by another export': 9 },
      })
    }
  })

  step('refuses a picture that is not the one that was judged, and what is no export', async () => {
    await read(archive)
    const { stdout } = await promisify(execFile)('find', [
      join(central.directory, 'cache'),
      '-name',
      `${firePicture}.jpg`,
    ])
    for (const file of stdout.trim().split('\n')) appendFileSync(file, 'x')
    await expect(read(archive)).rejects.toThrow(/is not the picture that was judged/)
    mkdirSync(join(central.directory, 'empty'))
    await expect(read(join(central.directory, 'empty'))).rejects.toThrow(/export it with format=coco/)
    await expect(read(script)).rejects.toThrow(/cannot be read/)
  })
})
