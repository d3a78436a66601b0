/**
 * `SeenCounts`: the number of statements of each kind that were read in messages and listings.
 *
 * @module
 */

/** A refusal or a claim that a program tells of, a message of the kernel, or a holder in a listing. */
export type SeenKind = 'refusal' | 'claim' | 'kernel' | 'lsof' | 'fuser' | 'ls' | 'fdinfo';

export type SeenCounts = Readonly<Partial<Record<SeenKind, number>>>;
