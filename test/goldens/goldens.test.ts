/**
 * The answers are those that were frozen. `npm run goldens` says more of a difference;
 * CONTRIBUTING.md, what becomes of one that is meant.
 */
import { isCampaign } from '../support/effort.ts';
import { testAgainstFrozen } from './against-frozen.ts';
import { sets } from './logs.ts';

/** Recordings that are read while somebody waits; the others take minutes. */
const short = /^linux-7\.3-(?:questions|ownership|resets)$/;
/** A recording has campaigns of its own. */
const isRecording = (name: string) => name.startsWith('linux-');

testAgainstFrozen(
  sets.filter(({ name }) => !isRecording(name) || (!isCampaign && short.test(name))),
);
