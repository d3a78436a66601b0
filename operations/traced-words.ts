/**
 * The arguments and results of an ioctl, as far as a trace shows them.
 *
 * @module
 */

/** The arguments and results of an ioctl; a key is absent if the trace does not show it. */
export interface TracedWords {
  /** The third argument if it is a number: the type of VFIO_SET_IOMMU, an extension. */
  readonly value?: number;
  /** VFIO_DEVICE_BIND_IOMMUFD `.iommufd`. */
  readonly iommufd?: number;
  /** VFIO_DEVICE_ATTACH_IOMMUFD_PT `.pt_id`. */
  readonly pt?: number;
  /** VFIO_GROUP_SET_CONTAINER: the descriptor of the container. */
  readonly container?: number;
  /** VFIO_GROUP_GET_DEVICE_FD: the name of the device. */
  readonly device?: string;
  /** The device claimed during the ioctl, by the kernel's pointer to its `struct device`. */
  readonly claimed?: string;
  readonly argsz?: number;
  readonly flags?: number;
  /** The id that was returned: of a bound device, an IOAS, a page table. */
  readonly id?: number;
  /** VFIO_DEVICE_ATTACH_IOMMUFD_PT, VFIO_DEVICE_DETACH_IOMMUFD_PT `.pasid`; counts with its flag. */
  readonly pasid?: number;
  /** IOMMU_VFIO_IOAS `.op`. */
  readonly op?: number;
  /** IOMMU_IOAS_MAP, IOMMU_VFIO_IOAS `.ioas_id`. */
  readonly ioas?: number;
  /** IOMMU_DESTROY: the id of the object. */
  readonly object?: number;
}

/** `argsz` and `flags`, if the trace shows them. */
export function shapeOf({ argsz, flags }: TracedWords) {
  return { ...(argsz !== undefined && { argsz }), ...(flags !== undefined && { flags }) };
}

/** The name of a device, without the driver options behind it (vf_token=…); null if empty. */
export function nameOf(text: string | undefined): string | null {
  const [name = ''] = (text ?? '').split(/\s/);
  return name === '' ? null : name;
}
