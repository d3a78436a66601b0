/**
 * A claimed host that is not told who is gone: it works that out for itself, from what is claimed.
 *
 * @module
 */
import { isSeenBoot } from '../../events/evidence.ts';
import type { Placed } from '../../events/vocabulary.ts';
import { bootProfile } from '../../machines/eras.ts';
import { NAMELESS } from '../../machines/unshown.ts';
import { kindOfDriver } from '../../operations/driver.ts';
import { fileOpenedBy, positionOf } from '../../processes/process-table.ts';
import type { Gone } from '../../projections/audit/claimed.ts';
import { ClaimedHost } from '../../projections/audit/claimed-host.ts';

const nobody: Gone = { evicted: new Set(), unbound: new Set() };

export class UntoldClaims {
  claims = new ClaimedHost();
  /** What has been taken since the boot, and who had to have gone before it. */
  readonly #taken: [Placed, Gone][] = [];
  #isAssumed = false;
  /** Whether the kernel is older than 5.19: a kernel driver is in the way of a device, not of a container. */
  #isOld = false;

  take(event: Placed): void {
    const { type, data } = event;
    if (type === 'host.booted') {
      this.#isAssumed = !isSeenBoot(event);
      this.#isOld = bootProfile(data.kernel, data.profile) === 'linux-5.10';
      this.#taken.length = 0;
    }
    this.claims.take(event, nobody);
    const gone = this.#isAssumed ? goneBefore(event, this.claims, this.#isOld) : nobody;
    this.#taken.push([event, gone]);
    if (gone.evicted.size + gone.unbound.size === 0) return;
    // Who the event shows to have gone had left before it: once more, and with them gone by then.
    this.claims = new ClaimedHost();
    for (const [earlier, left] of this.#taken) this.claims.take(earlier, left);
  }
}

/** Who cannot have been there, or the call of an event would have been refused; `claims` has taken it. */
function goneBefore(event: Placed, claims: ClaimedHost, isOld: boolean): Gone {
  const { type, data } = event;
  if (type === 'device.obtained') return goneBeforeObtained(fileOpenedBy(event), claims, isOld);
  if (type !== 'group.opened' && type !== 'container.set' && type !== 'device.bound') return nobody;
  const id = fileOpenedBy(event) ?? claims.processes.file(data.pid, data.fd) ?? '';
  const own = claims.files.get(id);
  if (own === undefined || own.group === null) return nobody;
  const gone = claims.filesOf(own.group).filter((other) => {
    if (other === own || other.context === own.id || other.keeps.has(own.id)) return false;
    // A dead file is in nobody's way.
    if (other.kind === 'group') return !other.isDead;
    // What was got through an iommufd keeps no file of its group, nor that from another iommufd.
    if (type !== 'device.bound' && other.isGranted && other.isIommufd) {
      return type === 'container.set' && !own.isIommufd;
    }
    if (type !== 'device.bound') return other.context !== null || other.isGranted;
    // A context that is not shown may be the one that the others are bound to.
    const isOther =
      own.context !== null &&
      other.context !== own.context &&
      // One that nobody has seen may be the same, unless that was opened after it had been given.
      (other.context !== NAMELESS || positionOf(other.id) < positionOf(own.context));
    const isNative = other.isGranted && !other.isIommufd;
    return isNative || (other.context !== null && (other.device === own.device || isOther));
  });
  const isClaim =
    !isOld && (type === 'device.bound' || (type === 'container.set' && !own.isIommufd));
  const unbound = [...claims.devices].filter(
    ([, { group, driver }]) =>
      isClaim && group === own.group && driver !== null && kindOfDriver(driver) === 'kernel',
  );
  return {
    evicted: new Set(gone.map((file) => file.id)),
    unbound: new Set(unbound.map(([address]) => address)),
  };
}

/** A device that is obtained through an iommufd claims its group; on an old kernel it must be viable. */
function goneBeforeObtained(
  id: string | null,
  { files, devices }: ClaimedHost,
  isOld: boolean,
): Gone {
  const own = files.get(id ?? '');
  if (own === undefined || (!own.isIommufd && !isOld)) return nobody;
  const unbound = [...devices].filter(
    ([, { group, driver }]) =>
      group === own.group && driver !== null && kindOfDriver(driver) === 'kernel',
  );
  return { evicted: new Set(), unbound: new Set(unbound.map(([address]) => address)) };
}
