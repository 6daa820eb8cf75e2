import type { AgentView, CameraView } from '@watchpost/shared/api/incidents'
import type { LonLat } from '@watchpost/shared/contracts/primitives'
import type { ModelCommand } from '@watchpost/shared/contracts/model-rollout'
import type { CommandName, CommandReply, Desired, Reported } from '@watchpost/shared/contracts/twin'
import type { AgentAddress, ParsedTopic } from '@watchpost/shared/topics'
import type { LogConsumer } from '../ingest/committed-record.js'
import type { City, Hotspot, Site, SiteCamera, Ward } from './city.js'

/** A camera as the registry knows it; its last picture is known to the evidence room. */
export type CameraState = Omit<CameraView, 'snapshot'>

/** A camera and where it stands. */
export interface CameraPlace {
  readonly camera: SiteCamera
  readonly site: Site
  readonly ward: Ward | null
  readonly hotspot: Hotspot | null
}

/** Rejects while the broker is away. */
export type PublishDown = (topic: string, payload: string, options: { qos: 0 | 1; retain: boolean }) => Promise<void>

export interface RegistryChange {
  readonly kind: 'camera' | 'agent'
  readonly id: string
}

/** What is where in the city, and how every agent and camera is right now. */
export interface Registry {
  city(): City
  /** Undefined for a camera the city file does not name. */
  camera(cameraId: string): CameraPlace | undefined
  /** The ward whose polygon holds the point. */
  wardAt(location: LonLat): Ward | null
  siteOfAgent(): ReadonlyMap<string, string>
  cameras(): readonly CameraState[]
  /** Agents of the city file, and those that speak without being named there (`known: false`). */
  agents(): readonly AgentView[]
  isKnown(address: AgentAddress): boolean
  /** Called by ingest for data of an agent that is not in the city file: shown, counted, logged once. */
  noteUnknown(address: AgentAddress): void
  /** State, health, reported and replies, as they arrive. A message that does not fit its schema is counted, no more. */
  onMessage(topic: ParsedTopic, payload: Uint8Array): void
  /** Status messages that did not fit their schema. */
  misfits(): number
  /** Camera conditions from the committed log. */
  readonly applyRecords: LogConsumer
  /** A changed city file is in force at once. */
  replaceCity(city: City): void
  /** One listener; called after every visible change of a camera or agent. */
  onChange(listener: (change: RegistryChange) => void): void
  /** One listener; an agent of the city file is online with this epoch, also when the city file named it just now. */
  onOnline(listener: (address: AgentAddress, epoch: number) => void): void
  desired(agentId: string): Desired | undefined
  /** What the agent last said it runs. */
  reported(address: AgentAddress): Reported | null
  /** Stores and publishes the next version. Rejects with `UnknownAgentError` for an agent that is not in the city file. */
  setDesired(agentId: string, change: DesiredChange): Promise<Desired>
  /** To be called after every connection to the broker. */
  repeatDesired(): void
  /** Resolves with the agent's reply. Rejects with `CommandTimeoutError` when none comes in time. */
  command(agentId: string, name: CommandName, options?: CommandOptions): Promise<CommandReply>
  start(): void
  stop(): Promise<void>
}

/** What is not named stays as it is. */
export type DesiredChange = Partial<Pick<Desired, 'config' | 'models'>>

export interface CommandOptions {
  readonly cameraId?: string
  /** Of the command `model`. */
  readonly model?: ModelCommand
  /** Default 10 s. */
  readonly timeoutMs?: number
}
