/**
 * The format `libvirt-audit`: libvirt's audit records, from auditd, ausearch, a journal or its own log.
 *
 * @module
 */
import type { Parser } from '../sighting.ts';
import { isAudit } from './audit.ts';
import { logParser } from './log.ts';

export function libvirtAuditParser(): Parser {
  return logParser();
}

export function looksLikeLibvirtAudit(line: string): boolean {
  return isAudit(line.slice(0, 4096));
}
