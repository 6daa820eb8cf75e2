import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { loadModelPackage } from '@watchpost/edge/inference/model-package'
import { type Command, FailedError, UsageError } from '../command.js'
import { type GoldenEntry, writeGolden } from '../golden-sample.js'
import { cacheDirOf, loadRuntime, ownRuntime, packageHelp, packageOptions } from '../open-package.js'
import { createRun } from '../run-picture.js'
import { writeManifest } from '../write-manifest.js'
import { Value } from '@sinclair/typebox/value'

export const golden: Command = {
  help: `Usage: npm run model -- golden PACKAGE --image FILE [--image FILE …] [--json]

Runs the model on each picture and keeps picture and answer: from then on the package is refused where the model answers otherwise. Take
two or three pictures that show the labels and one that shows none, and pictures that you may hand on.

  --image FILE          picture; repeatable
${packageHelp}`,
  options: { ...packageOptions, image: { type: 'string', multiple: true } },
  async run(given) {
    const [folder] = given.pathArguments(1, 1, 'the folder of the package')
    const images = given.paths('image')
    if (images.length === 0) throw new UsageError('Give at least one picture with --image FILE.')
    const entries = await addGolden(folder!, images, cacheDirOf(given))
    return {
      ok: true,
      json: { golden: entries },
      text: `Golden samples: ${entries.map(({ image }) => image).join(', ')}\nLook at what the model answered before you rely on it. A signed package is to be signed again.`,
    }
  },
}

/** Adds samples to the manifest. The package may have none before; it is loaded with the new ones to check the rest. */
export const addGolden = async (
  folder: string,
  images: readonly string[],
  cacheDir: string,
): Promise<readonly GoldenEntry[]> => {
  const before = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => {
    throw new FailedError(`${folder} has no readable manifest.json; give the folder of a package.`)
  })
  const { signature: _, files: __, ...manifest } = JSON.parse(before) as ModelManifest
  try {
    // A package without any sample is refused, so its own manifest stands in while the first one is made.
    const standIn = [{ image: 'manifest.json', expected: 'manifest.json' }]
    const old = Value.Check(ModelManifest, manifest) ? manifest.golden : []
    await writeManifest(folder, { ...manifest, golden: old.length > 0 ? old : standIn })
    const model = await loadModelPackage(folder, { cacheDir, requireSignatures: false })
    const session = await (await loadRuntime(ownRuntime(model.manifest))).open(model)
    const run = createRun(model, session)
    const entries: GoldenEntry[] = [...old]
    for (const path of images)
      entries.push(await writeGolden(folder, path, new Set(entries.map(({ image }) => image)), run))
    await session.close()
    await writeManifest(folder, { ...manifest, golden: entries })
    return entries.slice(old.length)
  } catch (error) {
    await writeManifest(folder, before)
    throw error
  }
}
