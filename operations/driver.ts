/**
 * What a bound driver means for the DMA ownership of its device's group.
 *
 * @module
 */

/**
 * `vfio` registers the device with VFIO and claims nothing. `harmless` manages its own DMA or does
 * none. `kernel` uses the DMA API, and so claims the group for the kernel.
 */
export type DriverKind = 'vfio' | 'harmless' | 'kernel';

/** Drivers that set `driver_managed_dma` and are not VFIO's (include/linux/device/driver.h). */
const harmless = new Set(['pci-stub', 'pcieport']);

/** The kind of a driver, by its name; variant drivers of VFIO are called like `mlx5_vfio_pci`. */
export function kindOfDriver(driver: string): DriverKind {
  if (/(^|[-_])vfio([-_]|$)/.test(driver)) return 'vfio';
  return harmless.has(driver) ? 'harmless' : 'kernel';
}
