import type { Box, ImagePoint } from '@watchpost/shared/contracts/primitives'
import { type PointerEvent, useRef } from 'react'
import { boxBetween, type Corner, isLargeEnough, type LabelledBox, movedBox, resizedBox } from './shapes.js'

interface Gesture {
  readonly kind: 'draw' | 'move' | Corner
  readonly index: number
  readonly from: ImagePoint
  /** As it was when the pointer came down. */
  readonly box: Box
}

interface Options {
  readonly boxes: readonly LabelledBox[]
  /** Of a box that is drawn now. */
  readonly newLabel: string
  readonly onChange: (boxes: readonly LabelledBox[]) => void
  readonly onSelect: (index: number | null) => void
}

/** Where the pointer is in the picture, 0..1; beyond its edge less or more. */
const pointIn = (surface: Element, { clientX, clientY }: PointerEvent): ImagePoint => {
  const { left, top, width, height } = surface.getBoundingClientRect()
  return [(clientX - left) / width, (clientY - top) / height]
}

const targetOf = (target: EventTarget): { readonly index: number | null; readonly corner: Corner | undefined } => {
  const box = target instanceof Element ? target.closest<HTMLElement>('[data-box]') : null
  const handle = target instanceof Element ? target.closest<HTMLElement>('[data-corner]') : null
  return { index: box ? Number(box.dataset.box) : null, corner: handle?.dataset.corner as Corner | undefined }
}

/**
 * Mouse, pen and one finger: down on a corner resizes, on a box moves it, on the bare picture draws a new one. The surface
 * holds the pointer, so a gesture that leaves the picture goes on. A press without a drag only selects.
 */
export const useBoxGesture = ({ boxes, newLabel, onChange, onSelect }: Options) => {
  const gesture = useRef<Gesture | null>(null)
  const replace = (index: number, box: Box): void =>
    onChange(boxes.map((item, at) => (at === index ? { ...item, box } : item)))

  const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
    if (!event.isPrimary || event.button !== 0) return
    const from = pointIn(event.currentTarget, event)
    const { index, corner } = targetOf(event.target)
    const existing = index === null ? undefined : boxes[index]
    event.currentTarget.setPointerCapture(event.pointerId)
    if (index !== null && existing) {
      gesture.current = { kind: corner ?? 'move', index, from, box: existing.box }
      onSelect(index)
      return
    }
    gesture.current = { kind: 'draw', index: boxes.length, from, box: boxBetween(from, from) }
    onSelect(null)
  }

  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    const now = gesture.current
    if (!now || !event.isPrimary) return
    const at = pointIn(event.currentTarget, event)
    if (now.kind === 'move') {
      replace(now.index, movedBox(now.box, [at[0] - now.from[0], at[1] - now.from[1]]))
    } else if (now.kind === 'draw') {
      const box = boxBetween(now.from, at)
      if (now.index < boxes.length) replace(now.index, box)
      else if (isLargeEnough(box)) onChange([...boxes, { label: newLabel, box }])
    } else {
      replace(now.index, resizedBox(now.box, now.kind, at))
    }
  }

  const onPointerUp = (event: PointerEvent<HTMLElement>): void => {
    const now = gesture.current
    if (!now || !event.isPrimary) return
    gesture.current = null
    if (now.kind !== 'draw') return
    const drawn = boxes[now.index]
    if (drawn && isLargeEnough(drawn.box)) onSelect(now.index)
    else if (drawn) onChange(boxes.slice(0, now.index))
  }

  return { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: onPointerUp }
}
