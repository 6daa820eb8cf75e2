import type { EventKind } from '../contracts/event.js'

/** Names of things in pictures, as models and COCO write them. Plain, so that a browser can have it without a schema library. */
export const boxLabelPattern = '^[a-z][a-z0-9 _-]{0,39}$'

const fire = ['smoke', 'flame'] as const
const traffic = ['motorcycle', 'car', 'bus', 'truck', 'bicycle', 'person'] as const

/** What a reviewer is offered to draw, by kind of event; the first is the usual one. */
export const boxLabelsByKind: Readonly<Record<EventKind, readonly string[]>> = {
  'flood-level': ['water'],
  'forest-fire': fire,
  'straw-burning': fire,
  'urban-fire': fire,
  'red-light': traffic,
  'wrong-way': traffic,
  'line-crossing': traffic,
  'no-entry': traffic,
  'illegal-stopping': traffic,
  'data-loss': [],
}

/**
 * What a reviewer denies who corrects a picture to nothing. The vehicle of a violation may have left it, others have not:
 * that proves no absence.
 */
export const absentWhenEmptied: Readonly<Record<EventKind, readonly string[]>> = {
  ...boxLabelsByKind,
  'red-light': [],
  'wrong-way': [],
  'line-crossing': [],
  'no-entry': [],
  'illegal-stopping': [],
}

/** What a false alarm of a kind proves absent. Of a misread gauge the level is wrong, the water is there. */
export const absentWhenFalse: Readonly<Record<EventKind, readonly string[]>> = {
  ...absentWhenEmptied,
  'flood-level': [],
}

/** Their numbers in exports (from 1) never change; new ones are added at the end. */
export const numberedLabels: readonly string[] = [
  ...fire,
  'water',
  'person',
  'bicycle',
  'car',
  'motorcycle',
  'bus',
  'truck',
]
