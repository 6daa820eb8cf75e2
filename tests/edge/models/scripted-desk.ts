import type { ShadowReport } from '@watchpost/shared/contracts/shadow-report'
import { vi } from 'vitest'
import type { Frame } from '../../../edge/frames/frame.js'
import type { ModelPackage } from '../../../edge/inference/model-package.js'
import { createModelDesk, type ModelDesk, type ModelDeskOptions } from '../../../edge/models/model-desk.js'
import type { RolloutState, RolloutStore, SlotState } from '../../../edge/models/rollout-state.js'
import type { RunningModel } from '../../../edge/models/running-model.js'

export const digestOf = (digit: string): string => digit.repeat(64)
/** Two candidates. */
export const [first, second] = [digestOf('1'), digestOf('2')]
export const configuredPath = '/etc/watchpost/water'
export const frame = { cameraId: 'le-loi-1' } as Frame
export const tickMs = 30_000

/** The package of a folder: its path says everything. */
export const packageIn = (folder: string): ModelPackage =>
  ({
    dir: folder,
    manifest: { id: 'water', version: folder },
    identity: { id: 'water', version: folder, sha256: folder },
  }) as never
const folderOf = (digest: string): string => `/packages/${digest}`

/** What outlives the agent. */
export interface Disk extends RolloutStore {
  state: RolloutState
  isFull: boolean
  readonly packages: Set<string>
}

export const emptyDisk = (): Disk => ({
  state: {},
  isFull: false,
  packages: new Set(),
  read() {
    return structuredClone(this.state) as RolloutState
  },
  write(state) {
    if (this.isFull) throw new Error('ENOSPC: no space left on device, write')
    this.state = structuredClone(state) as RolloutState
  },
})

export interface ScriptedDesk {
  readonly desk: ModelDesk
  readonly log: { readonly info: ReturnType<typeof vi.fn>; readonly warn: ReturnType<typeof vi.fn> }
  readonly load: ReturnType<typeof vi.fn<ModelDeskOptions['load']>>
  readonly swap: ReturnType<typeof vi.fn<ModelDeskOptions['swap']>>
  readonly open: ReturnType<typeof vi.fn<ModelDeskOptions['openCandidate']>>
  /** What runs now, in the place of the only model. */
  running(): RunningModel
  /** A frame that what runs has judged. */
  judge(): void
  standing(): NonNullable<ReturnType<ModelDesk['standings']>[number]>
  slot(): SlotState
}

export interface DeskScript {
  readonly path?: string
  /** Of the candidate's worker; by default it opens and judges. */
  readonly open?: ModelDeskOptions['openCandidate']
  readonly download?: ModelDeskOptions['download']
  /** Why the shadow run fails with every frame. */
  readonly shadowFailure?: string
}

/** One life of the agent's desk, with one model "water"; time is vitest's, workers and downloads follow the script. */
export const openDesk = (disk: Disk, script: DeskScript = {}): ScriptedDesk => {
  const { path = configuredPath } = script
  const log = { info: vi.fn(), warn: vi.fn() }
  const load = vi.fn<ModelDeskOptions['load']>(async (_slot, folder) => packageIn(folder))
  let running: RunningModel
  const swap = vi.fn<ModelDeskOptions['swap']>(async (_slot, model, digest) => {
    running = { ...running, package: model, digest }
  })
  const open = vi.fn<ModelDeskOptions['openCandidate']>(
    script.open ?? (async model => ({ model, judge: vi.fn(), close: async () => {} })),
  )
  const desk = createModelDesk({
    store: disk,
    packages: {
      folderOf,
      partOf: digest => `${folderOf(digest)}.wpm.part`,
      has: digest => disk.packages.has(digest),
      unpack: async digest => void disk.packages.add(digest),
      keepOnly: async kept => {
        for (const digest of disk.packages) if (!kept.has(digest)) disk.packages.delete(digest)
      },
    },
    download: script.download ?? (async () => {}),
    running: () => [running],
    load,
    loadCandidate: async (_slot, folder) => packageIn(folder),
    openCandidate: open,
    beginShadow: ({ candidate, onFailure }) => {
      const startedAt = new Date().toISOString()
      let compared = 0
      return {
        offer: () => {
          if (script.shadowFailure === undefined) compared++
          else onFailure(new Error(script.shadowFailure))
        },
        report: () => ({ startedAt, candidate: { digest: candidate.digest }, frames: { compared } }) as ShadowReport,
        stop: () => {},
      }
    },
    swap,
    createLatency: () => ({ add: () => {}, count: () => 0, read: () => null }) as never,
    log,
  })
  desk.recover()
  const [promoted] = desk.overrides('water', path).filter(({ digest }) => disk.packages.has(digest))
  running = {
    slot: 'water',
    configuredPath: path,
    package: packageIn(promoted?.folder ?? path),
    digest: promoted?.digest ?? null,
    cameras: ['le-loi-1'],
  }
  return {
    desk,
    log,
    load,
    swap,
    open,
    running: () => running,
    judge: () =>
      desk.judged('water', frame, {
        model: running.package.identity,
        decoded: { kind: 'cells' },
        inferenceMs: 5,
      } as never),
    standing: () => desk.standings()[0]!,
    slot: () => disk.state.water!,
  }
}

/** Everything that needs no time is done. */
export const settled = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(1)
}

/** Fetched, tried and promoted from central, whatever runs. */
export const promote = async ({ desk, running }: ScriptedDesk, digest: string, guard: object = {}): Promise<void> => {
  await desk.desire([{ id: 'water', mode: 'active', digest, at: new Date().toISOString(), guard }])
  await settled()
  if (running().digest !== digest) throw new Error('It was not promoted.')
}

export const fail = ({ desk }: ScriptedDesk, times: number): void => {
  for (let i = 0; i < times; i++) desk.failed('water', new Error('bad output'))
}
