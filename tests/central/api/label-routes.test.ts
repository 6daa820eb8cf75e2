import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { CocoDocument, ExportManifest } from '@watchpost/shared/api/labels'
import { type Event, eventExample } from '@watchpost/shared/contracts/event'
import type { Evidence } from '@watchpost/shared/contracts/evidence'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Central, problemOf, record, sha256Of, startCentral } from './harness.js'

let central: Central
let engineer: Record<string, string>
let reviewer: Record<string, string>
beforeEach(async () => {
  central = await startCentral()
  engineer = await central.signIn('engineer')
  reviewer = await central.signIn('reviewer')
})
afterEach(() => central.stop())

const get = (url: string, headers = engineer) => central.app.inject({ method: 'GET', url, headers })
const judge = (eventId: string, payload: object) =>
  central.app.inject({ method: 'POST', url: `/api/v1/events/${eventId}/verdict`, payload, headers: reviewer })

const bytesOf = (colour: string, width = 640, height = 360): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: colour } })
    .jpeg()
    .toBuffer()
const evidenceOf = (bytes: Buffer): Evidence => ({
  ...eventExample.evidence[0]!,
  bytes: bytes.length,
  sha256: sha256Of(bytes),
})

/** An event with a picture of its own; `isStored: false` leaves the picture on its way. */
const happen = async (
  id: string,
  change: Partial<Event>,
  { colour = '#468', isStored = true, camera = 'le-loi-1' } = {},
): Promise<string> => {
  const bytes = await bytesOf(colour)
  const event = { happeningId: id, evidence: [evidenceOf(bytes)], ...change }
  await central.incidents.apply([record(id, event, camera)])
  if (isStored) expect((await central.upload(bytes)).statusCode).toBe(201)
  return sha256Of(bytes)
}
const smoke: Partial<Event> = { kind: 'forest-fire', geometry: { box: [0.1, 0.2, 0.3, 0.4], label: 'smoke' } }

/** Takes an export and unpacks it as anybody would. */
const unpack = async (query: string) => {
  const reply = await get(`/api/v1/labels/export?${query}`)
  expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'application/x-tar'])
  const folder = join(central.directory, `unpacked-${Math.random()}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'x.tar'), reply.rawPayload)
  execFileSync('tar', ['--extract', '--file', 'x.tar'], { cwd: folder })
  const json = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  return { folder, json, bytes: reply.rawPayload, manifest: Value.Parse(ExportManifest, json('manifest.json')) }
}

describe('a verdict with boxes', () => {
  const boxes = [{ label: 'flame', box: [0.25, 0.5, 0.5, 0.25] }]

  it('is kept with who drew them and when, and never replaced', async () => {
    const sha256 = await happen('e1', smoke)
    const first = await judge('e1', { value: 'true', boxes, picture: sha256 })
    expect(first.json().events[0].verdict).toMatchObject({ boxes, pictureSha256: sha256, by: 'reviewer-1' })
    central.world.now += 1000
    await judge('e1', { value: 'false' })
    const { items } = (await get('/api/v1/events/e1/verdicts')).json()
    expect(items).toMatchObject([
      { value: 'true', boxes, at: '2026-10-27T03:01:00.000Z' },
      { value: 'false', boxes: [], pictureSha256: null, at: '2026-10-27T03:01:01.000Z' },
    ])
    expect((await get('/api/v1/events/none/verdicts')).statusCode).toBe(404)
  })

  it.each([
    ['beyond the picture', { boxes: [{ label: 'smoke', box: [0.9, 0, 0.2, 0.1] }] }, 422, '/boxes/0/box'],
    ['of no size', { boxes: [{ label: 'smoke', box: [0.9, 0, 0, 0.1] }] }, 422, '/boxes/0/box'],
    [
      'with a number that is no share',
      { boxes: [{ label: 'smoke', box: [1.5, 0, 0.2, 0.1] }] },
      400,
      '/body/boxes/0/box/0',
    ],
    ['with a label that is no name', { boxes: [{ label: 'Smoke!', box: [0, 0, 1, 1] }] }, 400, '/body/boxes/0/label'],
    ['on a picture of something else', { boxes: [], picture: 'f'.repeat(64) }, 422, '/picture'],
  ])('is refused when it is drawn %s', async (_what, body, status, path) => {
    await happen('e1', smoke)
    const problem = problemOf(await judge('e1', { value: 'true', ...body }))
    expect({ status: problem.status, path: problem.errors?.[0]?.path }).toEqual({ status, path })
    expect((await get('/api/v1/events/e1')).json().verdict).toBeNull()
  })
})

describe('an export of labels', () => {
  it('is a valid COCO set: own and corrected boxes, false alarms without any, the rest counted', async () => {
    const region: [number, number, number, number] = [0, 0.1, 0.7, 0.7]
    const own = await happen('own', { ...smoke, geometry: { ...smoke.geometry, region } }, { colour: '#111' })
    const corrected = await happen('corrected', smoke, { colour: '#222' })
    const wrong = await happen('wrong', smoke, { colour: '#333', camera: 'an-cuu-1' })
    const gone = await happen('gone', smoke, { colour: '#444', isStored: false })
    await happen('unclear', smoke, { colour: '#555' })
    await happen('again', smoke, { colour: '#666' })
    await happen('flood', { geometry: { label: 'water' } }, { colour: '#777' })
    await happen('bare', { ...smoke, evidence: [] })
    await happen('not-judged', smoke, { colour: '#888' })
    for (const id of ['own', 'gone', 'flood', 'bare']) await judge(id, { value: 'true' })
    await judge('corrected', { value: 'true', boxes: [{ label: 'flame', box: [0.5, 0.5, 0.25, 0.1] }] })
    await judge('wrong', { value: 'false' })
    await judge('unclear', { value: 'unsure' })
    await judge('again', { value: 'duplicate' })

    const { folder, json, manifest } = await unpack('format=coco')
    const coco = Value.Parse(CocoDocument, json('annotations.json'))
    expect(readdirSync(join(folder, 'images')).sort()).toEqual([own, corrected, wrong].map(sha => `${sha}.jpg`).sort())
    expect(coco.images.map(image => image.sha256)).toEqual([own, corrected, wrong].sort())
    for (const image of coco.images) {
      const bytes = readFileSync(join(folder, 'images', image.file_name))
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(image.sha256)
      expect(await sharp(bytes).metadata()).toMatchObject({ width: image.width, height: image.height })
    }
    const labelsOf = (sha256: string) => {
      const image = coco.images.find(item => item.sha256 === sha256)!
      return coco.annotations
        .filter(annotation => annotation.image_id === image.id)
        .map(({ bbox, category_id, source }) => [
          coco.categories.find(({ id }) => id === category_id)?.name,
          bbox,
          source,
        ])
    }
    expect(labelsOf(own)).toEqual([['smoke', [64, 72, 192, 144], 'model']])
    expect(coco.images.find(image => image.sha256 === own)?.events).toMatchObject([{ eventId: 'own', region }])
    expect(labelsOf(corrected)).toEqual([['flame', [320, 180, 160, 36], 'reviewer']])
    expect(labelsOf(wrong)).toEqual([])
    expect(coco.images.find(image => image.sha256 === wrong)).toMatchObject({
      camera: 'an-cuu-1',
      hardNegative: true,
      absent: ['smoke', 'flame'],
      events: [
        { eventId: 'wrong', verdict: 'false', model: { id: 'water-segmentation', version: '0.1.0' }, region: null },
      ],
    })
    expect(JSON.stringify(coco)).not.toContain('reviewer-1')
    expect(manifest).toMatchObject({
      through: 8,
      events: { true: 5, false: 1, unsure: 1, duplicate: 1 },
      images: { written: 3, hardNegatives: 1 },
      annotations: 2,
      leftOut: { unsure: 1, duplicate: 1, noPicture: 1, noBoxes: 1, missingPictures: 1, unreadablePictures: 0 },
      missing: [{ sha256: gone, reason: 'not-stored', eventIds: ['gone'], cameraId: 'le-loi-1' }],
    })
    // Nothing is dropped unseen: every true or false event is in a picture or in a count.
    const { noPicture, noBoxes, missingPictures } = manifest.leftOut
    expect(coco.images.flatMap(image => image.events).length + noPicture + noBoxes + missingPictures).toBe(6)
  })

  it('is byte for byte the same as of the same verdict, whatever was judged since', async () => {
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      await happen(id, smoke, { colour: `#${index}${index}9` })
      await judge(id, { value: 'true' })
    }
    const before = await unpack('')
    await judge('a', { value: 'false' })
    const now = await unpack('')
    expect(now.manifest).toMatchObject({ through: 4, images: { hardNegatives: 1 } })
    expect((await unpack(`through=${before.manifest.through}`)).bytes.equals(before.bytes)).toBe(true)
  })

  it('gives what was asked for: camera, kind, model, verdict, time', async () => {
    const model = { ...eventExample.model!, version: '0.2.0' }
    await happen('a', { ...smoke, model }, { colour: '#100', camera: 'an-cuu-1' })
    await happen('b', { kind: 'red-light', geometry: { box: [0, 0, 0.1, 0.1], label: 'car' } }, { colour: '#200' })
    await happen('c', { ...smoke, phenomenonTime: '2026-10-27T09:00:00.000Z' }, { colour: '#300' })
    for (const id of ['a', 'b']) await judge(id, { value: 'true' })
    await judge('c', { value: 'false' })
    const ids = async (query: string) => {
      const reply = await get(`/api/v1/labels/export?images=none&${query}`)
      expect(reply.headers['content-type']).toBe('application/json; charset=utf-8')
      const { images } = Value.Parse(CocoDocument, reply.json())
      return images
        .flatMap(image => image.events.map(event => event.eventId))
        .sort()
        .join('')
    }
    expect(await ids('')).toBe('abc')
    expect(await ids('camera=an-cuu-1')).toBe('a')
    expect(await ids('kind=red-light,forest-fire&camera=le-loi-1')).toBe('bc')
    expect(await ids('modelVersion=0.2.0')).toBe('a')
    expect(await ids('verdict=false')).toBe('c')
    expect(await ids('from=2026-10-27T08:00:00.000Z')).toBe('c')
    expect(await ids('to=2026-10-27T08:00:00.000Z')).toBe('ab')
    expect((await get('/api/v1/labels/export?format=voc')).statusCode).toBe(400)
    expect((await get('/api/v1/labels/export?colour=red')).statusCode).toBe(400)
  })

  it('labels a picture by all that was judged of it, whichever of its events the filter asks for', async () => {
    const picture = await happen('forest', smoke, { colour: '#100' })
    await happen('houses', { ...smoke, kind: 'urban-fire' }, { colour: '#100', isStored: false })
    const own = await happen('fog', smoke, { colour: '#200' })
    await happen('unclear', { ...smoke, kind: 'urban-fire' }, { colour: '#200', isStored: false })
    await judge('forest', { value: 'true' })
    for (const id of ['houses', 'fog']) await judge(id, { value: 'false' })
    await judge('unclear', { value: 'unsure' })
    const told = async (query: string) => {
      const { images, annotations } = (await get(`/api/v1/labels/export?images=none&${query}`)).json()
      return images.map(({ id, sha256, hardNegative, absent }: CocoDocument['images'][number]) => ({
        sha256,
        hardNegative,
        absent,
        boxes: annotations.filter((item: { image_id: number }) => item.image_id === id).length,
      }))
    }
    const fire = { sha256: picture, hardNegative: false, absent: ['flame'], boxes: 1 }
    const doubtful = { sha256: own, hardNegative: false, absent: [], boxes: 0 }
    for (const query of ['', 'verdict=false', 'to=2027-01-01T00:00:00.000Z'])
      expect(await told(query)).toEqual([fire, doubtful].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1)))
    expect(await told('kind=urban-fire')).toEqual([fire])
  })

  it('includes true events without a box when asked to, and marks them', async () => {
    await happen('flood', { geometry: { label: 'water' } })
    await judge('flood', { value: 'true' })
    const { json, manifest } = await unpack('withoutBoxes=include')
    expect(json('annotations.json').images).toMatchObject([{ present: ['water'], hardNegative: false }])
    expect(manifest.images).toMatchObject({ written: 1, withoutBoxes: 1, hardNegatives: 0 })
  })

  it('is to be had as YOLO: a line per box, an empty file where nothing is', async () => {
    const fire = await happen('fire', smoke, { colour: '#100' })
    const fog = await happen('fog', smoke, { colour: '#200' })
    const obeyed = await happen('obeyed', { kind: 'red-light' }, { colour: '#300' })
    const half = await happen('flame', smoke, { colour: '#400' })
    await happen('smoke', { kind: 'urban-fire', geometry: { label: 'smoke' } }, { colour: '#400', isStored: false })
    await judge('flame', { value: 'true', boxes: [{ label: 'flame', box: [0.5, 0.5, 0.1, 0.1] }] })
    for (const id of ['fire', 'smoke']) await judge(id, { value: 'true' })
    for (const id of ['fog', 'obeyed']) await judge(id, { value: 'false' })
    const { folder, manifest } = await unpack('format=yolo')
    const text = (name: string) => readFileSync(join(folder, name), 'utf8')
    expect(text('classes.txt').split('\n').slice(0, 3)).toEqual(['smoke', 'flame', 'water'])
    expect(text(`labels/${fire}.txt`)).toBe('0 0.250000 0.400000 0.300000 0.400000\n')
    expect(text(`labels/${fog}.txt`)).toBe('')
    // A vehicle and smoke that nobody drew are there: files without them would teach that they are not.
    for (const sha256 of [obeyed, half]) expect(readdirSync(join(folder, 'images'))).not.toContain(`${sha256}.jpg`)
    expect(manifest).toMatchObject({ format: 'yolo', images: { written: 2 }, leftOut: { noBoxes: 2 } })
  })

  it('is for engineers, and each is written to a log that nobody can change', async () => {
    expect(problemOf(await get('/api/v1/labels/export', reviewer)).status).toBe(403)
    expect((await get('/api/v1/labels/exports', reviewer)).statusCode).toBe(403)
    await unpack('kind=forest-fire')
    expect((await get('/api/v1/labels/exports')).json().items).toMatchObject([
      { number: 2, by: 'engineer-1', action: 'finished', export: 1, detail: { images: { written: 0 } } },
      { number: 1, by: 'engineer-1', action: 'began', export: 1, detail: { kind: ['forest-fire'], through: 0 } },
    ])
  })

  it('leaves nothing behind and says so in the log when the reader goes away', async () => {
    const bytes = await sharp(Buffer.from(Array.from({ length: 480_000 }, (_, at) => (at * 7919) % 251)), {
      raw: { width: 400, height: 400, channels: 3 },
    })
      .jpeg({ quality: 100 })
      .toBuffer()
    const events = Array.from({ length: 40 }, (_, index) => Buffer.concat([bytes, Buffer.from([index])]))
    for (const [index, picture] of events.entries()) {
      await central.upload(picture)
      await central.incidents.apply([
        record(`e${index}`, { ...smoke, happeningId: `${index}`, evidence: [evidenceOf(picture)] }),
      ])
      await judge(`e${index}`, { value: 'true' })
    }
    const url = await central.app.listen({ host: '127.0.0.1', port: 0 })
    const reply = await fetch(`${url}/api/v1/labels/export`, { headers: engineer })
    const reader = reply.body!.getReader()
    expect((await reader.read()).value?.length).toBeGreaterThan(0)
    await reader.cancel()
    const logged = async () => (await get('/api/v1/labels/exports')).json().items
    await expect.poll(async () => (await logged())[0].action, { timeout: 60_000 }).toBe('broke-off')
    expect(readdirSync(join(central.directory, 'label-exports'))).toEqual([])
  })
})

describe('precision', () => {
  it('is counted per camera, model version and kind, with its interval and the happenings behind it', async () => {
    const old = eventExample.model!
    const verdicts = ['true', 'true', 'true', 'false', 'unsure', 'duplicate'] as const
    for (const [index, value] of verdicts.entries()) {
      await central.incidents.apply([record(`old-${index}`, { happeningId: `old-${index}`, evidence: [] })])
      await judge(`old-${index}`, { value })
    }
    const model = { ...old, version: '0.2.0' }
    await central.incidents.apply([record('new', { happeningId: 'new', model, evidence: [] }, 'an-cuu-1')])
    await judge('new', { value: 'true' })
    const { items } = (await get('/api/v1/models/precision', reviewer)).json()
    expect(items).toMatchObject([
      { cameraId: 'an-cuu-1', model: { version: '0.2.0' }, true: 1, false: 0, precision: 1, high: 1 },
      {
        cameraId: 'le-loi-1',
        kind: 'flood-level',
        model: { id: 'water-segmentation', version: '0.1.0' },
        true: 3,
        false: 1,
        unsure: 1,
        duplicate: 1,
        precision: 0.75,
        low: expect.closeTo(0.3006, 3),
        high: expect.closeTo(0.9544, 3),
      },
    ])
    expect((await get('/api/v1/models/precision?modelVersion=0.2.0', reviewer)).json().items).toHaveLength(1)
    expect((await get('/api/v1/models/precision?camera=hung-vuong', reviewer)).json().items).toEqual([])
    const behind = (await get('/api/v1/labels?camera=le-loi-1&verdict=true&limit=2', reviewer)).json()
    expect(behind.items.map((item: { eventId: string }) => item.eventId)).toEqual(['old-2', 'old-1'])
    expect(behind.items[0]).toMatchObject({ incidentId: expect.any(String), verdict: { by: 'reviewer-1' } })
    const rest = (await get(`/api/v1/labels?camera=le-loi-1&verdict=true&before=${behind.next}`, reviewer)).json()
    expect(rest).toMatchObject({ items: [{ eventId: 'old-0' }], next: null })
  })

  it('is not shown to ward officers, who see their ward only', async () => {
    const officer = await central.signIn('wardOfficer', 'an-cuu')
    expect((await get('/api/v1/models/precision', officer)).statusCode).toBe(403)
    expect((await get('/api/v1/labels', officer)).statusCode).toBe(403)
    expect((await get('/api/v1/labels', {})).statusCode).toBe(401)
  })
})
