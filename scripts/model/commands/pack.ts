import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { randomUUID } from 'node:crypto'
import { loadModelPackage } from '@watchpost/edge/inference/model-package'
import { packFolder } from '@watchpost/edge/inference/package-archive-file'
import { type Command, FailedError, type Given, type OptionTable, type Outcome, UsageError } from '../command.js'
import { cacheDirOf, packageHelp, packageOptions } from '../open-package.js'
import { cardOf } from '../pack/card.js'
import { decoderNames } from '../pack/guess.js'
import { manifestFrom } from '../pack/manifest-from.js'
import { isPictureName } from '../run-picture.js'
import { megabytes } from '../terminal.js'
import { writeManifest } from '../write-manifest.js'
import { addGolden } from './golden.js'

const texts = (...names: readonly string[]): OptionTable =>
  Object.fromEntries(names.map(name => [name, { type: 'string' }]))

export const pack: Command = {
  help: `Usage: npm run model -- pack FOLDER [--out DIR] [--json]
       npm run model -- pack MODEL.onnx --labels FILE --licence TEXT --images DIR [options] [--json]

From a folder: checks it and writes DIR/ID-VERSION.wpm. Equal folders give equal archives; the SHA-256 of the archive is the package's digest.
From an ONNX file: makes the folder DIR/ID first (manifest, weights, labels.txt, CARD.md to be completed, golden samples), then the archive.
Names, sizes and layout are read from the graph. On a terminal, what is missing is asked.

  --out DIR             where to write (default: here)
  --labels FILE|a,b,c   labels in the order of the channels
  --licence TEXT        licence of the weights
  --images DIR|FILE     pictures for golden samples; repeatable; of a folder the first four are taken
  --id ID               default: from the file's name
  --version X.Y.Z       default 0.1.0
  --decoder NAME        ${decoderNames.join(', ')} (default: guessed from the outputs)
  --task NAME           vehicles, smoke-flame, water-segmentation, detection, classification (default: by decoder)
  --size WxH            for graphs that take any size
  --taller-heights A,B  for yolox graphs that take any height: pictures that are not as wide as WxH get these many rows
  --channels rgb|bgr    order of colours the model was trained with (default rgb)
  --resize HOW          stretch or letterbox (default: letterbox for detectors)
  --mean A[,B,C]        value = (pixel 0..255 - mean) / std (default 0)
  --std A[,B,C]         e.g. --mean 123.7,116.3,103.5 --std 58.4,57.1,57.4 for ImageNet (default 1)
  --activation NAME     what is still to be applied to the output: none, sigmoid, softmax
  --threshold T         0..1, or LABEL=T,LABEL=T (default 0.3)
  --tolerance T         by how much golden scores may differ (default 0.02)
  --option NAME=VALUE   further option of the decoder, e.g. strides=[8,16,32]; repeatable
${packageHelp}

  npm run model -- pack smoke.onnx --labels smoke,flame --licence Apache-2.0 --images samples --threshold 0.5`,
  options: {
    ...packageOptions,
    ...texts(
      'out',
      'labels',
      'licence',
      'id',
      'version',
      'decoder',
      'task',
      'size',
      'taller-heights',
      'channels',
      'resize',
      'mean',
      'std',
    ),
    ...texts('activation', 'threshold', 'tolerance'),
    images: { type: 'string', multiple: true },
    option: { type: 'string', multiple: true },
  },
  async run(given) {
    const [source] = given.pathArguments(1, 1, 'a package folder or an ONNX file')
    const out = given.path('out') ?? given.here
    const found = await stat(source!).catch(() => undefined)
    if (!found) throw new FailedError(`${source} does not exist; give a package folder or an ONNX file.`)
    if (found.isDirectory()) return archive(source!, out, given)
    if (/\.onnx$/i.test(source!)) return archive(await makeFolder(source!, out, given), out, given)
    throw new UsageError(`${source} is neither a folder nor an .onnx file; "model unpack" opens archives.`)
  },
}

const archive = async (folder: string, out: string, given: Given): Promise<Outcome> => {
  if (!relative(folder, out).startsWith('..'))
    throw new UsageError(`The archive would lie in the package itself (${out}); give another place with --out DIR.`)
  const { manifest } = await loadModelPackage(folder, { cacheDir: cacheDirOf(given), requireSignatures: false })
  const { archive: bytes, sha256 } = await packFolder(folder)
  const file = join(out, `${manifest.id}-${manifest.version}.wpm`)
  await mkdir(out, { recursive: true })
  const part = join(out, `.${randomUUID()}.part`)
  try {
    await writeFile(part, bytes)
    await rename(part, file)
  } finally {
    await rm(part, { force: true })
  }
  const { id, version, signature } = manifest
  return {
    ok: true,
    json: { id, version, folder, file, bytes: bytes.length, digest: sha256, signedBy: signature?.keyId ?? null },
    text: `${id} ${version}, ${signature ? `signed with the key ${signature.keyId}` : 'not signed'}
  folder   ${folder}
  archive  ${file} (${megabytes(bytes.length)})
  digest   ${sha256}`,
  }
}

const makeFolder = async (onnxPath: string, out: string, given: Given): Promise<string> => {
  const plan = await manifestFrom(onnxPath, given)
  const { manifest } = plan
  const images = await goldenPictures(plan.images)
  const folder = join(out, manifest.id)
  if (await stat(folder).catch(() => undefined))
    throw new FailedError(`${folder} is there already and was left alone; give another --id or --out, or remove it.`)
  // Beside its place under another name: a package that cannot be finished leaves nothing behind.
  const part = join(out, `.${randomUUID()}.part`)
  try {
    await mkdir(part, { recursive: true })
    await copyFile(onnxPath, join(part, manifest.weights.path))
    await writeFile(join(part, 'labels.txt'), `${manifest.labels.join('\n')}\n`)
    await writeFile(join(part, 'CARD.md'), cardOf(manifest))
    await writeManifest(part, manifest)
    await addGolden(part, images, cacheDirOf(given))
    await rename(part, folder)
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replaceAll(part, folder)
    throw error
  } finally {
    await rm(part, { recursive: true, force: true })
  }
  return folder
}

const fromFolder = 4

const goldenPictures = async (paths: readonly string[]): Promise<readonly string[]> => {
  const found: string[] = []
  for (const path of paths) {
    const entry = await stat(path).catch(() => undefined)
    if (!entry) throw new FailedError(`--images ${path} does not exist.`)
    const names = entry.isDirectory() ? (await readdir(path)).filter(isPictureName).toSorted().slice(0, fromFolder) : []
    if (entry.isDirectory() && names.length === 0) throw new FailedError(`--images ${path} holds no picture.`)
    found.push(...(entry.isDirectory() ? names.map(name => join(path, name)) : [path]))
  }
  return found
}
