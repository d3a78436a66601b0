/**
 * The tone of a piece of text, for faces that colour it.
 *
 * @module
 */

export type Tone = 'heading' | 'refusal' | 'unknown' | 'plain';

/** Colours text by its tone. */
export type Paint = (text: string, tone: Tone) => string;

/** Leaves text without colour. */
export const plain: Paint = (text) => text;
