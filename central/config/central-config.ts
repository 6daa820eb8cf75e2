import { type Static, type TSchema, Type } from '@sinclair/typebox'

/** The schema of `central.yaml`. The type is derived from it; every default stands here and nowhere else. */
const object = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
const path = (description: string) => Type.String({ minLength: 1, description })
const port = (defaultValue: number) => Type.Integer({ minimum: 0, maximum: 65_535, default: defaultValue })

const EmbeddedBroker = object({
  mode: Type.Literal('embedded'),
  host: Type.String({ default: '127.0.0.1' }),
  port: port(1883),
  /** One line per agent: `agentId:password`; central's own credentials are made at start. */
  credentialsFile: Type.Optional(path('agent:password lines; without it only loopback may connect.')),
})
const ExternalBroker = object({
  mode: Type.Literal('external'),
  url: Type.String({ pattern: '^(mqtts?|wss?)://', description: 'Without credentials.' }),
  username: Type.Optional(Type.String()),
  passwordFile: Type.Optional(path('File that holds the password.')),
  caFile: Type.Optional(path('Certificate authority of the broker.')),
})

const EmbeddedTimeseries = object({
  kind: Type.Literal('embedded'),
  rawDays: Type.Integer({ minimum: 1, default: 90, description: 'Raw values are kept so long, rollups longer.' }),
})
const InfluxTimeseries = object({
  kind: Type.Literal('influxdb'),
  url: Type.String({ pattern: '^https?://' }),
  api: Type.Union([Type.Literal('v1'), Type.Literal('v2')], {
    description: 'v1: /write (1.x); v2: /api/v2/write (2.x, 3.x).',
  }),
  database: Type.String({ minLength: 1, description: 'Database (1.x) or bucket (2.x, 3.x).' }),
  org: Type.String({ default: 'watchpost' }),
  username: Type.Optional(Type.String()),
  passwordFile: Type.Optional(path('File that holds the password (1.x).')),
  tokenFile: Type.Optional(path('File that holds the token (2.x, 3.x).')),
})

export const CentralConfig = object({
  version: Type.Literal(1),
  dataDir: path('Log, incidents, time series and evidence, relative to the configuration file.'),
  city: path('City file: sites, agents, cameras, hotspots, wards.'),
  broker: Type.Union([EmbeddedBroker, ExternalBroker], { default: { mode: 'embedded' } }),
  ingest: object({
    logDays: Type.Integer({
      minimum: 1,
      default: 7,
      description: 'Committed messages every consumer has applied are kept so long.',
    }),
  }),
  http: object({
    host: Type.String({ default: '127.0.0.1' }),
    port: port(8080),
    trustProxy: Type.Union(
      [
        Type.Boolean({ description: 'Behind one reverse proxy; or how many there are, or a list of their addresses.' }),
        Type.Integer({
          minimum: 1,
          maximum: 10,
          description: 'Reverse proxies in front, each adding to X-Forwarded-For.',
        }),
        Type.Array(Type.String({ description: 'Address of a reverse proxy, or a network: 10.0.0.0/8.' }), {
          minItems: 1,
        }),
      ],
      { default: false },
    ),
    secureCookies: Type.Boolean({ default: false, description: 'Set behind HTTPS.' }),
  }),
  timeseries: Type.Union([EmbeddedTimeseries, InfluxTimeseries], { default: { kind: 'embedded' } }),
  evidence: object({
    maxBytes: Type.Integer({ minimum: 1024, default: 20_000_000, description: 'Largest picture or clip accepted.' }),
    retentionDays: Type.Integer({ minimum: 1, default: 365 }),
    /** One line per agent: `agentId:token`. */
    tokensFile: Type.Optional(path('agent:token lines; without it only loopback may upload.')),
  }),
  models: object({
    maxBytes: Type.Integer({ minimum: 1024, default: 268_435_456, description: 'Largest model package accepted.' }),
  }),
  incidents: object({
    mergeRadiusM: Type.Number({ minimum: 0, default: 150 }),
    sightRangeM: Type.Number({
      minimum: 0,
      default: 15_000,
      description: 'Fires whose bearings from two cameras meet within this of both are one; 0: never by bearing.',
    }),
    mergeWindowSeconds: Type.Number({ minimum: 0, default: 900 }),
  }),
  publicApi: object({
    enabled: Type.Boolean({ default: true }),
    staleAfterSeconds: Type.Integer({ minimum: 10, default: 300 }),
    snapshots: Type.Boolean({ default: true, description: 'Only redacted pictures are ever shown.' }),
    requestsPerMinute: Type.Integer({
      minimum: 0,
      default: 600,
      description: 'Per address (many phones share one); 0: no limit, when the proxy in front sets one.',
    }),
  }),
  map: object({
    styleUrl: Type.Optional(
      Type.String({ description: 'MapLibre style; without it a plain map is drawn from the city file.' }),
    ),
  }),
  log: object({
    level: Type.Union(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map(level => Type.Literal(level)),
      { default: 'info' },
    ),
  }),
})

export type CentralConfig = Static<typeof CentralConfig>
