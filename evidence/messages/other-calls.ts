/**
 * Calls on a node that are no opens: what removes, mounts, closes or changes it is not refused by VFIO.
 *
 * @module
 */

/** The number of characters before a node in which the words of its call stand. */
const REACH = 120;

const others = [
  'rm|rmdir|remov(?:e|ing)|unlink(?:at|ing)?|delet(?:e|ing)',
  'u?mount(?:ing)?|unmount(?:ing)?',
  '[lf]?chown(?:at)?|f?chmod(?:at)?|chgrp|chcon|chang(?:e|ing) (?:the )?(?:owner|group|mode|perm|context|secur)[a-z]*',
  'set(?:ting)? (?:the )?(?:owner|group|mode|perm|context|secur|device)[a-z]*|setfacl|[gs]etxattr|(?:re)?label(?:l?ing)?',
  'clos(?:e|ing)',
  '[lf]?stat(?:at|x)?|access',
  'mknod(?:at)?|mv|mov(?:e|ing)|renam(?:e|ing)|ln|(?:sym)?link(?:ing)?|cp',
  'read(?:ing)?|writ(?:e|ing)|ioctl|mmap|poll(?:ing)?|watch(?:ing)?|inotify_add_watch',
].join('|');
const verb = new RegExp(String.raw`(?<![\w/.-])(?:${others})(?![\w-])`, 'i');
/** The words of the clause, with the name of the program before it. */
const clause = /(?:^|[:;,] |\n)(?:[\w.-]{1,64}: )?[^:;\n]*$/;

/** Whether the words before the node at an index say that something else than an open was tried. */
export function isOtherCall(text: string, node: number): boolean {
  const [words = ''] = clause.exec(text.slice(Math.max(0, node - REACH), node)) ?? [];
  return verb.test(words);
}
