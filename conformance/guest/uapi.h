/*
 * uapi.h: VFIO's and iommufd's ioctls, as far as the scenario language knows them.
 *
 * Copies of our own: the headers of the machine that compiles this may be older than the kernels
 * that are asked.
 */
#ifndef UAPI_H
#define UAPI_H

#include <stdint.h>
#include <sys/ioctl.h>

#define VFIO(number) _IO(';', 100 + (number))
#define IOMMUFD(number) _IO(';', 0x80 + (number))

#define VFIO_GET_API_VERSION VFIO(0)
#define VFIO_CHECK_EXTENSION VFIO(1)
#define VFIO_SET_IOMMU VFIO(2)
#define VFIO_GROUP_GET_STATUS VFIO(3)
#define VFIO_GROUP_SET_CONTAINER VFIO(4)
#define VFIO_GROUP_UNSET_CONTAINER VFIO(5)
#define VFIO_GROUP_GET_DEVICE_FD VFIO(6)
#define VFIO_DEVICE_GET_INFO VFIO(7)
#define VFIO_DEVICE_GET_REGION_INFO VFIO(8)
#define VFIO_DEVICE_RESET VFIO(11)
#define VFIO_DEVICE_GET_PCI_HOT_RESET_INFO VFIO(12)
#define VFIO_DEVICE_PCI_HOT_RESET VFIO(13) /* to a device's file … */
#define VFIO_IOMMU_MAP_DMA VFIO(13)        /* … and to a container's */
#define VFIO_DEVICE_BIND_IOMMUFD VFIO(18)
#define VFIO_DEVICE_ATTACH_IOMMUFD_PT VFIO(19)
#define VFIO_DEVICE_DETACH_IOMMUFD_PT VFIO(20)

#define IOMMU_DESTROY IOMMUFD(0)
#define IOMMU_IOAS_ALLOC IOMMUFD(1)
#define IOMMU_IOAS_MAP IOMMUFD(5)
#define IOMMU_VFIO_IOAS IOMMUFD(8)
#define IOMMU_HWPT_ALLOC IOMMUFD(9)

#define VFIO_TYPE1v2_IOMMU 3
#define VFIO_GROUP_FLAGS_VIABLE 1
#define VFIO_GROUP_FLAGS_CONTAINER_SET 2
#define VFIO_DMA_MAP_READ_WRITE 3
#define IOMMU_IOAS_MAP_FIXED_READ_WRITE 7
#define VFIO_PCI_CONFIG_REGION 7
#define VFIO_PCI_REGION_SHIFT 40

struct bind_iommufd {
  uint32_t argsz, flags;
  int32_t iommufd;
  uint32_t out_devid;
  uint64_t token_uuid_ptr;
};

struct attach_pt {
  uint32_t argsz, flags, pt_id, pasid;
};

struct detach_pt {
  uint32_t argsz, flags, pasid;
};

struct group_status {
  uint32_t argsz, flags;
};

struct device_info {
  uint32_t argsz, flags, num_regions, num_irqs, cap_offset, pad;
};

struct region_info {
  uint32_t argsz, flags, index, cap_offset;
  uint64_t size, offset;
};

struct hot_reset_dependent {
  uint32_t id; /* of its group, or as a device of an iommufd */
  uint16_t segment;
  uint8_t bus, devfn;
};

#define MAX_DEPENDENTS 32
struct hot_reset_info {
  uint32_t argsz, flags, count;
  struct hot_reset_dependent devices[MAX_DEPENDENTS];
};

#define MAX_HOT_RESET_FILES 64
struct hot_reset {
  uint32_t argsz, flags, count;
  int32_t fds[MAX_HOT_RESET_FILES];
};

struct dma_map {
  uint32_t argsz, flags;
  uint64_t vaddr, iova, size;
};

struct ioas_alloc {
  uint32_t size, flags, out_ioas_id;
};

struct object_destroy {
  uint32_t size, id;
};

struct ioas_map {
  uint32_t size, flags, ioas_id, reserved;
  uint64_t user_va, length, iova;
};

enum { COMPAT_IOAS_GET, COMPAT_IOAS_SET, COMPAT_IOAS_CLEAR };
struct compat_ioas {
  uint32_t size, ioas_id;
  uint16_t op, reserved;
};

struct hwpt_alloc {
  uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved, data_type, data_len;
  uint64_t data_uptr;
  uint32_t fault_id, reserved2;
};

#endif
