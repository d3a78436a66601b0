/**
 * Reads logs of a host, to which the kernel, audit and programs write: each line is tried as each of
 * them.
 *
 * @module
 */
import type { Parser, Sighting } from '../sighting.ts';
import { auditSaid, auditStamp, isAudit } from './audit.ts';
import { lockIn, refusedClaimIn, requesterIn } from './claims.ts';
import { kernelReader, quotedKernel, type MessageDeed } from './kernel.ts';
import { LONGEST, remember } from './names.ts';
import { keyOf, plain, refusalsIn, speaksOfRefusals } from './refusals.ts';
import { lineClock, stamped, type Stamped } from './stamps.ts';

/** The parser of the formats `dmesg`, `libvirt-audit` and `text`. */
export function logParser(): Parser {
  const time = lineClock();
  const kernel = kernelReader();
  const program = programReader();
  return {
    get clock() {
      return time.clock;
    },
    line(text) {
      const line = text.length > LONGEST ? text.slice(0, LONGEST) : text;
      const parts = stamped(line);
      const audit = isAudit(line);
      const at = time.at((audit ? auditStamp(line) : null) ?? parts.stamp);
      return saidBy(parts, audit).map((said): Sighting => ({ ...said, tid: null, at }));
    },
    end: () => [],
  };

  function saidBy(parts: Stamped, audit: boolean): readonly MessageDeed[] {
    if (audit) return auditSaid(parts.message);
    const { ident, message, boot } = parts;
    const said = ident === null || ident === 'kernel' ? kernel(message, boot) : [];
    return said.length > 0 || parts.kernel ? said : program(parts);
  }
}

/** The number of lines in which a refusal may be repeated. */
const MEMORY = 8;

/** Creates a reader for refusals and claims in messages of programs, in order. */
export function programReader(): (parts: Stamped) => readonly MessageDeed[] {
  const told = new Map<string, true>();
  let requester: { readonly name: string; readonly line: number } | null = null;
  let recent: {
    readonly operation: string;
    readonly errno: string | null;
    readonly line: number;
  } | null = null;
  let line = 0;

  /** Whether a refusal was read before: in a forwarded copy of the line, or in other words. */
  function known({ report, at, again }: ReturnType<typeof refusalsIn>[number], text: string) {
    const { operation, errno } = report;
    const { operation: last, errno: lastErrno, line: seen = -MEMORY } = recent ?? {};
    recent = { operation, errno, line };
    if (again && last === operation && lastErrno === errno && line - seen < MEMORY) return true;
    const moment = momentBefore(text, at);
    if (moment === null) return false;
    const key = `${moment} ${keyOf(report)}`;
    if (told.has(key)) return true;
    remember(told, key, true, 1024);
    return false;
  }

  return ({ message, ident, pid }) => {
    line++;
    const text = plain(message);
    const name = requesterIn(text);
    if (name !== null) requester = { name, line };
    const asker = requester !== null && line - requester.line < 3 ? requester.name : null;
    const claims = [lockIn(text), refusedClaimIn(text, asker)].filter((said) => said !== null);
    const who = writerOf(text, ident, pid);
    const reports = refusalsIn(text)
      .filter((refusal) => !known(refusal, text))
      .map(({ report }): MessageDeed => ({ ...report, ...who }));
    return [...quotedKernel(text), ...claims, ...reports];
  };
}

/** The last time of day before an index, if it is precise enough to tell two attempts apart. */
function momentBefore(text: string, at: number): string | null {
  const moments = text.slice(Math.max(0, at - 600), at).matchAll(/\d\d:\d\d:\d\d[.,]\d{3,9}/g);
  return [...moments].at(-1)?.[0] ?? null;
}

const emulator =
  /(?<![\w/.-])(?<name>qemu-system-[\w-]{1,32}|qemu-kvm|kvm)(?:\((?<pid>\d{1,10}):[^)]{0,32}\))?: /;
const worker = /\bpid[=: ](?<pid>\d{1,10})\b/;

/** The process that was refused. For QEMU's messages it is QEMU, even if others forward them. */
function writerOf(
  text: string,
  ident: string | null,
  pid: number | null,
): Pick<MessageDeed, 'pid' | 'comm'> {
  const own = emulator.exec(text)?.groups;
  if (own !== undefined && !/^(?:qemu|kvm)/.test(ident ?? '')) {
    const { name = 'qemu', pid: number } = own;
    return { pid: number === undefined ? null : Number(number), comm: name };
  }
  if (
    /\bvfio (?:error: )?[\da-f-]{4,36}:[^ ]* /i.test(text) &&
    !/^(?:qemu|kvm)/.test(ident ?? '')
  ) {
    return { pid: null, comm: 'qemu' };
  }
  if (ident !== null) return { pid, comm: ident };
  const number = worker.exec(text.slice(0, 200))?.groups?.['pid'];
  return { pid: number === undefined ? pid : Number(number), comm: null };
}

/** Whether a line has words of a refusal or of a claim. */
export function hasWords(line: string): boolean {
  const text = plain(line.slice(0, LONGEST));
  if (speaksOfRefusals(text) || lockIn(text) !== null) return true;
  return refusedClaimIn(text, '') !== null || refusalsIn(text).length > 0 || quoted(text);
}

function quoted(text: string): boolean {
  try {
    return quotedKernel(text).length > 0;
  } catch {
    return true;
  }
}
