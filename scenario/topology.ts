/**
 * A host's devices and groups, as a truth file or a topology file describes them.
 *
 * @module
 */
import * as v from 'valibot';
import { RequestError } from '../events/ledger-error.ts';
import type { Fact } from '../events/vocabulary.ts';

const word = v.pipe(v.string(), v.nonEmpty());
const groupNumber = v.pipe(v.union([v.number(), word]), v.transform(String));

const schema = v.object({
  topology: v.object({
    kernel: word,
    iommufd: v.boolean(),
    devices: v.pipe(
      v.array(
        v.object({
          name: word,
          bdf: word,
          group: groupNumber,
          driver: v.nullable(word),
          model: v.optional(v.nullable(word), null),
          cdev: v.optional(v.nullable(word), null),
        }),
      ),
      v.minLength(1, 'a topology names at least one device'),
    ),
    groups: v.optional(v.record(v.string(), v.array(word)), {}),
  }),
});

export type Topology = v.InferOutput<typeof schema>['topology'];

/** A topology from parsed JSON, `{"topology":{…}}`. Throws `RequestError`, which says where it is none and why. */
export function parseTopology(value: unknown): Topology {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    throw new RequestError(`${v.getDotPath(issue) ?? 'topology'}: ${issue.message}`);
  }
  const { topology } = result.output;
  const twice = topology.devices.find(({ bdf, name }, index) =>
    topology.devices.slice(0, index).some((other) => other.bdf === bdf || other.name === name),
  );
  if (twice !== undefined)
    throw new RequestError(`device ${twice.name} (${twice.bdf}) stands twice`);
  return topology;
}

export interface BootOptions {
  /** Whose rules judge what follows; null leaves it to the kernel's release. */
  readonly profile: string | null;
  readonly simulated: boolean;
}

/** The facts of a boot: the kernel and its configuration, then each device where it sits. */
export function bootFacts(
  boot: string,
  topology: Topology,
  { profile, simulated }: BootOptions,
): Fact[] {
  const { kernel, iommufd, devices, groups } = topology;
  const listed = devices.map(({ bdf, name, group, driver, model, cdev }): Fact => ({
    type: 'device.added',
    data: { device: bdf, name, group, driver, model, cdev },
  }));
  const known = new Set(devices.map(({ bdf }) => bdf));
  // What stands only among the members of a group claims nothing: bridges, mostly.
  const silent = Object.entries(groups).flatMap(([group, members]) =>
    members
      .filter((bdf) => !known.has(bdf))
      .map((device): Fact => ({
        type: 'device.added',
        data: { device, name: null, group, driver: null, model: null, cdev: null },
      })),
  );
  return [
    { type: 'host.booted', data: { boot, kernel, profile, iommufd, simulated } },
    ...listed,
    ...silent,
  ];
}
