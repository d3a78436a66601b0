/**
 * Colours of owners: an owner has the same one everywhere on the page. They are told apart by label and
 * pattern, too.
 *
 * @module
 */
import type { Owner } from '../projections/shapes.ts';

/** Colours of what is drawn, in light or in dark. */
export interface Colours {
  readonly paper: string;
  readonly ink: string;
  readonly faint: string;
  readonly grid: string;
  readonly refusal: string;
  readonly accent: string;
  readonly kernel: string;
  readonly unknown: string;
  readonly supposed: string;
  /** Fills on which `ink` is legible. */
  readonly owners: readonly string[];
}

export const light: Colours = {
  paper: '#ffffff',
  ink: '#161b22',
  faint: '#6a7380',
  grid: '#e4e7eb',
  refusal: '#b3261e',
  accent: '#0b57b7',
  kernel: '#dde1e6',
  unknown: '#8a6d1f',
  supposed: '#efe3fb',
  owners: [
    '#a5cdfb',
    '#fbcf8b',
    '#a9dfb3',
    '#f5b5ca',
    '#cfbdf4',
    '#9edfdc',
    '#e4d67f',
    '#fcb9a4',
    '#bccbe6',
    '#cfe29a',
  ],
};

export const dark: Colours = {
  paper: '#12161c',
  ink: '#eef2f7',
  faint: '#98a2af',
  grid: '#2a313a',
  refusal: '#ff8a80',
  accent: '#7db4ff',
  kernel: '#343c47',
  unknown: '#d9b95b',
  supposed: '#2b2039',
  owners: [
    '#22528a',
    '#7a500d',
    '#22693a',
    '#852b50',
    '#573d9b',
    '#136562',
    '#645910',
    '#833a1f',
    '#3d4f78',
    '#4a5d17',
  ],
};

/** The number of the colour of an owner; null for kernel drivers, nobody and an unknown owner. */
export function colourNumber({ file }: Pick<Owner, 'kind' | 'file'>): number | null {
  if (file === null) return null;
  const digits = /\d+$/.exec(file)?.[0];
  return digits === undefined ? 0 : Number(digits) % light.owners.length;
}
