import { describe, expect, test } from 'vitest';
import { parseScenario, simulate } from '../../host/simulation.ts';
import { rulesOf } from '../../machines/operations.ts';
import type { Profile } from '../../machines/profile.ts';
import { parseTopology } from '../../scenario/topology.ts';
import { sha256 } from '../../log/hash.ts';

const topology = parseTopology({
  topology: {
    kernel: '7.3.4',
    iommufd: true,
    devices: [
      { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
      { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
      { name: 'port', bdf: '0000:5e:00.0', group: 40, driver: 'vfio-pci', cdev: 'vfio2' },
      { name: 'nic', bdf: '0000:5e:00.1', group: 40, driver: 'mlx5_core', cdev: null },
    ],
  },
});

/** What the last operation of a scenario gets: `passes`, or errno and cause. */
function lastAnswer(scenario: string, profile: Profile): string {
  const steps = [
    ...simulate(parseScenario(scenario), topology, profile, { seed: '', digest: sha256 }),
  ];
  const last = steps.at(-1)?.answer;
  return last?.rc === -1 ? `${last.errno} ${last.cause}` : 'passes';
}

const bound = 'open_iommufd I; open_cdev A gpu; bind A I';
const attached = `${bound}; alloc_ioas I X; alloc_ioas I Y; attach A X`;
const obtained =
  'open_container C; open_group G gpu; set_container G C; set_iommu C; get_device D G gpu';

const otherwise: [what: string, scenario: string, merged: string, proposed: string][] = [
  [
    'a sibling is bound to another context',
    `${bound}; open_iommufd J; open_cdev B audio; bind B J`,
    'EPERM owned-by-other-iommufd',
    'EBUSY owned-by-other-iommufd',
  ],
  [
    'a kernel driver has a sibling',
    'open_iommufd I; open_cdev A port; bind A I',
    'EPERM owned-by-kernel-driver',
    'EINVAL owned-by-kernel-driver',
  ],
  [
    'the file is bound already',
    `${bound}; bind A I`,
    'EINVAL file-already-bound',
    'EBUSY file-already-bound',
  ],
  [
    'the device is bound through another file',
    `${bound}; open_cdev B gpu; bind B I`,
    'EINVAL device-open-elsewhere',
    'EBUSY device-open-elsewhere',
  ],
  [
    'the device is bound through another file, and the descriptor is no iommufd',
    `${bound}; open_cdev B gpu; open_container C; bind B C`,
    'EBADFD not-an-iommufd',
    'EINVAL not-an-iommufd',
  ],
  [
    'the file was got from a group',
    `${obtained}; open_iommufd I; bind D I`,
    'EINVAL opened-through-group',
    'ENOTTY opened-through-group',
  ],
  [
    'the device is open through its group',
    `${obtained}; open_iommufd I; open_cdev A gpu; bind A I`,
    'EBUSY group-file-open',
    'ENOTTY opened-through-group',
  ],
  [
    'the device is open through its group, whose descriptor is closed',
    `${obtained}; close G; open_iommufd I; open_cdev A gpu; bind A I`,
    'EBUSY group-pinned-by-device-file',
    'ENOTTY opened-through-group',
  ],
  [
    'the descriptor is no iommufd',
    'open_container C; open_cdev A gpu; bind A C',
    'EBADFD not-an-iommufd',
    'EINVAL not-an-iommufd',
  ],
  [
    'the descriptor is not open',
    'open_cdev A gpu; bind A :9',
    'EBADF bad-descriptor',
    'EINVAL bad-descriptor',
  ],
  ['it is attached already', `${attached}; attach A X`, 'passes', 'EBUSY already-attached'],
  ['it is attached elsewhere', `${attached}; attach A Y`, 'passes', 'EBUSY already-attached'],
  [
    'it is attached already, and the page table is not there',
    `${attached}; attach A :77`,
    'ENOENT no-such-object',
    'EBUSY already-attached',
  ],
];

const alike: [what: string, scenario: string, answer: string][] = [
  ['a bind', bound, 'passes'],
  ['a bind in the same context', `${bound}; open_cdev B audio; bind B I`, 'passes'],
  [
    'a bind after the last close of another context',
    `${bound}; close I; close A; open_iommufd J; open_cdev B audio; bind B J`,
    'passes',
  ],
  [
    'a bind while the group is open, and no device of it',
    'open_group G gpu; open_iommufd I; open_cdev A gpu; bind A I',
    'EBUSY group-file-open',
  ],
  [
    'a bind while a sibling is open through the group',
    `${obtained}; open_iommufd I; open_cdev A audio; bind A I`,
    'EBUSY group-file-open',
  ],
  [
    'a bind to a name that stands for nothing',
    'open_cdev A gpu; bind A I',
    'EINVAL malformed-argument',
  ],
  ['an attach', attached, 'passes'],
  ['an attach after a detach', `${attached}; detach A; attach A Y`, 'passes'],
  ['an attach before the bind', 'open_cdev A gpu; attach A :1', 'EINVAL not-bound-yet'],
  ['an attach through a group', `${obtained}; attach D :1`, 'ENOTTY opened-through-group'],
  [
    'a group that is opened beside a bound device',
    `${bound}; open_group G g26`,
    'EBUSY cdev-bound-in-group',
  ],
  [
    'a kernel driver in a group that is owned',
    `${bound}; set_driver audio mlx5_core`,
    'EBUSY owned-by-user',
  ],
];

const lines = (scenario: string) => scenario.replaceAll('; ', '\n');

describe('what was proposed in 2021 answers otherwise than what was merged, when', () => {
  test.each(otherwise)('%s', (_, scenario, merged, proposed) => {
    expect(lastAnswer(lines(scenario), 'linux-7.3')).toBe(merged);
    expect(lastAnswer(lines(scenario), 'rfc-2021')).toBe(proposed);
  });
});

describe('what was proposed in 2021 answers as what was merged to', () => {
  test.each(alike)('%s', (_, scenario, answer) => {
    expect(lastAnswer(lines(scenario), 'linux-7.3')).toBe(answer);
    expect(lastAnswer(lines(scenario), 'rfc-2021')).toBe(answer);
  });
});

test('no other operation is checked otherwise than by the newest kernel', () => {
  const { bind: _b, attach: _a, ...merged } = rulesOf('linux-7.3');
  const { bind: _c, attach: _d, ...proposed } = rulesOf('rfc-2021');
  expect(proposed).toEqual(merged);
});
