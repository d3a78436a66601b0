/**
 * The rows of a host at one moment, for `--where`; each is made when it is asked for.
 *
 * @module
 */
import type { HostAt } from '../../machines/host-at.ts';
import { deviceView, fileView, groupView, type Since } from '../views.ts';
import type { TableRows } from './where.ts';

/** PCI addresses by name and by node (`vfio0`). */
export type DeviceNames = ReadonlyMap<string, string>;

export function hostRows(host: HostAt, since: Since, names: DeviceNames): TableRows {
  return {
    *groups() {
      for (const group of host.groups()) yield groupView(host, group, since);
    },
    group(id) {
      const group = host.group(id);
      return group && groupView(host, group, since);
    },
    *devices() {
      for (const device of host.devices()) yield deviceView(host, device, since);
    },
    device(word) {
      const device = host.device(names.get(word) ?? word);
      return device && deviceView(host, device, since);
    },
    *files() {
      for (const file of host.files()) {
        const view = fileView(host, file);
        if (view !== null) yield view;
      }
    },
    file(id) {
      const file = host.file(id);
      return (file && fileView(host, file)) ?? undefined;
    },
  };
}
