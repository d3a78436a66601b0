/**
 * What a driver's binding means for DMA ownership.
 *
 * @module
 */

/**
 * `vfio` registers the device with VFIO and claims nothing, `harmless` manages its own DMA or does
 * none, `kernel` uses the DMA API and so claims the group for the kernel.
 */
export type DriverKind = 'vfio' | 'harmless' | 'kernel';

/** Drivers that set `driver_managed_dma` and are not VFIO's (include/linux/device/driver.h). */
const harmless = new Set(['pci-stub', 'pcieport']);

export function kindOfDriver(driver: string): DriverKind {
  if (/(^|[-_])vfio([-_]|$)/.test(driver)) return 'vfio';
  return harmless.has(driver) ? 'harmless' : 'kernel';
}
