/**
 * The format `libvirt-audit`: libvirt's audit records, from auditd, ausearch, a journal or its own log.
 *
 * @module
 */
import type { Zero } from '../instants.ts';
import type { Parser } from '../sighting.ts';
import { isAudit } from './audit.ts';
import { logParser } from './log.ts';

export function libvirtAuditParser(zero?: Zero): Parser {
  return logParser('audit', looksLikeLibvirtAudit, zero);
}

export function looksLikeLibvirtAudit(line: string): boolean {
  return isAudit(line.slice(0, 4096));
}
