/**
 * Lists the verbs, in the order of the help.
 *
 * @module
 */
import { bisect } from './bisect.ts';
import { causes } from './causes.ts';
import { diff } from './diff.ts';
import { exportLog } from './export.ts';
import { history } from './history.ts';
import { importEvidence } from './import.ts';
import { log } from './log.ts';
import { machine } from './machine.ts';
import { record } from './record.ts';
import { replay } from './replay.ts';
import { retain } from './retain.ts';
import { rules } from './rules.ts';
import { run as runCommand } from './run.ts';
import { seal } from './seal.ts';
import { simulate } from './simulate.ts';
import { snapshot } from './snapshot.ts';
import { table } from './table.ts';
import { verify } from './verify.ts';
import { who } from './who.ts';
import { why } from './why.ts';
import type { Verb } from './verb.ts';

export const verbs: readonly Verb[] = [
  simulate,
  importEvidence,
  snapshot,
  record,
  runCommand,
  log,
  table,
  who,
  history,
  why,
  diff,
  bisect,
  replay,
  verify,
  seal,
  retain,
  causes,
  rules,
  machine,
  exportLog,
];
