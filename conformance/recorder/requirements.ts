/**
 * What a recorded run needs beside what every run needs.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, missing, type Requirement } from '../requirements.ts';

/** A static shell with what belongs to it. */
export function busybox(): string {
  return join(cacheFolder(), 'tools', 'busybox');
}

/** What is missing for recorded runs with the kernels of these profiles. */
export function missingToRecord(profiles: readonly string[]): Requirement[] {
  const shell = {
    what: 'a static busybox',
    how: 'conformance/recorder/busybox.sh',
  };
  return [...missing(profiles), ...(existsSync(busybox()) ? [] : [shell])];
}
