/**
 * Attempts that were turned down: as a trace shows them, and as programs report them.
 *
 * @module
 */
import type { Attempt, DataOf } from '../../events/vocabulary.ts';
import type { IoctlWords } from '../sighting.ts';

type Place = { readonly pid: number; readonly fd: number };
/** The operations that are an ioctl. */
type Requested = Extract<Attempt, { fd: number }>['operation'];

/** An ioctl as the attempt that it was; what the trace does not show of it is null. */
export function attemptOf(operation: Requested, place: Place, words: IoctlWords): Attempt | null {
  const { argsz, flags, pt = null, iommufd = null, container = null, value = null } = words;
  const sized = {
    ...place,
    ...(argsz !== undefined && { argsz }),
    ...(flags !== undefined && { flags }),
  };
  switch (operation) {
    case 'bind':
      return { operation, ...sized, iommufd };
    case 'attach':
      return { operation, ...sized, pt };
    case 'detach':
      return { operation, ...sized };
    case 'set_container':
      return { operation, ...place, container };
    case 'get_device':
      return { operation, ...place, device: nameOf(words.device) };
    case 'set_iommu':
      return { operation, ...place, iommu: value };
    case 'check_extension':
      return { operation, ...place, extension: value };
    case 'destroy':
      return { operation, ...place, object: words.object ?? null };
    case 'alloc_hwpt':
      return { operation, ...place, device: null, pt };
    case 'ioas_map':
      return { operation, ...place, ioas: null, iova: null, size: null };
    case 'compat_ioas':
      return { operation, ...place, action: null, ioas: null };
    case 'map_dma':
      return { operation, ...place, iova: null, size: null };
    case 'region_info':
      return { operation, ...place, region: null };
    case 'hot_reset':
      return { operation, ...place, groups: null };
    case 'alloc_ioas':
    case 'unset_container':
    case 'api_version':
    case 'group_status':
    case 'device_info':
    case 'reset':
    case 'hot_reset_info':
      return { operation, ...place };
    default:
      return null;
  }
}

/** The name of a device without the options that a driver takes with it (vf_token=…). */
export function nameOf(text: string | undefined): string | null {
  const [name = ''] = (text ?? '').split(/\s/);
  return name === '' ? null : name;
}

/** A refused attempt as the log holds it. */
export function refused(attempt: Attempt, errno: string, cause: string | null = null) {
  const data = { ...attempt, errno, ...(cause !== null && { cause }) };
  return { type: 'operation.refused', data: data as DataOf<'operation.refused'> } as const;
}
