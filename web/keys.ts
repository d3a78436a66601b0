/**
 * What the keys of the page do. They work where no text is being typed.
 *
 * @module
 */

/** What a reader can do by key or button. */
export type Action =
  | 'next-event'
  | 'last-event'
  | 'next-change'
  | 'last-change'
  | 'next-refusal'
  | 'last-refusal'
  | 'zoom-in'
  | 'zoom-out'
  | 'move-left'
  | 'move-right'
  | 'whole'
  | 'compare'
  | 'axis'
  | 'search'
  | 'back'
  | 'help';

/** A key, as `KeyboardEvent.key` has it, and what it does. */
export interface KeyBinding {
  readonly key: string;
  readonly action: Action;
  readonly label: string;
}

export const keyBindings: readonly KeyBinding[] = [
  { key: 'n', action: 'next-event', label: 'Next event (of the chosen lane)' },
  { key: 'p', action: 'last-event', label: 'Previous event (of the chosen lane)' },
  { key: ']', action: 'next-change', label: 'Next change of an owner' },
  { key: '[', action: 'last-change', label: 'Previous change of an owner' },
  { key: 'r', action: 'next-refusal', label: 'Next refusal' },
  { key: 'R', action: 'last-refusal', label: 'Previous refusal' },
  { key: '+', action: 'zoom-in', label: 'Zoom in' },
  { key: '-', action: 'zoom-out', label: 'Zoom out' },
  { key: '<', action: 'move-left', label: 'Move to earlier events' },
  { key: '>', action: 'move-right', label: 'Move to later events' },
  { key: '0', action: 'whole', label: 'Show everything' },
  { key: 'c', action: 'compare', label: 'Compare with this moment' },
  { key: 't', action: 'axis', label: 'Axis of positions or of time' },
  { key: '/', action: 'search', label: 'Search' },
  { key: 'h', action: 'back', label: 'Back from a what-if to history' },
  { key: '?', action: 'help', label: 'Show these keys' },
];

export function actionOf(key: string): Action | null {
  return keyBindings.find((binding) => binding.key === key)?.action ?? null;
}
