import { join } from 'node:path'
import { checkGolden } from '@watchpost/edge/inference/golden'
import { ModelPackageError, sentenceOf } from '@watchpost/edge/inference/inference-error'
import type { Decoded } from '@watchpost/edge/inference/inference-result'
import { loadModelPackage, type ModelPackage } from '@watchpost/edge/inference/model-package'
import { openModel } from '@watchpost/edge/inference/open-model'
import { packFolder } from '@watchpost/edge/inference/package-archive-file'
import { readPicture } from '@watchpost/edge/inference/read-picture'
import type { TrustedKeys } from '@watchpost/edge/inference/trusted-keys'
import type { Command, Given } from '../command.js'
import { largestDifference } from '../decoded-difference.js'
import {
  cacheDirOf,
  cannotOpen,
  loadRuntime,
  ownRuntime,
  packageHelp,
  packageOptions,
  type RuntimeName,
  trustedKeysOf,
  withPackageFolder,
} from '../open-package.js'
import { table } from '../terminal.js'

export interface Check {
  readonly check: string
  readonly result: 'ok' | 'failed' | 'skipped'
  /** What was looked at, or the problems, or why it was skipped. */
  readonly details: readonly string[]
}

export const validate: Command = {
  help: `Usage: npm run model -- validate PACKAGE [--trusted-key KEY …] [--require-signature] [--json]

PACKAGE is a folder or an archive (.wpm). Everything that the agent checks is checked, and more: all golden samples instead of one, on
every runtime that can open the package, and whether the runtimes agree. Exit code 1 when the package would be refused.

  --trusted-key KEY     public key (ed25519:… or file); repeatable. The package must then be signed with one of them
  --require-signature   refuse an unsigned package
${packageHelp}`,
  options: {
    ...packageOptions,
    'trusted-key': { type: 'string', multiple: true },
    'require-signature': { type: 'boolean' },
  },
  async run(given) {
    const [path] = given.pathArguments(1, 1, 'one package')
    const trustedKeys = await trustedKeysOf(given)
    const found = await withPackageFolder(path!, folder => checkPackage(folder, given, trustedKeys))
    const ok = found.checks.every(({ result }) => result !== 'failed')
    return { ok, json: { ok, package: path, ...found }, text: report(path!, ok, found) }
  },
}

interface Found {
  readonly id?: string
  readonly version?: string
  readonly sha256?: string
  readonly digest?: string
  readonly checks: readonly Check[]
}

const checkPackage = async (folder: string, given: Given, trustedKeys: TrustedKeys): Promise<Found> => {
  const requireSignatures = given.has('require-signature') || Object.keys(trustedKeys).length > 0
  let model: ModelPackage
  try {
    model = await loadModelPackage(folder, { cacheDir: cacheDirOf(given), requireSignatures, trustedKeys })
  } catch (error) {
    if (!(error instanceof ModelPackageError)) throw error
    // The first line names the folder, which the report does already.
    const details = error.message
      .split('\n')
      .slice(1)
      .map(line => line.replace(/^ {2}- /, ''))
    return { checks: [{ check: 'package', result: 'failed', details }] }
  }
  const { manifest, identity } = model
  const { sha256: digest, archive } = await packFolder(folder)
  const packed = `manifest, decoder, labels, hashes, ${manifest.golden.length} golden samples; ${(archive.length / 1e6).toFixed(1)} MB when packed`
  const checks: Check[] = [
    { check: 'package', result: 'ok', details: [packed] },
    signatureCheck(model, requireSignatures),
  ]
  const answers = new Map<RuntimeName, readonly Decoded[]>()
  for (const name of ['onnx', 'tfjs', 'scripted'] as const) {
    const why = cannotOpen(model, name)
    if (why !== undefined) {
      if (name !== 'scripted') checks.push({ check: `runtime ${name}`, result: 'skipped', details: [`${why}.`] })
      continue
    }
    const { check, decoded } = await checkRuntime(model, name)
    checks.push(check)
    if (check.result === 'ok') answers.set(name, decoded)
  }
  return { ...identity, digest, checks: [...checks, ...agreement(model, answers)] }
}

const signatureCheck = ({ manifest: { signature } }: ModelPackage, checked: boolean): Check => {
  if (!signature) return { check: 'signature', result: 'skipped', details: ['the package is not signed.'] }
  return checked
    ? { check: 'signature', result: 'ok', details: [`by the trusted key ${signature.keyId}`] }
    : {
        check: 'signature',
        result: 'skipped',
        details: [`signed with the key ${signature.keyId}; give its public half with --trusted-key to check it.`],
      }
}

const checkRuntime = async (
  model: ModelPackage,
  name: RuntimeName,
): Promise<{ readonly check: Check; readonly decoded: readonly Decoded[] }> => {
  const decoded: Decoded[] = []
  const problems: string[] = []
  try {
    const { session, answer } = await openModel(model, await loadRuntime(name))
    for (const sample of model.manifest.golden) {
      problems.push(...(await checkGolden(model, sample, { answer, readPicture })))
      const picture = await readPicture(join(model.dir, sample.image))
      decoded.push((await answer({ cameraId: 'validate', number: 1, takenAt: 0, ...picture })).decoded)
    }
    await session.close()
  } catch (error) {
    problems.push(sentenceOf(error))
  }
  const count = `${model.manifest.golden.length} golden samples within ${model.manifest.tolerance}`
  const own = name === ownRuntime(model.manifest) ? ', the one the agent takes' : ''
  const check: Check =
    problems.length > 0
      ? { check: `runtime ${name}`, result: 'failed', details: problems }
      : { check: `runtime ${name}`, result: 'ok', details: [`${count}${own}`] }
  return { check, decoded }
}

const agreement = (model: ModelPackage, answers: ReadonlyMap<RuntimeName, readonly Decoded[]>): readonly Check[] => {
  const [first, second] = [...answers.values()]
  if (!first || !second) return []
  const { tolerance, thresholds } = model.manifest
  const surelySeenFrom = Math.max(...Object.values(thresholds), 0) + tolerance
  const apart = Math.max(...first.map((one, i) => largestDifference(one, second[i]!, surelySeenFrom)))
  const details = [
    `${[...answers.keys()].join(' and ')} differ by up to ${apart.toFixed(4)}, tolerated are ${tolerance}`,
  ]
  return [{ check: 'runtimes agree', result: apart <= tolerance ? 'ok' : 'failed', details }]
}

const report = (path: string, ok: boolean, { id, version, sha256, digest, checks }: Found): string => {
  const rows = checks.flatMap(({ check, result, details }) =>
    details.map((detail, i) => (i === 0 ? [check, result, detail] : ['', '', detail])),
  )
  const identity = id === undefined ? [] : [`weights sha256  ${sha256}`, `package digest  ${digest}`]
  return [
    ok ? `${id} ${version} is valid.` : `${path} is refused.`,
    '',
    table(['check', 'result', 'what'], rows),
    ...(identity.length > 0 ? ['', ...identity] : []),
  ].join('\n')
}
