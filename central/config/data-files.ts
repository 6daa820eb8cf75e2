import { join } from 'node:path'

/** What lies where in `dataDir`. */
export const dataFiles = (dataDir: string) => ({
  /** Committed messages, ledger, dead letters. */
  log: join(dataDir, 'log.sqlite'),
  registry: join(dataDir, 'registry.sqlite'),
  timeseries: join(dataDir, 'timeseries.sqlite'),
  incidents: join(dataDir, 'incidents.sqlite'),
  /** Accounts; also opened by `watchpost-central user`. */
  users: join(dataDir, 'users.sqlite'),
  evidence: join(dataDir, 'evidence'),
  /** Model packages by digest. */
  packages: join(dataDir, 'packages'),
  /** Shadow reports, and who changed which model. */
  models: join(dataDir, 'models.sqlite'),
  /** Who took labels out. */
  exportLog: join(dataDir, 'label-exports.sqlite'),
  /** What label exports gather while they run. */
  exportScratch: join(dataDir, 'label-exports'),
})
