/** The import law: rooms see each other's types only; the composition root hands values over. */
const pureRooms = '^(edge/(analytics|rules)|central/incidents/engine)/'
const adapterFolders = '/(runtimes|adapters|influxdb|embedded|sqlite|postgres)/'
// A worker thread has a composition root of its own: adapters cannot be handed into it as values.
const roots = '^(edge/(agent|replay|main|inference/inference-worker)|central/(service|main))[.]ts$'

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'shared-is-a-leaf',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(edge|central|scripts|tests)/' },
    },
    {
      name: 'shared-does-no-io',
      severity: 'error',
      from: { path: '^shared/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'edge-and-central-meet-on-the-wire-only',
      severity: 'error',
      from: { path: '^(edge|central)/' },
      to: { path: '^(edge|central)/', pathNot: '^$1/' },
    },
    {
      name: 'rooms-see-only-types',
      severity: 'error',
      from: { path: '^(edge|central)/([^/]+)/' },
      to: { path: '^(edge|central)/([^/]+)/', pathNot: '^$1/$2/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-rooms-do-no-io',
      severity: 'error',
      from: { path: pureRooms },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional'] },
    },
    {
      name: 'only-the-root-picks-adapters',
      severity: 'error',
      from: { path: '^(edge|central)/', pathNot: [roots, adapterFolders] },
      to: { path: adapterFolders, pathNot: '^(shared|node_modules)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'console-knows-the-api-only',
      severity: 'error',
      from: { path: '^central/console/' },
      to: { path: '^(edge|central)/', pathNot: '^central/console/' },
    },
    {
      name: 'nothing-imports-scripts-or-tests',
      severity: 'error',
      from: { path: '^(edge|central|shared)/' },
      to: { path: '^(scripts|tests)/' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: 'tfjs-node' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: '.tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
}
