import type { Guard } from '@watchpost/shared/contracts/model-rollout'
import { rolloutDefaults } from '@watchpost/shared/contracts/model-rollout'
import type { InferenceResult } from '../inference/inference-result.js'
import type { ModelPackage } from '../inference/model-package.js'
import type { Latency } from '../inference/shadow/percentiles.js'
import type { PackageStore } from './package-store.js'
import { createProbation, type Probation } from './probation.js'
import type { ProbationState, SlotState } from './rollout-state.js'
import { isSameModel, type RunningModel } from './running-model.js'
import type { Slots } from './slots.js'

export interface HandOverOptions {
  readonly slots: Slots
  readonly packages: PackageStore
  readonly running: (slot: string) => RunningModel
  /** Opens a folder and checks that it can stand in the place of the model. Rejects with sentences. */
  readonly load: (slot: string, folder: string) => Promise<ModelPackage>
  /** Puts the package in the place of the model, between two frames. Rejects when it cannot; nothing has changed then. */
  readonly swap: (slot: string, model: ModelPackage, digest: string | null) => Promise<void>
  readonly createLatency: () => Latency
  /** Runs it when nothing else is being done to the models. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
  readonly now: () => number
}

/** A model during whose probation the agent died so often without a stop is taken for the cause. */
const mostUncleanStarts = 2
/** Opening workers takes a core: a machine that could not do it is given some rest. */
const rollBackPauseMs = 60_000
/** Fewer frames are no measure of how fast a model is. */
const leastBaseline = 10

/** Which package stands in the place of a model: takes over, is watched, goes back. */
export const createHandOver = (options: HandOverOptions) => {
  const { slots, packages, running, log, now } = options
  const probations = new Map<string, { readonly watch: Probation; readonly model: ModelPackage }>()
  /** By slot, Unix milliseconds: no other rollback is begun by itself before; infinite while one is under way. */
  const notBefore = new Map<string, number>()
  const latencies = new Map<string, { readonly of: ModelPackage['identity']; readonly ms: Latency }>()

  const sweep = (): void => {
    // What the state on disk still names is needed at the next start.
    if (!slots.isStored()) return
    const kept = Object.values(slots.all()).flatMap(one => [one.active, one.previous?.digest, one.candidate?.digest])
    packages
      .keepOnly(new Set(kept.filter(digest => typeof digest === 'string')))
      .catch(error =>
        log.warn({ err: error }, 'Old model packages could not be removed; tried again after the next change'),
      )
  }

  /** Swaps first and notes it then: a crash between the two leaves the model that was known to work, and so does a full disk. */
  const takeOver = async (
    slot: string,
    digest: string | null,
    model: ModelPackage,
    change: Partial<SlotState>,
  ): Promise<void> => {
    await options.swap(slot, model, digest)
    probations.delete(slot)
    notBefore.delete(slot)
    slots.note(slot, { active: digest, configuredPath: running(slot).configuredPath, ...change })
    sweep()
  }

  const baselineOf = (model: RunningModel): number | null => {
    const measured = latencies.get(model.slot)
    if (!measured || !isSameModel(measured.of, model.package.identity) || measured.ms.count() < leastBaseline)
      return null
    return measured.ms.read()?.p95 ?? null
  }

  const rollBack = async (slot: string, reason: string): Promise<void> => {
    const { previous, active } = slots.get(slot)
    if (!previous)
      throw new Error(`No model came before the one that runs as "${slot}": there is nothing to go back to.`)
    const { configuredPath } = running(slot)
    const folder = previous.digest === null ? configuredPath : packages.folderOf(previous.digest)
    const model = await options.load(slot, folder)
    const change = { previous: null, probation: null, ...slots.happened('rolled-back', active, reason) }
    await takeOver(slot, previous.digest, model, change)
    log.warn({ model: slot, digest: active, to: previous.digest, reason }, 'A model was rolled back')
  }

  /** Until it is done: `tick` calls again. */
  const rollBackByItself = async (slot: string): Promise<void> => {
    if ((notBefore.get(slot) ?? 0) > now()) return
    notBefore.set(slot, Number.POSITIVE_INFINITY)
    // When its turn comes it may have gone back by command, or another model may have taken over.
    const verdict = () => slots.get(slot).probation?.verdict
    try {
      await options.inTurn(async () => {
        const reason = verdict()
        if (reason !== undefined) await rollBack(slot, reason)
      })
      notBefore.delete(slot)
    } catch (error) {
      notBefore.set(slot, now() + rollBackPauseMs)
      log.warn({ model: slot, reason: verdict(), err: error }, 'A model could not be rolled back; tried again')
      const why = `${verdict()} It could not be rolled back and is tried again: ${(error as Error).message}`
      const refused = slots.happened('refused', slots.get(slot).previous?.digest ?? null, why)
      if (slots.get(slot).last?.reason !== refused.last?.reason) slots.note(slot, refused)
    }
  }
  const condemn = (slot: string, reason: string): void => {
    // Once: until it is back, further frames say the same.
    probations.delete(slot)
    const { probation } = slots.get(slot)
    if (probation) slots.note(slot, { probation: { ...probation, verdict: reason } })
    void rollBackByItself(slot)
  }

  return {
    async promote(slot: string, digest: string, model: ModelPackage, guard: Guard): Promise<void> {
      const before = running(slot)
      const probation: ProbationState = {
        untilMs: now() + (guard.probationSeconds ?? rolloutDefaults.probationSeconds) * 1000,
        failures: guard.failures ?? rolloutDefaults.failures,
        latencyFactor: guard.latencyFactor ?? rolloutDefaults.latencyFactor,
        baselineP95Ms: baselineOf(before),
        unclean: 0,
      }
      await takeOver(slot, digest, model, {
        previous: { digest: before.digest },
        candidate: null,
        probation,
        ...slots.happened('promoted', digest, `It took over from ${nameOf(before.digest)}.`),
      })
      probations.set(slot, { watch: createProbation(probation), model })
      log.info({ model: slot, digest, version: model.manifest.version }, 'A model was promoted')
    },
    rollBack,
    /** Back to the package of the configuration. */
    async toConfigured(slot: string, reason: string): Promise<void> {
      const { digest, configuredPath } = running(slot)
      if (digest === null) return slots.write(slot, { candidate: null })
      const own = await options.load(slot, configuredPath)
      const change = { previous: { digest }, candidate: null, probation: null }
      await takeOver(slot, null, own, { ...change, ...slots.happened('promoted', null, reason) })
    },
    sweep,
    /** Before cameras start: a model whose guard has spoken, or during whose probation the agent keeps dying, goes back. */
    recover(): void {
      for (const [slot, { probation, previous, active }] of Object.entries(slots.all())) {
        if (!probation) continue
        const unclean = probation.stopped ? 0 : probation.unclean + 1
        const died = unclean > mostUncleanStarts ? `The agent died ${unclean} times within the probation.` : undefined
        const reason = probation.verdict ?? died
        if (reason === undefined || !previous) {
          slots.note(slot, { probation: { ...probation, unclean, stopped: false } })
          continue
        }
        log.warn({ model: slot, digest: active, reason }, 'A model is rolled back at start')
        const change = { active: previous.digest, previous: null, probation: null }
        slots.note(slot, { ...change, ...slots.happened('rolled-back', active, reason) })
      }
    },
    /** After a restart in the middle of a probation, which goes on. */
    resume(model: RunningModel): void {
      const { probation, active } = slots.get(model.slot)
      if (probation && active === model.digest)
        probations.set(model.slot, { watch: createProbation(probation), model: model.package })
    },
    /** What ends well is no reason for suspicion at the next start. */
    stop(): void {
      for (const [slot, { probation }] of Object.entries(slots.all()))
        if (probation) slots.note(slot, { probation: { ...probation, unclean: 0, stopped: true } })
    },
    tick(): void {
      slots.retry()
      for (const [slot, { probation, active }] of Object.entries(slots.all())) {
        if (probation?.verdict !== undefined) void rollBackByItself(slot)
        if (!probation || probation.verdict !== undefined || probation.untilMs > now()) continue
        probations.delete(slot)
        slots.note(slot, { probation: null, ...slots.happened('confirmed', active, 'It passed its probation.') })
        log.info({ model: slot, digest: active }, 'A model passed its probation')
      }
    },
    /** Packages to try in the place of the configuration's own, the best first; none when it names another than at the promotion. */
    overrides(slot: string, configuredPath: string): readonly { readonly digest: string; readonly folder: string }[] {
      const { active, previous, configuredPath: before } = slots.get(slot)
      if (active === null || before !== configuredPath) return []
      const wanted = [active, ...(previous?.digest ? [previous.digest] : [])]
      return wanted.map(digest => ({ digest, folder: packages.folderOf(digest) }))
    },
    /** Cameras run with it. If that is not the promoted package the promotion ends here: not before, for a configuration that is refused changes nothing. */
    settle({ slot, configuredPath, digest }: RunningModel, passedOver: string | undefined): void {
      const { active, configuredPath: before } = slots.get(slot)
      if (active === digest) return
      probations.delete(slot)
      const change = { active: digest, previous: null, probation: null, configuredPath }
      // The wish stays: the one that is acted upon already must not bring the promotion back when it comes again.
      if (before !== configuredPath) {
        const why = 'The configuration names another package than when it was promoted; that one runs.'
        log.info({ model: slot, digest: active }, 'The configuration names another package; it runs')
        slots.note(slot, { ...change, ...slots.happened('stopped', active, why) })
        return
      }
      const reason = passedOver ?? 'It could not be opened.'
      log.warn(
        { model: slot, digest: active, digestInstead: digest, reason },
        'A promoted model cannot be opened; an older one runs',
      )
      slots.note(slot, { ...change, ...slots.happened('rolled-back', active, reason) })
    },
    judged(slot: string, result: InferenceResult): void {
      const known = latencies.get(slot)
      const latency =
        known && isSameModel(known.of, result.model) ? known : { of: result.model, ms: options.createLatency() }
      if (latency !== known) latencies.set(slot, latency)
      latency.ms.add(result.inferenceMs)
      const probation = probations.get(slot)
      // Late answers of the model before it do not count.
      if (!probation || !isSameModel(probation.model.identity, result.model)) return
      const reason = probation.watch.judged(result.inferenceMs)
      if (reason) condemn(slot, reason)
    },
    failed(slot: string, error: Error): void {
      const reason = probations.get(slot)?.watch.failed(error.message)
      if (reason) condemn(slot, reason)
    },
  }
}

export type HandOver = ReturnType<typeof createHandOver>

const nameOf = (digest: string | null): string =>
  digest === null ? 'the configured package' : `${digest.slice(0, 12)}…`
