/**
 * A host as it stands, under a profile that is not its own.
 *
 * @module
 */
import type { HostView } from './check.ts';
import { hasIommufd, type Profile } from './profile.ts';

/**
 * What the checks of another profile find when they look at a host. `configured` says whether the
 * host has /dev/iommu and cdevs as soon as its kernel knows them.
 */
export function underProfile(host: HostView, profile: Profile, configured: boolean): HostView {
  return {
    profile,
    iommufd: hasIommufd(profile, configured),
    driverChange: host.driverChange,
    file: (id) => host.file(id),
    files: () => host.files(),
    hasProcessNamed: (comm) => host.hasProcessNamed(comm),
    knowsDriver: (driver) => host.knowsDriver(driver),
    isFree: (file, ioas, range) => host.isFree(file, ioas, range),
    isHeld: (id) => host.isHeld(id),
    hasOpen: (pid, kind) => host.hasOpen(pid, kind),
    filesOf: (pid) => host.filesOf(pid),
  };
}
