/**
 * Why nobody can say who owns a group.
 *
 * @module
 */
import type { Ledger, When } from '../ledger.ts';

/** The gap since which the owner of a group, or of a device's, is unknown; null where it is none. */
export function doubtWords(ledger: Ledger, subject: string, at: When = 'end'): string | null {
  if (/^(pid|file):/.test(subject)) return null;
  const then = ledger.at(at);
  const group = groupOf(ledger, subject, at);
  if (group === null) return null;
  const since = then.group(group).since ?? -1;
  const until = then.moment.position ?? -1;
  let reason: string | null = null;
  for (const { position, type, data } of ledger.each('gap.noticed')) {
    if (type !== 'gap.noticed' || position < since || position > until) continue;
    if (data.group === null || data.group === group) reason = data.reason;
  }
  return reason;
}

function groupOf(ledger: Ledger, subject: string, at: When): string | null {
  const [, group] = /^(?:g|\/dev\/vfio\/(?:noiommu-)?)?(\d+)$/.exec(subject) ?? [];
  return group ?? ledger.at(at).device(subject).group;
}
