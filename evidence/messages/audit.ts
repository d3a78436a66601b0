/**
 * Reads libvirt's audit records: which device was assigned to which domain, and when it was released.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import type { MessageDeed } from './kernel.ts';
import { DEVICE } from './names.ts';
import { calendar, type Stamp } from '../wrappers/times.ts';

type Fields = ReadonlyMap<string, string>;

/** The beginning of a record, in an audit log, a journal, the kernel's log, or libvirt's own log. */
const record = /\bvirt=\S{1,32} (?:resrc|op)=/;
const field = /([\w-]{1,32})=(?:"([^"]*)"|([^\s"']*))/g;

/** Whether a line contains an audit record of libvirt. */
export function isAudit(text: string): boolean {
  return record.test(text);
}

/** The time that the record itself gives; null if it gives none. */
export function auditStamp(text: string): Stamp | null {
  const { second, milli, when } = stampForm.exec(text)?.groups ?? {};
  if (second !== undefined) {
    return { clock: 'wall', at: Number(second) * 1_000_000 + Number(milli) * 1000 };
  }
  const groups = interpreted.exec(when ?? '')?.groups;
  if (groups === undefined) return null;
  const { year = '', month } = groups;
  // In other locales the day comes first.
  if (Number(month) > 12) return null;
  return calendar({ ...groups, year: year.length === 2 ? `20${year}` : year }, 'local');
}

const stampForm =
  /\baudit\((?:(?<second>\d{1,10})\.(?<milli>\d{3})|(?<when>[\d/]{6,10} [\d:.]{8,12})):\d{1,20}\)/;
/** The time as `ausearch -i` prints it in most locales. */
const interpreted = new RegExp(
  String.raw`^(?<month>\d\d)\/(?<day>\d\d)\/(?<year>\d{4}|\d\d) ` +
    String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.(?<fraction>\d{3}))?$`,
);

/**
 * The claims in a record, or the process of a domain that was started; nothing in one about disks,
 * networks or memory. Throws `EvidenceError` for a record that is cut off.
 */
export function auditSaid(text: string): readonly MessageDeed[] {
  const from = record.exec(text)?.index;
  if (from === undefined) return [];
  const fields = fieldsOf(text.slice(from));
  const success = successOf(
    fields.get('res') ?? /\bsuccess=(yes|no) /.exec(text.slice(0, from))?.[1],
  );
  return fields.has('op') ? control(fields, success) : resource(fields, success);
}

function resource(fields: Fields, success: boolean | null): readonly MessageDeed[] {
  if (fields.get('resrc') !== 'dev' || !/^(?:pci|mdev)$/.test(fields.get('bus') ?? 'pci'))
    return [];
  const device = fields.get('device') ?? '';
  const reason = fields.get('reason') ?? '';
  if (!deviceName.test(device))
    throw new EvidenceError(`audit record: '${device}' is not a device`);
  if (success === null) throw new EvidenceError('an audit record breaks off before its result');
  if (reason === 'detach' && !success) return [];
  const outcome = reason === 'detach' ? 'released' : success ? 'granted' : 'refused';
  if (outcome !== 'released' && !/^(?:start|attach|update)$/.test(reason)) return [];
  return [claim(fields, outcome, device.toLowerCase(), reason)];
}

const deviceName = new RegExp(`^${DEVICE}$`);

/**
 * A start names the process of the domain. A stop, or a start that failed, releases all devices that
 * were granted to the domain.
 */
function control(fields: Fields, success: boolean | null): readonly MessageDeed[] {
  const op = fields.get('op') ?? '';
  if (op !== 'stop' && op !== 'start') return [];
  if (success === null) throw new EvidenceError('an audit record breaks off before its result');
  const reason = fields.get('reason') ?? null;
  if (op === 'stop' && success) return [claim(fields, 'released', null, reason)];
  if (op === 'stop') return [];
  return success ? started(fields) : [claim(fields, 'released', null, 'start failed')];
}

/** The process that runs a domain; `pid` of the record is that of libvirt. */
function started(fields: Fields): readonly MessageDeed[] {
  const pid = Number(fields.get('vm-pid') ?? 0);
  if (!Number.isSafeInteger(pid) || pid <= 0) return [];
  return [{ did: 'run-vm', vm: claimantIn(fields), pid, comm: null }];
}

function claim(
  fields: Fields,
  outcome: 'granted' | 'released' | 'refused',
  device: string | null,
  reason: string | null,
): MessageDeed {
  return {
    did: 'claim',
    outcome,
    device,
    claimant: claimantIn(fields),
    manager: 'libvirt',
    reason,
    pid: null,
    comm: null,
  };
}

/** The domain of a record. */
function claimantIn(fields: Fields): { readonly name: string; readonly uuid: string | null } {
  const name = fields.get('vm') ?? '';
  if (name === '') throw new EvidenceError("audit record: 'vm' is missing");
  const uuid = fields.get('uuid') ?? '';
  return { name, uuid: deviceName.test(uuid) ? uuid.toLowerCase() : null };
}

function fieldsOf(text: string): Fields {
  const fields = new Map<string, string>();
  for (const [, key = '', quoted, bare] of text.matchAll(field)) {
    // Older records have a colon before `exe=`, and parentheses around the rest.
    const plain = (bare ?? '').replace(/[:),]+$/, '');
    const value = quoted ?? (key === 'vm-pid' ? plain : decoded(plain));
    if (!fields.has(key)) fields.set(key, value);
  }
  return fields;
}

/** Auditd writes values with special characters in hex, without quotes. */
function decoded(value: string): string {
  if (!/^(?:[\dA-F]{2})+$/.test(value)) return value;
  const text = Buffer.from(value, 'hex').toString('utf8');
  return /[^!#-~]/.test(text) && !text.includes('\uFFFD') ? text : value;
}

function successOf(result: string | undefined): boolean | null {
  if (result === 'success' || result === 'yes' || result === '1') return true;
  return result === 'failed' || result === 'no' || result === '0' ? false : null;
}
