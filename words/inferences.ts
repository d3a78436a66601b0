/**
 * The rules that inferred events which no line of the evidence shows, in sentences without a full
 * stop.
 *
 * @module
 */
import type { Inference } from '../evidence/witness/inferences.ts';

const sentences: Readonly<Record<Inference, string>> = {
  'no-boot-seen': 'nobody has seen the host boot: it is taken to have begun as it was described',
  'as-the-topology-says': 'the topology that was given has it so',
  'has-a-node': 'the node could be opened, so a VFIO driver has the device',
  'found-open': 'it was open already when it was first seen to be used',
  'given-as-an-argument': 'a call passed with it, so it was open, and of that kind',
  'let-in-and-so-the-owner': 'an iommufd has the group, and the kernel lets no other in',
  'refused-as-closed': 'a call on it was refused as on no open file, so it had been closed',
  'had-the-node-before': 'of the devices that have lost their node it is the only one',
  'got-from-its-group': 'the group gave the device away, so the device is in it',
  'only-iommufd-in-process': 'the process has one iommufd, and presented one',
  'only-container-in-process': 'the process has one container, and presented one',
  'only-device-in-group': 'the group has one device with VFIO, and gave one away',
  'same-file': 'two descriptors stand for one struct file, so one came from the other',
  'sent-and-received': 'a descriptor of that kind was sent, and one received',
  'kept-by-the-kernel': 'its last descriptor was closed, and the kernel did not release it',
  'released-by-the-kernel': 'the kernel released it, so nobody had it any more',
  'number-used-again': 'its number was given out anew, so it had been closed',
  'pid-used-again': 'the number of the process was given out anew, so it had ended',
  'driver-in-the-message': 'a driver speaks of the device as its own',
  'named-by-the-trace': 'a later line gives the name of what was opened by its node',
  'used-and-so-bound': 'a call passed that no file passes before it is bound',
  'spoken-of': 'a message or a program speaks of it, and shows no opens',
  'only-one-without-a-number': 'it is the only thing open of which no number was shown',
  'named-in-a-claim': 'a manager speaks of the device',
  'refused-by-the-program': 'a program reports it in its own words, and gives up',
  'read-from-the-host': 'it was so when the host was read',
  'gone-from-the-host': 'it was not there any more when the host was read',
  'number-shown-by-the-host': 'it was known without its number, which the host shows',
  'an-open-device-needs-a-container': 'a device that came from its group is open',
  'a-mapped-device-is-bound': 'a part of it is mapped, which the kernel refuses before a bind',
  'in-the-order-of-descriptors': 'the group opened last before a device is where it came from',
  'only-device-on-the-host': 'there is one device left that it can be of',
  'rules-of-the-newest-kernel': 'nobody knows the rules of the kernel that was read',
};

/** A row for each of some rules: its name, as events carry it, and its sentence. */
export function inferenceRows(names: ReadonlySet<string>): string[][] {
  return Object.entries(sentences).filter(([name]) => names.has(name));
}
