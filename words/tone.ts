/**
 * What a piece of text is, for faces that colour it.
 *
 * @module
 */

export type Tone = 'heading' | 'refusal' | 'unknown' | 'plain';

/** Gives text the colour of its tone. */
export type Paint = (text: string, tone: Tone) => string;

/** Text without colour. */
export const plain: Paint = (text) => text;
