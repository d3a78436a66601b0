/**
 * `machine`: prints a machine as a picture, or as a config for XState and its editor.
 *
 * @module
 */
import { meantClause } from '../events/nearest.ts';
import { RequestError } from '../ledger.ts';
import { machineNames, type MachineName } from '../machines/admission.ts';
import { configOf } from '../machines/config.ts';
import { kernelRules } from '../machines/machines.ts';
import { mermaidOf } from '../machines/picture.ts';
import { newestKernel } from '../machines/profile.ts';
import { exit } from './failure.ts';
import { profileOption, requiredProfile } from './profiles.ts';
import { verb } from './verb.ts';

const formats = ['mermaid', 'json'] as const;

/** Prints a machine with the rules of one kernel. */
export const machine = verb({
  name: 'machine',
  usage: 'machine NAME [--profile P] [--format mermaid|json]',
  summary: 'Prints the XState machine of a device, a group or a file, as a picture or as data',
  details: [
    `NAME is ${machineNames.join(', ')}.`,
    'mermaid is a diagram for Markdown. json is a config for createMachine of XState 5; to open it in',
    "stately.ai/editor, import createMachine(CONFIG). The guard 'a && b' holds if both a and b do. The",
    "config does not implement the guards and the action 'record'. This verb reads no log.",
  ],
  options: {
    profile: profileOption(`default: ${newestKernel}`),
    format: { type: 'string', value: 'F', help: 'mermaid (default) or json' },
    json: { type: 'boolean', help: 'print the format json in one line' },
    log: { type: 'string' },
    host: { type: 'string' },
  },
  operands: [1, 1],
  examples: [
    'vfio-ledger machine group',
    'vfio-ledger machine device --profile rfc-2021 --format json > device.machine.json',
  ],
  async answer({ values, operands: [name = ''] }, io) {
    const { format = 'mermaid' } = values;
    if (!isMachineName(name)) {
      const meant = meantClause(name, machineNames);
      throw new RequestError(`no machine '${name}'; there are ${machineNames.join(', ')}${meant}`);
    }
    if (!isFormat(format)) {
      throw new RequestError(`no format '${format}'; there are ${formats.join(', ')}`);
    }
    const profile = requiredProfile(values.profile ?? newestKernel);
    const found = kernelRules(profile).machines[name];
    const compact = values.json === true;
    if (compact || format === 'json') {
      const config = JSON.stringify(configOf(found), null, compact ? 0 : 2);
      await io.out.printJson(config.split('\n'));
    } else await io.out.print(mermaidOf(found.table).split('\n'));
    return exit.done;
  },
});

function isMachineName(name: string): name is MachineName {
  return (machineNames as readonly string[]).includes(name);
}

function isFormat(format: string): format is (typeof formats)[number] {
  return (formats as readonly string[]).includes(format);
}
