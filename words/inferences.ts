/**
 * A sentence for each rule that infers events which no line of the evidence shows, without a full
 * stop.
 *
 * @module
 */
import type { Inference } from '../evidence/witness/inferences.ts';

const sentences: Readonly<Record<Inference, string>> = {
  'no-boot-seen': 'the boot of the host was not seen: the log begins with an assumed one',
  'as-the-topology-says': 'the given topology says so',
  'has-a-node':
    'its node is there, so a VFIO driver is bound to the device, or to one of the group',
  'found-open': 'the file was already open when its first use was seen',
  'given-as-an-argument': 'a call with this argument passed, so it was an open file of that kind',
  'let-in-and-so-the-owner':
    'an iommufd owns the group and the kernel admits no other, so this is the one',
  'refused-as-closed': 'a call on the descriptor failed with EBADF, so it had been closed',
  'had-the-node-before': 'the device is the only one whose node is missing',
  'got-from-its-group': 'the device came from this group, so it is in the group',
  'only-iommufd-in-process': 'the call names an iommufd, and the process has only this one',
  'only-container-in-process': 'the call names a container, and the process has only this one',
  'only-device-in-group': 'a device came from this group, and the group has only one VFIO device',
  'same-file': 'both descriptors refer to one struct file, so one was made from the other',
  'group-opens-once':
    'a group is open once at a time: what a listing shows at one time is one file, and at another the earlier one is gone',
  'sent-and-received': 'a descriptor of that kind was sent, and then one was received',
  'kept-by-the-kernel':
    'the last known descriptor of the file was closed, but the kernel did not release the file',
  'only-unseen-holders':
    'no line shows anything of the processes that may still hold the file, so nothing shows its end',
  'released-by-the-kernel': 'the kernel released the file, so nothing held it any more',
  'number-used-again': 'the descriptor number was used again, so the descriptor had been closed',
  'pid-used-again': 'the pid was used again, so the process had ended',
  'driver-in-the-message':
    'a driver printed a message about the device, so the driver is bound to it',
  'named-by-the-trace': 'a later line names the device that was opened through its node',
  'used-and-so-bound': 'a call passed that requires a bound file',
  'spoken-of': 'a message names the group, but does not show which process has it open',
  'only-one-without-a-number': 'the file is the only open one whose descriptor number is not known',
  'named-in-a-claim': 'a manager names the device',
  'named-as-the-claimant':
    'a manager says who has the device, so it was given before, and nobody else has it',
  'shown-by-a-listing': 'a listing shows it: it was so then',
  'refused-by-the-program': 'a refusal that the evidence reports names it',
  'concluded-by-the-program':
    'a program concluded it from a check of its own, without an answer of the kernel',
  'told-without-an-errno': 'a program says that it was refused, and does not print the errno',
  'read-from-the-host': 'it was so when the host was read',
  'gone-from-the-host': 'it was no longer there when the host was read',
  'number-shown-by-the-host': 'the descriptor number was not known; the host shows it',
  'an-open-device-needs-a-container': 'a device from its group is open, which requires a container',
  'a-mapped-device-is-bound': 'a region of the device is mapped, which requires a bind',
  'in-the-order-of-descriptors':
    'the device is taken to come from the group file with the next lower descriptor number',
  'only-device-on-the-host': 'only one device is left that it can belong to',
  'rules-of-the-newest-kernel': 'the kernel has no profile of its own; the newest one is used',
};

/** A row for each named rule: its name, as in `evidence.rule` of an event, and its sentence. */
export function inferenceRows(names: ReadonlySet<string>): string[][] {
  return Object.entries(sentences).filter(([name]) => names.has(name));
}
