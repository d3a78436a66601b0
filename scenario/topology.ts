/**
 * A topology: the devices and groups of a host, as a topology file or a truth file describes them.
 *
 * @module
 */
import * as v from 'valibot';
import { RequestError } from '../events/ledger-error.ts';
import { ports, type Fact } from '../events/vocabulary.ts';

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
          port: v.optional(v.picklist(ports)),
        }),
      ),
      v.minLength(1, 'a topology names at least one device'),
    ),
    groups: v.optional(v.record(v.string(), v.array(word)), {}),
  }),
});

/**
 * A checked topology. `bdf` is a PCI address; `groups` lists all members of a group, by its number.
 */
export type Topology = v.InferOutput<typeof schema>['topology'];

/** Checks parsed JSON, `{"topology":{…}}`. Throws `RequestError` with path and reason. */
export function parseTopology(value: unknown): Topology {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    throw new RequestError(`${v.getDotPath(issue) ?? 'topology'}: ${issue.message}`);
  }
  const { topology } = result.output;
  const [addresses, names] = [new Set<string>(), new Set<string>()];
  const twice = topology.devices.find(({ bdf, name }) => {
    const isListed = addresses.has(bdf) || names.has(name);
    addresses.add(bdf);
    names.add(name);
    return isListed;
  });
  if (twice !== undefined)
    throw new RequestError(`device ${twice.name} (${twice.bdf}) is listed twice`);
  return topology;
}

export interface BootOptions {
  /** The profile that judges the events; null to derive it from the kernel's release. */
  readonly profile: string | null;
  readonly simulated: boolean;
}

/** The facts of a boot: the kernel and its configuration, then each device. */
export function bootFacts(
  boot: string,
  topology: Topology,
  { profile, simulated }: BootOptions,
): Fact[] {
  const { kernel, iommufd, devices, groups } = topology;
  const listed = devices.map(({ bdf, name, group, driver, model, cdev, port }): Fact => ({
    type: 'device.added',
    data: { device: bdf, name, group, driver, model, cdev, ...(port !== undefined && { port }) },
  }));
  const known = new Set(devices.map(({ bdf }) => bdf));
  // A member of a group that is not among the devices claims nothing: mostly bridges.
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
