/**
 * What the rules say of an operation of which evidence shows every argument, or none that matters.
 *
 * @module
 */
export const shown = { unshown: {}, hypotheses: null, isBeyondJudging: null } as const;
