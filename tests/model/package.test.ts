import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { onnxFile } from '../../edge/inference/convert/onnx-file.js'
import { encode, message, text } from '../../edge/inference/convert/protobuf.js'
import { digest, greyPng, meansModel, writePackage } from '../edge/inference/packages.js'
import { model, modelJson, plain, shippedModels, workFolder, writeFiles } from './run-model.js'

interface Packed {
  readonly id: string
  readonly folder: string
  readonly file: string
  readonly digest: string
  readonly signedBy: string | null
}

const root = fileURLToPath(new URL('../..', import.meta.url))

const readJson = <T = Record<string, unknown>>(...path: readonly string[]): T =>
  JSON.parse(readFileSync(join(...path), 'utf8')) as T

/** An ONNX file and pictures, nothing else: what a model engineer begins with. */
const workshop = async (): Promise<string> => {
  const folder = workFolder()
  writeFiles(folder, {
    'means.onnx': meansModel(),
    'pictures/Red 1.png': await plain(0.8, 0),
    'pictures/blue.png': await plain(0, 1),
  })
  return folder
}

const packMeans = [
  'pack',
  'means.onnx',
  '--labels',
  'smoke,flame',
  '--licence',
  'Apache-2.0',
  '--images',
  'pictures',
  '--std',
  '1',
]

describe('model pack', () => {
  it('makes a package from an ONNX file that is valid at once', { timeout: 240_000 }, async () => {
    const folder = await workshop()
    const packed = await modelJson<Packed>(folder, [...packMeans, '--threshold', 'smoke=0.4,flame=0.6'])
    expect(packed).toMatchObject({ id: 'means', file: join(folder, 'means-0.1.0.wpm'), signedBy: null })
    const manifest = readJson(folder, 'means/manifest.json')
    expect(manifest).toMatchObject({
      decoder: { name: 'grid' },
      task: 'smoke-flame',
      input: { name: 'images', width: 64, height: 32, layout: 'nchw', channels: 'rgb', resize: 'stretch' },
      outputs: [{ name: 'scores', shape: [1, 2, 2, 4] }],
      thresholds: { smoke: 0.4, flame: 0.6 },
      golden: [{ image: 'golden/red-1.png' }, { image: 'golden/blue.png' }],
    })
    expect(readdirSync(join(folder, 'means')).toSorted()).toEqual([
      'CARD.md',
      'golden',
      'labels.txt',
      'manifest.json',
      'model.onnx',
    ])
    expect(readJson(folder, 'means/golden/red-1.json')).toEqual({
      outputs: { scores: { shape: [1, 2, 2, 4], values: [...new Array(8).fill(0.8), ...new Array(8).fill(0)] } },
    })
    expect(digest(readFileSync(packed.file))).toBe(packed.digest)
    expect(await modelJson(folder, ['validate', packed.file])).toMatchObject({
      ok: true,
      id: 'means',
      digest: packed.digest,
    })
  })

  it('gives equal archives for equal folders, and unpacks them to equal folders', { timeout: 240_000 }, async () => {
    const folder = await workshop()
    const { digest: first, file } = await modelJson<Packed>(folder, packMeans)
    await modelJson(folder, ['unpack', file, 'again', '--sha256', first])
    expect(await modelJson<Packed>(folder, ['pack', 'again', '--out', 'other'])).toMatchObject({ digest: first })
    const inside = await model(folder, 'pack', 'again', '--out', 'again/archives')
    expect([inside.code, inside.stderr]).toEqual([2, expect.stringMatching(/would lie in the package itself/)])
    writeFileSync(join(folder, 'again/CARD.md'), 'changed')
    const third = await modelJson<Packed>(folder, ['pack', 'again', '--out', 'third'])
    expect(third.digest).not.toBe(first)
    const wrong = await model(folder, 'unpack', file, 'elsewhere', '--sha256', '0'.repeat(64))
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/Its sha256 is [0-9a-f]{64} instead of 0000/)])
    const there = await model(folder, 'unpack', file, 'again')
    expect([there.code, there.stderr]).toEqual([
      1,
      expect.stringMatching(/again is there already; name another folder/),
    ])
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false)
  })

  it('lists everything that it needs to be told, and leaves nothing behind when it fails', {
    timeout: 240_000,
  }, async () => {
    const folder = await workshop()
    const bare = await model(folder, 'pack', 'means.onnx')
    expect(bare.code).toBe(2)
    for (const option of ['labels', 'licence', 'images']) expect(bare.stderr).toMatch(new RegExp(`--${option} +\\S`))
    const before = readdirSync(folder)
    const three = await model(folder, ...packMeans.with(3, 'a,b,c'))
    expect(three.code).toBe(2)
    expect(three.stderr).toMatch(/--decoder +what the outputs \(scores 1×2×2×4\) mean: yolox, centernet/)
    const misfit = await model(folder, ...packMeans.with(3, 'a,b,c'), '--decoder', 'grid')
    expect([misfit.code, misfit.stderr]).toEqual([
      1,
      expect.stringMatching(/grid needs one channel for each of the 3 labels/),
    ])
    expect(readdirSync(folder)).toEqual(before)
    const tensor = message([
      [
        13,
        message([
          [1, text('location')],
          [2, text('big.data')],
        ]),
      ],
    ])
    writeFiles(folder, { 'large.onnx': Buffer.concat(encode([[7, message([[5, tensor]])]])) })
    const inParts = await model(folder, ...packMeans.with(1, 'large.onnx'))
    expect([inParts.code, inParts.stderr]).toEqual([1, expect.stringMatching(/other files \(big.data\).*as one file/)])
    const garbled = await model(folder, ...packMeans.with(1, 'pictures/blue.png'))
    expect([garbled.code, garbled.stderr]).toEqual([2, expect.stringMatching(/neither a folder nor an .onnx file/)])
    renameSync(join(folder, 'pictures/blue.png'), join(folder, 'no.onnx'))
    const broken = await model(folder, ...packMeans.with(1, 'no.onnx'))
    expect([broken.code, broken.stderr]).toEqual([
      1,
      expect.stringMatching(/is no ONNX model that ONNX Runtime can open/),
    ])
  })

  it('asks for the size of a graph that takes any, and refuses inputs that are no picture', {
    timeout: 240_000,
  }, async () => {
    const folder = await workshop()
    const vector = onnxFile({
      name: 'vector',
      inputs: [{ name: 'x', shape: [1, 10] }],
      outputs: [{ name: 'y', shape: [1, 10] }],
      constants: [],
      nodes: [{ operator: 'Identity', inputs: ['x'], output: 'y' }],
    })
    writeFiles(folder, { 'vector.onnx': Buffer.concat(vector) })
    const refused = await model(folder, ...packMeans.with(1, 'vector.onnx'))
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/"x" .* has the shape 1×10; a picture is/),
    ])
    const heights = await model(folder, ...packMeans, '--taller-heights', '64,x')
    expect(heights.code).toBe(2)
    expect(heights.stderr).toMatch(/--taller-heights is "64,x"; write rows, rising, e\.g\. 480,640\./)
    const other = await model(folder, ...packMeans, '--size', '640x384')
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/--size 640x384 does not fit the input .*1×3×32×64/),
    ])
  })
})

describe('model sign and keygen', () => {
  it('sign a package so that only holders of the public key accept it, and any change shows', {
    timeout: 240_000,
  }, async () => {
    const folder = await workshop()
    await modelJson(folder, packMeans)
    const release = await modelJson<{ keyId: string; publicKey: string }>(folder, ['keygen', 'keys/release'])
    await modelJson(folder, ['keygen', 'keys/other'])
    expect(statSync(join(folder, 'keys/release.key')).mode & 0o777).toBe(0o600)
    const signed = await modelJson<{ digest: string }>(folder, ['sign', 'means', '--key', 'keys/release.key'])
    expect(signed).toMatchObject({ id: 'means', keyId: release.keyId, files: 7 })
    expect(await modelJson(folder, ['pack', 'means'])).toMatchObject({ digest: signed.digest, signedBy: release.keyId })

    const check = async (...args: readonly string[]) =>
      (await modelJson<{ ok: boolean }>(folder, ['validate', ...args])).ok
    expect(await check('means-0.1.0.wpm', '--trusted-key', 'keys/release.pub')).toBe(true)
    expect(await check('means', '--trusted-key', release.publicKey)).toBe(true)
    const stranger = await model(folder, 'validate', 'means', '--trusted-key', 'keys/other.pub')
    expect([stranger.code, stranger.stdout]).toEqual([
      1,
      expect.stringMatching(/is refused[\s\S]*which is not trusted here/),
    ])
    writeFileSync(join(folder, 'means/CARD.md'), 'better')
    const changed = await model(folder, 'validate', 'means', '--trusted-key', 'keys/release.pub')
    expect([changed.code, changed.stdout]).toEqual([
      1,
      expect.stringMatching(/CARD.md is not the file that the manifest lists/),
    ])
    // Signing again is the way to change something.
    await modelJson(folder, ['sign', 'means', '--key', 'keys/other.key'])
    expect(await check('means', '--trusted-key', 'keys/other.pub')).toBe(true)
  })

  it('never overwrite a key, sign with a public key, or sign what an agent would refuse', {
    timeout: 240_000,
  }, async () => {
    const folder = await workshop()
    await modelJson(folder, packMeans)
    await modelJson(folder, ['keygen', 'release'])
    const again = await model(folder, 'keygen', 'release')
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringMatching(/release.key is there already and was left alone/),
    ])
    const said = (...args: readonly string[]) => model(folder, 'sign', 'means', ...args)
    expect(await said()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Give the secret key with --key FILE/),
    })
    expect((await said('--key', 'release.pub')).stderr).toMatch(/is the public key; sign with the secret one/)
    expect((await said('--key', 'means.onnx')).stderr).toMatch(/no Ed25519 secret key in PEM form/)
    const path = join(folder, 'means/manifest.json')
    const broken = JSON.stringify({ ...readJson(path), thresholds: { fog: 0.5 } })
    writeFileSync(path, broken)
    expect(await said('--key', 'release.key')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/thresholds names "fog"/),
    })
    expect(readFileSync(path, 'utf8')).toBe(broken)
  })
})

describe('model validate', () => {
  it('says which runtimes were run, which were skipped and why, and whether they agree', {
    timeout: 240_000,
  }, async () => {
    const folder = workFolder()
    interface Found {
      readonly checks: readonly {
        readonly check: string
        readonly result: string
        readonly details: readonly string[]
      }[]
    }
    const results = ({ checks }: Found) => Object.fromEntries(checks.map(({ check, result }) => [check, result]))
    const vehicles = await modelJson<Found>(folder, ['validate', join(shippedModels, 'vehicles')])
    expect(results(vehicles)).toEqual({
      package: 'ok',
      signature: 'skipped',
      'runtime onnx': 'ok',
      'runtime tfjs': 'ok',
      'runtimes agree': 'ok',
    })
    const smoke = await modelJson<Found>(folder, ['validate', join(shippedModels, 'smoke-flame')])
    expect(results(smoke)).toEqual({
      package: 'ok',
      signature: 'skipped',
      'runtime onnx': 'ok',
      'runtime tfjs': 'skipped',
    })
    expect(smoke.checks.at(-1)!.details).toEqual(['the package holds no TF.js graph.'])
  })

  it('refuses a package with every reason, one that answers wrongly, and one that is torn', {
    timeout: 240_000,
  }, async () => {
    const folder = workFolder()
    cpSync(writePackage({ thresholds: { fog: 1 }, golden: [] }), join(folder, 'bad'), { recursive: true })
    const bad = await model(folder, 'validate', 'bad')
    expect(bad.code).toBe(1)
    expect(bad.stdout).toMatch(/bad is refused/)
    expect(bad.stdout).toMatch(/thresholds names "fog"/)
    expect(bad.stdout).toMatch(/There are no golden samples/)
    const values = new Array(16).fill(0.9)
    const wrong = writePackage(
      { golden: [{ image: 'golden/g.png', expected: 'golden/g.json' }] },
      {
        'golden/g.png': greyPng,
        'golden/g.json': JSON.stringify({ outputs: { scores: { shape: [1, 2, 2, 4], values } } }),
      },
    )
    expect(await model(folder, 'validate', wrong)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/runtime onnx +failed +golden\/g.png: output "scores" differs by up to 0.7000/),
    })
    writeFileSync(join(folder, 'torn.wpm'), 'PK')
    expect(await model(folder, 'validate', 'torn.wpm')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/torn.wpm is refused:[\s\S]*not an archive that "model pack" has written/),
    })
    expect(await model(folder, 'validate', writePackage(), '--require-signature')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/The package is not signed; sign it with "npm run model -- sign"/),
    })
  })
})

describe('the model command', () => {
  it('runs from any folder through npm, with one line of JSON and its exit code', { timeout: 240_000 }, async () => {
    const folder = await workshop()
    const npm = (...args: readonly string[]) =>
      spawnSync('npm', ['--prefix', root, 'run', '--silent', 'model', '--', ...args], { cwd: folder, encoding: 'utf8' })
    const made = npm('keygen', 'release', '--json')
    expect(made).toMatchObject({ status: 0 })
    expect(JSON.parse(made.stdout)).toMatchObject({ keyFile: join(realpathSync(folder), 'release.key') })
    expect(npm('sign', 'nowhere', '--key', 'release.key')).toMatchObject({ status: 1 })
  })

  it('explains itself and each of its commands, and says what it did not understand', {
    timeout: 240_000,
  }, async () => {
    const folder = workFolder()
    const overview = await model(folder, '--help')
    expect(overview.code).toBe(0)
    const names = [...overview.stdout.matchAll(/^ {2}(\w+) {2,}/gm)].map(([, name]) => name!)
    expect(names).toEqual(['pack', 'golden', 'validate', 'eval', 'bench', 'diff', 'keygen', 'sign', 'unpack'])
    for (const name of names)
      expect(await model(folder, name, '--help')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(`npm run model -- ${name}`),
      })
    expect(await model(folder, 'bless')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/There is no command "bless"/),
    })
    expect(await model(folder, 'validate')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Give one package.*\n.*--help/),
    })
    const json = await model(folder, 'validate', '--json', '--colour')
    expect([json.code, JSON.parse(json.stdout)]).toEqual([2, { ok: false, error: expect.stringMatching(/--colour/) }])
  })
})
