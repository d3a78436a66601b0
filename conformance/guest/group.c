/* group.c: operations on groups and containers, VFIO's older interface. */
#include "agent.h"
#include "uapi.h"

#include <stdlib.h>

static int64_t open_container(const struct statement *s, struct answer *) {
  return open_node(s, "/dev/vfio/vfio");
}

/* The group of a device, or g7 or 7 for a group by its number. */
static int64_t open_group(const struct statement *s, struct answer *) {
  char path[64];
  const char *word = operand(s, 1);
  struct device *device = find_device(word);
  int group = device ? device_group(device) : atoi(word[0] == 'g' ? word + 1 : word);
  snprintf(path, sizeof path, "/dev/vfio/%d", group);
  return open_node(s, path);
}

static int64_t get_device(const struct statement *s, struct answer *) {
  const struct device *device = find_device(operand(s, 2));
  const char *address = device ? device->address : operand(s, 2);
  return name_descriptor(s, ioctl(descriptor(s, 1), VFIO_GROUP_GET_DEVICE_FD, address));
}

static int64_t set_container(const struct statement *s, struct answer *) {
  int32_t container = descriptor(s, 1);
  return ioctl(descriptor(s, 0), VFIO_GROUP_SET_CONTAINER, &container);
}

static int64_t unset_container(const struct statement *s, struct answer *) {
  return ioctl(descriptor(s, 0), VFIO_GROUP_UNSET_CONTAINER);
}

static int64_t set_iommu(const struct statement *s, struct answer *) {
  return ioctl(descriptor(s, 0), VFIO_SET_IOMMU, number(s, 1, VFIO_TYPE1v2_IOMMU));
}

static int64_t api_version(const struct statement *s, struct answer *) {
  return ioctl(descriptor(s, 0), VFIO_GET_API_VERSION);
}

static int64_t check_extension(const struct statement *s, struct answer *) {
  return ioctl(descriptor(s, 0), VFIO_CHECK_EXTENSION, number(s, 1, 0));
}

static int64_t map_dma(const struct statement *s, struct answer *) {
  struct dma_map *map = blank(sizeof *map);
  map->argsz = sizeof *map;
  map->flags = VFIO_DMA_MAP_READ_WRITE;
  map->size = option(s, "size", 4096);
  map->iova = option(s, "iova", 0x100000);
  map->vaddr = memory(map->size);
  return ioctl(descriptor(s, 0), VFIO_IOMMU_MAP_DMA, map);
}

static const char *truth(uint32_t flags, uint32_t flag) { return flags & flag ? "true" : "false"; }

static int64_t group_status(const struct statement *s, struct answer *answer) {
  struct group_status *status = blank(sizeof *status);
  status->argsz = sizeof *status;
  int rc = ioctl(descriptor(s, 0), VFIO_GROUP_GET_STATUS, status);
  if (rc < 0) return rc;
  tell(answer, ",\"viable\":%s,\"container_set\":%s",
       truth(status->flags, VFIO_GROUP_FLAGS_VIABLE),
       truth(status->flags, VFIO_GROUP_FLAGS_CONTAINER_SET));
  return rc;
}

const struct operation group_operations[] = {
    {"open_container", open_container},
    {"open_group", open_group},
    {"get_device", get_device},
    {"set_container", set_container},
    {"unset_container", unset_container},
    {"set_iommu", set_iommu},
    {"api_version", api_version},
    {"check_extension", check_extension},
    {"map_dma", map_dma},
    {"group_status", group_status},
    {NULL, NULL},
};
