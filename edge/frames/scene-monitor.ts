import type { CameraCondition } from '@watchpost/shared/contracts/camera-health'
import { createCadence } from './cadence.js'
import type { Frame } from './frame.js'
import { createHold, type HoldTimes } from './hold.js'
import { colourOf, differenceOf, type Luma, lumaOf, shrink, statisticsOf } from './luma.js'
import { createSceneReference, type SceneReference } from './scene-reference.js'
import { bestShift, type Shift, scoreAt, type View, viewHeight, viewOf, viewWidth } from './view.js'

export type SceneCondition = Extract<CameraCondition, 'black' | 'covered' | 'frozen' | 'blurred' | 'moved'>

export interface SceneChange {
  readonly cameraId: string
  readonly condition: SceneCondition
  readonly phase: 'began' | 'ended'
  readonly message: string
  readonly hint: string
  /** The frame's time, Unix milliseconds, UTC. */
  readonly at: number
}

export interface SceneMonitor {
  /** Every captured frame; looks at one per second. Times are the frames' own: no clock. */
  offer(frame: Frame): readonly SceneChange[]
  /** What holds now. */
  current(): readonly SceneCondition[]
  /** The way it looks now is right (the camera was turned on purpose): learn anew. */
  relearn(): void
}

export interface SceneMonitorOptions {
  readonly cameraId: string
  /** Pictures of a folder may well be alike: `frozen` is not reported. */
  readonly mayStandStill?: boolean
}

const looksPerSecond = 1
const holds: Record<SceneCondition, HoldTimes> = {
  black: { beginMs: 10_000, endMs: 3_000 },
  covered: { beginMs: 10_000, endMs: 5_000 },
  frozen: { beginMs: 60_000, endMs: 0 },
  blurred: { beginMs: 30_000, endMs: 10_000 },
  moved: { beginMs: 15_000, endMs: 10_000 },
}
const conditions = Object.keys(holds) as SceneCondition[]

const blackMean = 18
const blackBright = 32
/** Below this spread of grey levels there is nothing to see at all. */
const blankVariance = 30
const blankBlockShare = 0.2
const coveredShare = 0.85
const structuredBlock = 1
const leastStructuredBlocks = 6
const stillMean = 0.25
const stillChanged = 0.0005
const blurredShare = 0.25
/** Scores of unlike scenes stay below 0.1, those of one scene above 0.25 even in dense traffic (measured on seven real cameras). */
const likeScore = 0.25
const unlikeScore = 0.12
const shiftedScore = 0.4
const shiftedGain = 0.15
const leastShift = 2
/** A view that fades over minutes (dusk, fog) was not pushed: it must have been right so shortly before. */
const suddenMs = 5_000
/** Unlike for so long without having been pushed: this is how it looks now. */
const adoptAfterMs = 300_000
/** The search for a shift takes 3 to 10 ms; in dense traffic it would be needed for each look. */
const searchEveryMs = 4_000
const greyBelow = 2
const colourAbove = 4

interface Look {
  readonly at: number
  readonly luma: Luma
  readonly view: View
  readonly statistics: ReturnType<typeof statisticsOf>
}

/** Tells from the pictures alone whether the camera still sees what it should. */
export const createSceneMonitor = ({ cameraId, mayStandStill = false }: SceneMonitorOptions): SceneMonitor => {
  const cadence = createCadence(looksPerSecond)
  const held = new Map(conditions.map(condition => [condition, createHold(holds[condition])]))
  let references = { colour: createSceneReference(), grey: createSceneReference() }
  let mode: 'colour' | 'grey' = 'colour'
  let anchor: Luma | undefined
  let likeAt: number | undefined
  let unlikeSince: number | undefined
  let wasPushed = false
  let movedBy = ''
  let searched: { readonly at: number; readonly shift: Shift } | undefined

  /** Infra-red nights look so different that they have a reference of their own. */
  const referenceFor = (frame: Frame): SceneReference => {
    const colour = colourOf(frame)
    const next = colour < greyBelow ? 'grey' : colour > colourAbove ? 'colour' : mode
    if (next !== mode) {
      mode = next
      likeAt = undefined
      unlikeSince = undefined
    }
    return references[mode]
  }

  const isStill = ({ luma }: Look): boolean => {
    // Compared with the first picture of the still period, not the last one: noise adds up, a frozen picture stays.
    const difference = anchor === undefined ? undefined : differenceOf(anchor, luma)
    const still = difference !== undefined && difference.mean < stillMean && difference.changed < stillChanged
    if (!still) anchor = luma
    return still && !mayStandStill
  }

  const search = (look: Look, reference: View): Shift => {
    if (searched === undefined || Math.abs(look.at - searched.at) >= searchEveryMs) {
      searched = { at: look.at, shift: bestShift(reference, look.view) }
    }
    return searched.shift
  }

  const isMoved = (look: Look, reference: View): boolean => {
    const score = scoreAt(reference, look.view, 0, 0)
    if (score >= shiftedScore + shiftedGain) {
      likeAt = look.at
      unlikeSince = undefined
      wasPushed = false
      searched = undefined
      return false
    }
    const best = search(look, reference)
    const isShifted =
      best.score >= shiftedScore &&
      best.score - score >= shiftedGain &&
      Math.max(Math.abs(best.dx), Math.abs(best.dy)) >= leastShift
    const isUnlike = score < unlikeScore && best.score < unlikeScore * 2
    if (isShifted) {
      const [right, down] = [(-best.dx / viewWidth) * 100, (-best.dy / viewHeight) * 100]
      movedBy = `The view is shifted by ${Math.round(right)} % of its width and ${Math.round(down)} % of its height`
      return true
    }
    if (!isUnlike) {
      if (score >= likeScore) likeAt = look.at
      unlikeSince = undefined
      return held.get('moved')!.isHeld && score < likeScore
    }
    unlikeSince ??= look.at
    if (likeAt !== undefined && unlikeSince - likeAt <= suddenMs) wasPushed = true
    movedBy = 'The view shows another scene than before'
    return wasPushed
  }

  const observe = (look: Look, reference: SceneReference): Record<SceneCondition, boolean> => {
    const { mean, bright, variance, sharpness } = look.statistics
    const usualView = reference.view()
    const usualSharpness = reference.sharpness()
    const black = mean < blackMean && bright < blackBright
    const covered = !black && (variance < blankVariance || (usualView !== null && isCovered(usualView, look.view)))
    const blind = black || covered
    const blurred = !blind && usualSharpness !== null && sharpness < usualSharpness * blurredShare
    const moved = !blind && !blurred && usualView !== null && isMoved(look, usualView)
    return { black, covered, frozen: isStill(look), blurred, moved }
  }

  const learn = (look: Look, reference: SceneReference, seen: Record<SceneCondition, boolean>): void => {
    const isSuspicious = conditions.some(condition => seen[condition] || held.get(condition)!.isHeld)
    const isUnlike = unlikeSince !== undefined
    if (isUnlike && !isSuspicious && look.at - unlikeSince! > adoptAfterMs) {
      references = { ...references, [mode]: createSceneReference() }
      unlikeSince = undefined
    } else if (!isSuspicious && !isUnlike) {
      reference.learn(look.view, look.statistics.sharpness, look.at)
    }
  }

  return {
    offer(frame) {
      if (!cadence.isDue(frame.takenAt)) return []
      const luma = lumaOf(frame)
      const view = viewOf(shrink(luma, viewWidth, viewHeight))
      const look: Look = { at: frame.takenAt, luma, view, statistics: statisticsOf(luma) }
      const reference = referenceFor(frame)
      const seen = observe(look, reference)
      const changes: SceneChange[] = []
      for (const condition of conditions) {
        const phase = held.get(condition)!.update(seen[condition], frame.takenAt)
        if (phase === null) continue
        const began = condition === 'moved' ? { ...texts.moved, message: movedBy } : texts[condition]
        const text = phase === 'began' ? began : { message: endings[condition], hint: '' }
        changes.push({ cameraId, condition, phase, ...text, at: frame.takenAt })
      }
      learn(look, reference, seen)
      return changes
    },
    current: () => conditions.filter(condition => held.get(condition)!.isHeld),
    relearn() {
      references = { colour: createSceneReference(), grey: createSceneReference() }
      likeAt = undefined
      unlikeSince = undefined
      wasPushed = false
    },
  }
}

/** Nearly all places that used to have edges have none. */
const isCovered = (usual: View, view: View): boolean => {
  let [structured, blank] = [0, 0]
  for (let i = 0; i < usual.blocks.length; i++) {
    if (usual.blocks[i]! < structuredBlock) continue
    structured++
    if (view.blocks[i]! < usual.blocks[i]! * blankBlockShare) blank++
  }
  return structured >= leastStructuredBlocks && blank >= structured * coveredShare
}

const texts: Record<SceneCondition, { readonly message: string; readonly hint: string }> = {
  black: {
    message: 'The picture is black',
    hint: 'Check the lens cap, the infra-red light and the exposure of the camera.',
  },
  covered: {
    message: 'Nothing of the usual scene can be seen',
    hint: 'Something covers the lens (cloth, paint, spider web, dirt) or there is thick fog: clean it or wait.',
  },
  frozen: {
    message: 'The picture has not changed for a minute, not even by noise',
    hint: 'Restart the camera or its encoder.',
  },
  blurred: {
    message: 'The picture has lost its detail',
    hint: 'Wipe the lens, focus the camera, or wait until the rain on the glass has dried.',
  },
  moved: {
    message: 'The view has changed',
    hint: 'Turn the camera back, or draw its zones and calibrate its gauge anew and restart the agent.',
  },
}

const endings: Record<SceneCondition, string> = {
  black: 'There is light in the picture again',
  covered: 'The scene can be seen again',
  frozen: 'The picture changes again',
  blurred: 'The detail is back',
  moved: 'The view is as it was',
}
