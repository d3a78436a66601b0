/**
 * What is said of processes by what the evidence calls them: said once of all that are called the same.
 *
 * @module
 */
import type { ProcessLabel } from '../index/process-spans.ts';
import type { Tenant } from './tenants.ts';

/** As `say`, which is called once for all processes that no tenant can tell apart. */
export function oncePerLabel<T>(
  tenants: readonly Tenant[],
  say: (process: ProcessLabel) => T,
): (process: ProcessLabel) => T {
  const said = new Map<string, T>();
  const isByPid = tenants.some(({ kind }) => kind === 'pid');
  return (process) => {
    const { pid, comm, cgroup, vm } = process;
    const number = isByPid ? pid : 0;
    const key = JSON.stringify([number, comm, cgroup, vm]);
    let found = said.get(key);
    if (found === undefined) {
      found = say(process);
      said.set(key, found);
    }
    return found;
  };
}
