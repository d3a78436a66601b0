/**
 * Profiles as options.
 *
 * @module
 */
import { profileNamed } from '../ledger/settings.ts';
import { RequestError } from '../ledger.ts';
import { profiles, type Profile } from '../machines/profile.ts';

/** The option that names a profile; `otherwise` says what holds when it is left out. */
export function profileOption(otherwise: string) {
  const help = `the kernel whose rules apply: ${profiles.join(', ')}; ${otherwise}`;
  return { type: 'string', value: 'P', help } as const;
}

/** The profile that is named. Throws `RequestError`, which lists them, where none is. */
export function requiredProfile(named: string | undefined): Profile {
  if (named !== undefined) return profileNamed(named);
  throw new RequestError(`--profile P is missing; known are ${profiles.join(', ')}`);
}
