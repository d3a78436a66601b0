/**
 * The causes that a refusal may have if the evidence does not tell which.
 *
 * @module
 */
import { isSeenBoot } from '../../events/evidence.ts';
import type { DataOf } from '../../events/vocabulary.ts';
import type { Cause } from '../../machines/causes.ts';
import { causesOf } from '../../machines/operations.ts';
import { isOfMemory } from '../../machines/outside-refusals.ts';
import { bootProfiles } from '../../machines/eras.ts';
import { kernels } from '../../machines/profile.ts';
import { isComplete } from '../../machines/unshown-arguments.ts';
import { KERNEL_PID } from '../../processes/process-table.ts';
import type { Timeline } from '../timeline.ts';

/** Where to look for the cause of a refusal; null: not known. */
export interface RefusedAt {
  readonly group: string | null;
  /** Address of the device. */
  readonly device: string | null;
  readonly pid: number | null;
}

/**
 * The causes that the errno of a refusal can have for its operation, in the kernel's order, each once.
 * None if the host was recorded completely and the call is shown: then the rules exclude them all, but
 * for those of memory, which no log holds.
 */
export function candidatesOf(
  timeline: Timeline,
  position: number,
  refused: DataOf<'operation.refused'>,
): readonly Cause[] {
  const { operation, errno } = refused;
  if (errno === null) return [];
  const boot = timeline.at(timeline.bootBefore(position));
  if (boot.type !== 'host.booted') return causesOf(operation, errno, kernels);
  const { kernel, profile, evidence } = boot.data;
  const isSure = evidence === undefined && isComplete(refused);
  if (isSure && !isOfMemory(refused)) return [];
  return causesOf(operation, errno, bootProfiles(kernel, profile, !isSeenBoot(boot)));
}

/** The group, the device and the process of a refusal, from the event or from the file of the call. */
export function placeOf(
  timeline: Timeline,
  position: number,
  refused: DataOf<'operation.refused'>,
): RefusedAt {
  const named: { readonly group?: unknown; readonly device?: unknown } = refused;
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const view = timeline.hostAt(position - 1);
  const fd = 'fd' in refused ? refused.fd : null;
  const caller = 'pid' in refused ? refused.pid : null;
  const file = fd === null || caller === null ? null : view.fileBehind(caller, fd);
  const open = file == null ? undefined : view.file(file);
  const device = text(named.device) ?? open?.device ?? null;
  const group = text(named.group) ?? open?.group ?? view.device(device ?? '')?.group ?? null;
  const pid = caller !== null && caller < KERNEL_PID ? caller : null;
  return { group, device, pid };
}
