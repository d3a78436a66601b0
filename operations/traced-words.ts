/**
 * What a trace shows of an ioctl's arguments and results.
 *
 * @module
 */

/** Arguments and results of an ioctl, as far as the trace shows them. */
export interface TracedWords {
  /** The third argument where it is a number itself: the type of VFIO_SET_IOMMU, an extension. */
  readonly value?: number;
  /** VFIO_DEVICE_BIND_IOMMUFD `.iommufd`. */
  readonly iommufd?: number;
  /** VFIO_DEVICE_ATTACH_IOMMUFD_PT `.pt_id`. */
  readonly pt?: number;
  /** VFIO_GROUP_SET_CONTAINER: the descriptor given. */
  readonly container?: number;
  /** VFIO_GROUP_GET_DEVICE_FD: the name given. */
  readonly device?: string;
  /** The kernel's own name of the device that was claimed within: its `struct device`. */
  readonly claimed?: string;
  readonly argsz?: number;
  readonly flags?: number;
  /** The id that came out: of a bound device, an IOAS, a page table. */
  readonly id?: number;
  /** IOMMU_DESTROY: the object given. */
  readonly object?: number;
}

/** `argsz` and `flags`, where they show. */
export function shapeOf({ argsz, flags }: TracedWords) {
  return { ...(argsz !== undefined && { argsz }), ...(flags !== undefined && { flags }) };
}

/** The name of a device without the options that a driver takes with it (vf_token=…). */
export function nameOf(text: string | undefined): string | null {
  const [name = ''] = (text ?? '').split(/\s/);
  return name === '' ? null : name;
}
