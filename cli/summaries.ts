/**
 * Name and summary of each verb, for the overview. They are taken from the verbs, all of which that
 * loads; the build of the package puts the finished list here (`build/rolldown.config.ts`).
 *
 * @module
 */
import type { Verb } from './verb.ts';
import { verbs } from './verbs.ts';

export const summaries: readonly Pick<Verb, 'name' | 'summary'>[] = await Promise.all(
  [...verbs.values()].map(async (load) => {
    const { name, summary } = await load();
    return { name, summary };
  }),
);
