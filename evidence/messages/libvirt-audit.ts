/**
 * The format `libvirt-audit`: libvirt's audit records, from auditd, ausearch, a journal or its own log.
 *
 * @module
 */
import type { Parser } from '../sighting.ts';
import { isAudit } from './audit.ts';
import { logParser } from './log.ts';
import type { ToldAnywhere } from './told.ts';

export function libvirtAuditParser(told?: ToldAnywhere): Parser {
  return logParser(told);
}

export function looksLikeLibvirtAudit(line: string): boolean {
  return isAudit(line.slice(0, 4096));
}
