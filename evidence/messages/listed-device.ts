/**
 * What listings show of a device, and the interface of their readers.
 *
 * @module
 */
import type { ListedDevice } from '../sighting.ts';
import { deviceNamed } from './names.ts';
import type { DeviceListingKind } from './seen.ts';

/** Reads one kind of listing, in order. */
export interface ListingReader {
  readonly tool: DeviceListingKind;
  /** Whether the lines that follow may be about what a line has named. */
  readonly isOpen: boolean;
  /** Reads a shell's command line: what follows is about something else. */
  command(text: string): void;
  /** What a line shows. */
  line(text: string): readonly ListedDevice[];
}

/** The driver of a device, which is spelled in any way. */
export function driverOf(device: string, driver: string | null): ListedDevice {
  return { did: 'list-driver', device: deviceNamed(device), driver };
}

/** The group of a device, which is spelled in any way. */
export function groupOf(device: string, group: string): ListedDevice {
  return { did: 'list-group', device: deviceNamed(device), group };
}
