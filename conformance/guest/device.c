/* device.c: operations on a device's file, however it was opened. */
#include "agent.h"
#include "uapi.h"

#include <sys/mman.h>
#include <unistd.h>

static int64_t device_info(const struct statement *s, struct answer *answer) {
  struct device_info *info = blank(sizeof *info);
  info->argsz = 20; /* without the capabilities */
  int rc = ioctl(descriptor(s, 0), VFIO_DEVICE_GET_INFO, info);
  if (rc < 0) return rc;
  tell(answer, ",\"flags\":%u,\"regions\":%u,\"irqs\":%u", info->flags, info->num_regions,
       info->num_irqs);
  return rc;
}

static int64_t region_info(const struct statement *s, struct answer *answer) {
  struct region_info *info = blank(sizeof *info);
  info->argsz = sizeof *info;
  info->index = number(s, 1, 0);
  int rc = ioctl(descriptor(s, 0), VFIO_DEVICE_GET_REGION_INFO, info);
  if (rc >= 0) {
    tell(answer, ",\"size\":%llu,\"flags\":%u", (unsigned long long)info->size, info->flags);
  }
  return rc;
}

static int64_t reset(const struct statement *s, struct answer *) {
  return ioctl(descriptor(s, 0), VFIO_DEVICE_RESET);
}

static int64_t hot_reset_info(const struct statement *s, struct answer *answer) {
  struct hot_reset_info *info = blank(sizeof *info);
  info->argsz = sizeof *info;
  int rc = ioctl(descriptor(s, 0), VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info);
  if (rc < 0) return rc;
  tell(answer, ",\"flags\":%u,\"deps\":[", info->flags);
  for (uint32_t i = 0; i < info->count && i < MAX_DEPENDENTS; i++) {
    const struct hot_reset_dependent *one = &info->devices[i];
    tell(answer, "%s{\"id\":%d,\"bdf\":\"%04x:%02x:%02x.%x\"}", i ? "," : "", (int)one->id,
         one->segment, one->bus, one->devfn >> 3, one->devfn & 7);
  }
  tell(answer, "]");
  return rc;
}

/* With the files of groups, or of an iommufd's devices, as proof of ownership. */
static int64_t hot_reset(const struct statement *s, struct answer *) {
  struct hot_reset *reset = blank(sizeof *reset);
  for (int i = 1; has_operand(s, i) && reset->count < MAX_HOT_RESET_FILES; i++) {
    reset->fds[reset->count++] = descriptor(s, i);
  }
  reset->argsz = offsetof(struct hot_reset, fds) + reset->count * sizeof reset->fds[0];
  return ioctl(descriptor(s, 0), VFIO_DEVICE_PCI_HOT_RESET, reset);
}

/* Where a region of a device begins in its file. */
static off_t region(const struct statement *s, int index, uint64_t otherwise) {
  return number(s, index, otherwise) << VFIO_PCI_REGION_SHIFT;
}

static int64_t read_region(const struct statement *s, struct answer *) {
  char bytes[4];
  return pread(descriptor(s, 0), bytes, sizeof bytes, region(s, 1, VFIO_PCI_CONFIG_REGION));
}

static int64_t map_region(const struct statement *s, struct answer *) {
  int protection = PROT_READ | PROT_WRITE;
  void *place = mmap(NULL, PAGE, protection, MAP_SHARED, descriptor(s, 1), region(s, 2, 0));
  if (place == MAP_FAILED) return -1;
  set_value(operand(s, 0), (intptr_t)place);
  return 0;
}

static int64_t unmap_region(const struct statement *s, struct answer *) {
  return munmap((void *)(intptr_t)value_of(operand(s, 0)), PAGE);
}

/* Any request, with a null pointer for an argument. */
static int64_t request(const struct statement *s, struct answer *) {
  return ioctl(descriptor(s, 0), number(s, 1, 0), NULL);
}

const struct operation device_operations[] = {
    {"device_info", device_info},
    {"region_info", region_info},
    {"reset", reset},
    {"hot_reset_info", hot_reset_info},
    {"hot_reset", hot_reset},
    {"read", read_region},
    {"mmap", map_region},
    {"munmap", unmap_region},
    {"ioctl", request},
    {NULL, NULL},
};
