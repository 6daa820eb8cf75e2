import type { Guard, ModelCommand, ModelWish } from '@watchpost/shared/contracts/model-rollout'
import { rolloutDefaults } from '@watchpost/shared/contracts/model-rollout'
import type { ShadowReport, ShadowReports } from '@watchpost/shared/contracts/shadow-report'
import type { Reported } from '@watchpost/shared/contracts/twin'
import type { Frame } from '../frames/frame.js'
import type { Candidate } from '../inference/candidate.js'
import type { InferenceResult } from '../inference/inference-result.js'
import type { ModelPackage } from '../inference/model-package.js'
import type { ShadowRun } from '../inference/shadow/shadow-run.js'
import { createCandidateNotes } from './candidate-notes.js'
import { beginTrial, type CandidateTrial, type TrialSteps } from './candidate-trial.js'
import type { Download } from './download.js'
import { createHandOver, type HandOver, type HandOverOptions } from './hand-over.js'
import type { CandidateState, RolloutStore } from './rollout-state.js'
import { checkCameras, findModel, type RunningModel } from './running-model.js'
import { createSlots } from './slots.js'

export interface ModelDeskOptions
  extends Pick<HandOverOptions, 'packages' | 'load' | 'swap' | 'createLatency' | 'log'> {
  readonly store: RolloutStore
  readonly download: Download
  readonly running: () => readonly RunningModel[]
  /** What a candidate lacks that the active model has; rejects as `load` does. */
  readonly loadCandidate: (slot: string, folder: string) => Promise<ModelPackage>
  readonly openCandidate: TrialSteps['open']
  readonly beginShadow: (options: {
    readonly model: string
    readonly active: RunningModel
    readonly candidate: { readonly package: ModelPackage; readonly digest: string }
    readonly judge: Candidate['judge']
    readonly cameras: readonly string[] | null
    readonly cpuShare: number
    readonly onFailure: (error: Error) => void
  }) => ShadowRun
  /** Unix milliseconds. */
  readonly now?: () => number
  readonly reportEveryMs?: number
}

export interface ModelDesk extends Pick<HandOver, 'overrides' | 'settle' | 'failed'> {
  /** Reads what an earlier run left, before cameras start. */
  recover(): void
  /** The cameras run: goes on with candidates of an earlier run. */
  start(): void
  stop(): Promise<void>
  /** A frame the active model has judged. */
  judged(slot: string, frame: Frame, result: InferenceResult): void
  /** What central wants; resolves when it is noted, fetching and opening go on by themselves. What cannot be is told by `errors`. */
  desire(wishes: readonly ModelWish[]): Promise<void>
  /** Rejects with the sentence for the reply. */
  command(command: ModelCommand): Promise<Record<string, unknown>>
  standings(): Reported['models']
  errors(): Reported['errors']
  reports(): ShadowReports
  /** One listener each: the standing of a model, or the reports, have changed. */
  onChanged(listener: () => void): void
  onReports(listener: () => void): void
}

const mostReports = 8

/** How a new package gets into the place of a model: fetched, tried, compared, promoted, watched, taken back. */
export const createModelDesk = (options: ModelDeskOptions): ModelDesk => {
  const { store, packages, log, now = Date.now, reportEveryMs = 30_000 } = options
  const slots = createSlots(store, { now, log })
  const trials = new Map<string, CandidateTrial>()
  const finished = new Map<string, ShadowReport>()
  /** Weights of the active model each run compares with. */
  const comparedWith = new Map<string, string>()
  let errors: Reported['errors'] = []
  let onChanged = (): void => {}
  let onReports = (): void => {}
  let timer: NodeJS.Timeout | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let begun = (): void => {}
  const started = new Promise<void>(resolve => {
    begun = resolve
  })
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work)
    queue = done.catch(() => undefined)
    return done
  }
  const find = (id: string): RunningModel => findModel(options.running(), id)
  const handOver = createHandOver({ ...options, slots, running: find, inTurn, now })
  const notes = createCandidateNotes({ slots, log, onGivenUp: () => onReports() })
  slots.onChanged(() => onChanged())

  const endTrial = async (slot: string): Promise<void> => {
    const trial = trials.get(slot)
    trials.delete(slot)
    comparedWith.delete(slot)
    await trial?.stop()
    notes.closed(slot)
    onChanged()
    const report = trial?.report()
    if (!report) return
    finished.set(slot, report)
    onReports()
  }

  /** Candidates that kill the agent do it when they are opened, or with their first frames. */
  const acquit = (): void => {
    for (const [slot, trial] of trials) {
      const report = trial.phase() === 'shadowing' ? trial.report() : undefined
      if (report && now() - Date.parse(report.startedAt) >= reportEveryMs) notes.acquit(slot)
    }
  }

  const begin = (slot: string, candidate: CandidateState): void => {
    const { digest } = candidate
    const folder = packages.folderOf(digest)
    const trial = beginTrial(candidate, {
      obtain: async request => {
        if (packages.has(digest)) return
        await options.download({ ...request, digest, part: packages.partOf(digest) })
        await packages.unpack(digest)
      },
      load: async () => {
        notes.opening(slot)
        return options.loadCandidate(slot, folder)
      },
      open: options.openCandidate,
      begin: (opened, onFailure) => {
        finished.delete(slot)
        comparedWith.set(slot, find(slot).package.identity.sha256)
        const { cameras, cpuShare } = candidate
        return options.beginShadow({
          model: slot,
          active: find(slot),
          candidate: { package: opened.model, digest },
          judge: opened.judge,
          cameras,
          cpuShare,
          onFailure,
        })
      },
      onReady: () => {
        if (candidate.goal === 'active') {
          void inTurn(async () => {
            // When its turn comes it may have been stopped, or another one wished.
            if (trials.get(slot) === trial) await promote(slot, digest).catch(error => trial.fail(error.message))
          })
          return
        }
        log.info({ model: slot, digest }, 'A candidate runs in shadow')
        const why = 'Its golden answers are right; it is compared with the active model.'
        slots.note(slot, slots.happened('shadowing', digest, why))
        onReports()
      },
      onFailed: reason => notes.giveUp(slot, reason),
      onChanged: () => onChanged(),
    })
    trials.set(slot, trial)
    onChanged()
  }
  const tryOut = async ({ slot, configuredPath }: RunningModel, candidate: CandidateState): Promise<void> => {
    // While a promotion lasts, the path it was made for stays.
    const path = slots.get(slot).active === null ? { configuredPath } : {}
    const wanted = notes.asWished(slot, candidate)
    slots.write(slot, { candidate: wanted, ...path })
    await endTrial(slot)
    begin(slot, wanted)
  }
  const beginAnew = async (slot: string): Promise<void> => {
    const { candidate } = slots.get(slot)
    if (!candidate || !trials.has(slot)) return
    await endTrial(slot)
    begin(slot, candidate)
  }
  const dropCandidate = async (slot: string, why: string): Promise<void> => {
    const digest = slots.get(slot).candidate?.digest
    if (digest === undefined) return
    slots.write(slot, { candidate: null, ...slots.happened('stopped', digest, why) })
    await endTrial(slot)
    handOver.sweep()
  }
  const promote = async (slot: string, digest: string, guard: Guard = {}): Promise<void> => {
    const trial = trials.get(slot)
    const model = trial?.state.digest === digest ? trial.model() : undefined
    if (trial?.state.digest === digest && trial.phase() === 'failed')
      throw new Error(`Package ${digest.slice(0, 12)}… was given up: ${trial.problem()} Shadow it again first.`)
    if (!trial || !model)
      throw new Error(`Package ${digest.slice(0, 12)}… was never loaded as a candidate for "${slot}"; shadow it first.`)
    notes.opening(slot)
    await handOver.promote(slot, digest, model, { ...trial.state.guard, ...guard })
    await endTrial(slot)
  }
  const isShadowing = (slot: string, digest: string): boolean =>
    trials.get(slot)?.state.digest === digest && trials.get(slot)?.phase() === 'shadowing'

  const checkNotGivenUp = (slot: string, digest: string): void => {
    const objection = notes.objection(slot, digest)
    if (objection === undefined) return
    throw new Error(
      `Package ${digest.slice(0, 12)}… was given up in its shadow run: ${objection} Run it in shadow again, or stop that run first to promote it without.`,
    )
  }

  const act = async (wish: ModelWish): Promise<void> => {
    const model = find(wish.id)
    const { slot } = model
    checkCameras(model, wish.cameras)
    if (JSON.stringify(slots.get(slot).wish) === JSON.stringify(wish)) return
    if (wish.mode === 'configured') {
      await endTrial(slot)
      await handOver.toConfigured(slot, 'Central wants the configured package.')
    } else if (wish.mode === 'active' && wish.digest === model.digest)
      await dropCandidate(slot, 'Central wants the model that runs.')
    else if (wish.mode === 'active' && wish.digest !== undefined && isShadowing(slot, wish.digest))
      await promote(slot, wish.digest, wish.guard)
    else {
      const candidate = candidateOf(wish.mode, wish)
      if (wish.mode === 'active') checkNotGivenUp(slot, candidate.digest)
      await tryOut(model, candidate)
    }
    slots.write(slot, { wish })
  }

  const dropUnwished = async (wishes: readonly ModelWish[]): Promise<void> => {
    const wished = new Set(
      wishes.flatMap(({ id }) =>
        options
          .running()
          .filter(one => isNamed(one, id))
          .map(one => one.slot),
      ),
    )
    for (const { slot } of options.running()) {
      const { wish, candidate } = slots.get(slot)
      if (!wish || wished.has(slot)) continue
      // What runs already stays, and so does another candidate that a command has brought since.
      if (candidate?.digest === wish.digest) await dropCandidate(slot, 'Central no longer wants it.')
      slots.write(slot, { wish: null })
    }
  }

  const carryOut = async (command: ModelCommand): Promise<Record<string, unknown>> => {
    const model = find(command.id)
    const { slot } = model
    if (command.action === 'shadow') {
      checkCameras(model, command.cameras)
      await tryOut(model, candidateOf('shadow', command))
    } else if (command.action === 'stop-shadow') await dropCandidate(slot, 'By command.')
    else if (command.action === 'rollback') await handOver.rollBack(slot, 'By command.')
    else await promote(slot, candidateOf('active', command).digest, command.guard)
    return { model: standings().find(one => one.slot === slot) }
  }

  const standings = (): Reported['models'] =>
    options.running().map(({ slot, package: active, digest }) => {
      const { previous, probation, last } = slots.get(slot)
      const isWatched = probation !== null && probation.untilMs > now()
      return {
        ...active.identity,
        slot,
        digest,
        previous,
        probationUntil: isWatched ? new Date(probation.untilMs).toISOString() : null,
        candidate: standingOf(trials.get(slot)),
        last,
      }
    })

  const reports = (): ShadowReport[] => {
    const current = new Map(finished)
    for (const [slot, trial] of trials) {
      const report = trial.report()
      if (report) current.set(slot, report)
    }
    return [...current.values()].slice(0, mostReports)
  }

  return {
    overrides: handOver.overrides,
    settle: handOver.settle,
    failed: handOver.failed,
    recover() {
      slots.recover()
      handOver.recover()
      notes.recover()
    },
    start() {
      for (const model of options.running()) {
        handOver.resume(model)
        const { candidate } = slots.get(model.slot)
        if (candidate) begin(model.slot, candidate)
      }
      handOver.sweep()
      timer = setInterval(() => {
        handOver.tick()
        void inTurn(async () => acquit())
        if (trials.size > 0) onReports()
      }, reportEveryMs)
      begun()
      onChanged()
    },
    async stop() {
      clearInterval(timer)
      await inTurn(async () => {
        for (const slot of [...trials.keys()]) {
          await endTrial(slot)
          notes.acquit(slot)
        }
      })
      handOver.stop()
    },
    judged(slot, frame, result) {
      handOver.judged(slot, result)
      const known = comparedWith.get(slot)
      if (known === undefined || known === result.model.sha256) return trials.get(slot)?.offer(frame, result)
      // Another model is active, by the configuration or a promotion: what was counted says nothing about it.
      comparedWith.delete(slot)
      void inTurn(() => beginAnew(slot))
    },
    async desire(wishes) {
      await started
      await inTurn(async () => {
        const found: Reported['errors'] = []
        for (const [index, wish] of wishes.entries())
          await act(wish).catch((error: Error) => found.push({ path: `models[${index}]`, message: error.message }))
        await dropUnwished(wishes).catch((error: Error) => found.push({ path: 'models', message: error.message }))
        errors = found
      })
      onChanged()
    },
    command: command => inTurn(() => carryOut(command)),
    standings,
    errors: () => errors,
    reports: () => ({ at: new Date(now()).toISOString(), reports: reports() }),
    onChanged(listener) {
      onChanged = listener
    },
    onReports(listener) {
      onReports = listener
    },
  }
}

const isNamed = ({ slot, package: { manifest } }: RunningModel, id: string): boolean =>
  slot === id || manifest.id === id

const candidateOf = (goal: CandidateState['goal'], wish: ModelWish | ModelCommand): CandidateState => {
  if (wish.digest === undefined) throw new Error('The digest is missing: say which package.')
  const guard: Guard = { ...wish.guard }
  return {
    digest: wish.digest,
    goal,
    cameras: wish.cameras ?? null,
    cpuShare: wish.cpuShare ?? rolloutDefaults.cpuShare,
    guard,
  }
}

const standingOf = (trial: CandidateTrial | undefined): Reported['models'][number]['candidate'] => {
  if (!trial) return null
  const { digest, cameras, cpuShare } = trial.state
  const [version, bytes, problem] = [trial.model()?.manifest.version, trial.receivedBytes(), trial.problem()]
  return {
    digest,
    phase: trial.phase(),
    cameras: cameras === null ? null : [...cameras],
    cpuShare,
    ...(version === undefined ? {} : { version }),
    ...(bytes === undefined ? {} : { receivedBytes: bytes }),
    ...(problem === undefined ? {} : { problem: problem.slice(0, 1000) }),
  }
}
