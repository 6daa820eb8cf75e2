import { unpackArchive } from '@watchpost/edge/inference/package-archive-file'
import { type Command, UsageError } from '../command.js'

export const unpack: Command = {
  help: `Usage: npm run model -- unpack ARCHIVE FOLDER [--sha256 DIGEST] [--json]

FOLDER must not exist yet. Only the archive is checked; "model validate" checks the package.

  --sha256 DIGEST       refuse an archive with another digest`,
  options: { sha256: { type: 'string' } },
  async run(given) {
    const [archive, folder] = given.pathArguments(2, 2, 'an archive and the folder to make')
    const sha256 = given.text('sha256')
    if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
      throw new UsageError('--sha256 takes 64 hexadecimal digits in lower case.')
    await unpackArchive(archive!, folder!, sha256 === undefined ? {} : { sha256 })
    return { ok: true, json: { folder }, text: `Unpacked into ${folder}.` }
  },
}
