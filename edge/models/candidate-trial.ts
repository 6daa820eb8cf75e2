import type { CandidatePhase } from '@watchpost/shared/contracts/model-rollout'
import type { ShadowReport } from '@watchpost/shared/contracts/shadow-report'
import type { Frame } from '../frames/frame.js'
import type { Candidate } from '../inference/candidate.js'
import type { InferenceResult } from '../inference/inference-result.js'
import type { ModelPackage } from '../inference/model-package.js'
import type { ShadowRun } from '../inference/shadow/shadow-run.js'
import type { DownloadRequest } from './download.js'
import type { CandidateState } from './rollout-state.js'

export interface TrialSteps {
  /** Fetches and unpacks the package when it is not on disk yet. */
  readonly obtain: (request: Pick<DownloadRequest, 'signal' | 'onProgress' | 'onTrouble'>) => Promise<void>
  /** Opens the package from disk and checks that it fits the cameras. */
  readonly load: () => Promise<ModelPackage>
  /** In its own worker, golden samples included; given up at once when the signal aborts. */
  readonly open: (
    model: ModelPackage,
    options: { readonly onLost: (cause: Error) => void; readonly signal: AbortSignal },
  ) => Promise<Candidate>
  readonly begin: (candidate: Candidate, onFailure: (error: Error) => void) => ShadowRun
  /** Everything passed: the candidate runs, or may take over. */
  readonly onReady: (model: ModelPackage) => void
  /** It is given up; `trouble` says why. */
  readonly onFailed: (reason: string) => void
  readonly onChanged: () => void
}

export interface CandidateTrial {
  readonly state: CandidateState
  phase(): CandidatePhase
  model(): ModelPackage | undefined
  receivedBytes(): number | undefined
  problem(): string | undefined
  offer(frame: Frame, result: InferenceResult): void
  report(): ShadowReport | undefined
  /** Gives it up. */
  fail(reason: string): void
  /** Ends the download, the run and the worker, whatever it is at. */
  stop(): Promise<void>
}

/** A candidate that fails so often in a row does not get better. */
const mostFailuresInRow = 10

/**
 * One candidate from its wish to its shadow run: fetch, check, open, compare. Starts at once, unless it was given up before; nothing it
 * does reaches the active model.
 */
export const beginTrial = (state: CandidateState, steps: TrialSteps): CandidateTrial => {
  const stopping = new AbortController()
  let phase: CandidatePhase = state.failed === undefined ? 'downloading' : 'failed'
  let model: ModelPackage | undefined
  let candidate: Candidate | undefined
  let run: ShadowRun | undefined
  let receivedBytes: number | undefined
  let problem = state.failed
  let failuresInRow = 0
  let comparedBefore = 0

  const enter = (next: CandidatePhase): void => {
    phase = next
    problem = undefined
    steps.onChanged()
  }
  const give = (reason: string): void => {
    if (phase === 'failed' || stopping.signal.aborted) return
    run?.stop()
    phase = 'failed'
    problem = reason
    void candidate?.close()
    steps.onFailed(reason)
    steps.onChanged()
  }
  const onFailure = (error: Error): void => {
    const compared = run?.report().frames.compared ?? 0
    failuresInRow = compared > comparedBefore ? 1 : failuresInRow + 1
    comparedBefore = compared
    if (failuresInRow >= mostFailuresInRow)
      give(`${failuresInRow} frames in a row could not be judged: ${error.message}`)
  }
  const progress = (bytes: number): void => {
    const before = receivedBytes ?? 0
    receivedBytes = bytes
    if (Math.floor(bytes / reportEveryBytes) > Math.floor(before / reportEveryBytes)) steps.onChanged()
  }
  const trouble = (why: string | null): void => {
    if ((why ?? undefined) === problem) return
    problem = why ?? undefined
    steps.onChanged()
  }

  const pursue = async (): Promise<void> => {
    if (phase === 'failed') return
    await steps.obtain({ signal: stopping.signal, onProgress: progress, onTrouble: trouble })
    if (stopping.signal.aborted) return
    enter('opening')
    const loaded = await steps.load()
    const opened = await steps.open(loaded, { onLost: cause => give(cause.message), signal: stopping.signal })
    candidate = opened
    if (stopping.signal.aborted) return opened.close()
    model = loaded
    if (state.goal === 'shadow') {
      run = steps.begin(opened, onFailure)
      enter('shadowing')
    } else {
      // It has shown its golden answers; the pool opens it anew.
      await opened.close()
      enter('promoting')
    }
    steps.onReady(loaded)
  }
  const ended = pursue().catch((error: unknown) => {
    if (!stopping.signal.aborted) give(error instanceof Error ? error.message : String(error))
  })

  return {
    state,
    phase: () => phase,
    model: () => model,
    receivedBytes: () => (phase === 'downloading' ? receivedBytes : undefined),
    problem: () => problem,
    offer: (frame, result) => run?.offer(frame, result),
    report: () => run?.report(),
    fail: give,
    async stop() {
      stopping.abort()
      run?.stop()
      await ended
      await candidate?.close()
    },
  }
}

const reportEveryBytes = 1_000_000
