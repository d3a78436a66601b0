/**
 * Finds descriptors that are passed over a socket: SCM_RIGHTS in a `struct msghdr` as strace prints it.
 *
 * @module
 */
import type { ShownFd } from '../sighting.ts';
import { isConstant, membersOf, shownFd, stringIn, type Member } from './call.ts';

/** The greatest depth of structs and lists that is searched. */
const DEEPEST = 8;

/** The descriptors of a message, or of a list of messages. */
export function rightsIn(text: string): readonly ShownFd[] {
  const fds: ShownFd[] = [];
  if (text.includes('SOL_SOCKET') || text.includes('cmsg_')) collect(text, fds, DEEPEST);
  return fds;
}

function collect(text: string, fds: ShownFd[], depth: number): void {
  const members = membersOf(text);
  const data = rightsData(members);
  if (data !== null) {
    for (const { value } of membersOf(data)) if (/^-?\d/.test(value)) fds.push(shownFd(value));
    return;
  }
  if (depth === 0) return;
  for (const { value } of members) if (/^[{[]/.test(value)) collect(value, fds, depth - 1);
}

/** The data of an SCM_RIGHTS message. Some versions of strace omit names or print the type as 1. */
function rightsData(members: readonly Member[]): string | null {
  const isRights =
    members.some(({ value }) => value === 'SCM_RIGHTS' || value.endsWith(' /* SCM_RIGHTS */')) ||
    (isOne(members, 'cmsg_level') && isOne(members, 'cmsg_type'));
  if (!isRights) return null;
  const data = members.find(({ name }) => name === 'cmsg_data') ?? members.at(-1);
  return data !== undefined && /^[{[]/.test(data.value) ? data.value : null;
}

/** SOL_SOCKET and SCM_RIGHTS are both 1. */
function isOne(members: readonly Member[], name: string): boolean {
  const member = members.find((one) => one.name === name);
  return member !== undefined && isConstant(member.value, '', 1);
}

/** The path of a socket, as in `UNIX-STREAM:[1->2,"/run/x"]`. Without a path: the text as it is. */
export function socketPath(shown: string | null): string | null {
  const quote = shown?.indexOf('"') ?? -1;
  return shown === null || quote === -1 ? shown : (stringIn(shown.slice(quote))?.text ?? shown);
}
