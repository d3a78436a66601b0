/**
 * The option that names a profile.
 *
 * @module
 */
import { profileNamed } from '../ledger/settings.ts';
import { RequestError } from '../ledger.ts';
import { profiles, type Profile } from '../machines/profile.ts';

/** The option `--profile`; `otherwise` names its default. */
export function profileOption(otherwise: string) {
  const help = `the rules: those of a kernel or of a patch series (${profiles.join(', ')}); ${otherwise}`;
  return { type: 'string', value: 'P', help } as const;
}

/** The profile of that name. Throws `RequestError`, which lists the profiles, if there is none. */
export function requiredProfile(named: string | undefined): Profile {
  if (named !== undefined) return profileNamed(named);
  throw new RequestError(`--profile P is missing; known are ${profiles.join(', ')}`);
}
