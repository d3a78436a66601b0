/**
 * The rules of an operation whose arguments are always shown, or do not matter to its checks.
 *
 * @module
 */
export const shown = { unshown: {}, hypotheses: null, isBeyondJudging: null } as const;
