import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const template = fileURLToPath(
  new URL('../../deploy/ansible/roles/broker/templates/watchpost.conf.j2', import.meta.url),
)

/** Mosquitto's configuration as it is deployed: template in, text out, with these values in the place of the named ones. */
export const deployedBroker = (port: number): readonly string[] =>
  readFileSync(template, 'utf8')
    .replaceAll('{{ watchpost_broker_port }}', `${port} 127.0.0.1`)
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))

/** Only what bounds its memory and its disk, for a broker without accounts. */
export const deployedLimits = (): readonly string[] =>
  deployedBroker(0).filter(line => /^(max_|autosave|persistent_client)/.test(line))
