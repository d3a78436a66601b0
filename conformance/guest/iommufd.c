/* iommufd.c: operations that bring a device's file and an iommufd together. */
#include "agent.h"
#include "uapi.h"

#include <stdio.h>
#include <string.h>

static int64_t open_cdev(const struct statement *s, struct answer *) {
  char path[64], cdev[16] = "";
  const struct device *device = find_device(operand(s, 1));
  if (device != NULL) read_cdev(device, cdev, sizeof cdev);
  snprintf(path, sizeof path, "/dev/vfio/devices/%s", cdev[0] ? cdev : "none");
  return open_node(s, path);
}

static int64_t open_iommufd(const struct statement *s, struct answer *) {
  return open_node(s, "/dev/iommu");
}

static int64_t bind_iommufd(const struct statement *s, struct answer *answer) {
  char name[NAME_SIZE];
  struct bind_iommufd *bind = blank(sizeof *bind);
  bind->argsz = option(s, "argsz", 16);
  bind->flags = option(s, "flags", 0);
  bind->iommufd = descriptor(s, 1);
  int rc = ioctl(descriptor(s, 0), VFIO_DEVICE_BIND_IOMMUFD, bind);
  if (rc < 0) return rc;
  snprintf(name, sizeof name, "%.59s.id", operand(s, 0));
  set_value(name, bind->out_devid);
  tell(answer, ",\"devid\":%u", bind->out_devid);
  return rc;
}

static int64_t attach(const struct statement *s, struct answer *answer) {
  struct attach_pt *attach = blank(sizeof *attach);
  attach->argsz = option(s, "argsz", 12);
  attach->flags = option(s, "flags", 0);
  attach->pt_id = value_of(operand(s, 1));
  attach->pasid = option(s, "pasid", 0);
  int rc = ioctl(descriptor(s, 0), VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach);
  if (rc >= 0) tell(answer, ",\"pt_id\":%u", attach->pt_id);
  return rc;
}

static int64_t detach(const struct statement *s, struct answer *) {
  struct detach_pt *detach = blank(sizeof *detach);
  detach->argsz = option(s, "argsz", 8);
  detach->flags = option(s, "flags", 0);
  detach->pasid = option(s, "pasid", 0);
  return ioctl(descriptor(s, 0), VFIO_DEVICE_DETACH_IOMMUFD_PT, detach);
}

/* Names an object that was allocated. */
static int64_t name_object(const char *name, uint32_t id, struct answer *answer) {
  set_value(name, id);
  tell(answer, ",\"id\":%u", id);
  return 0;
}

static int64_t alloc_ioas(const struct statement *s, struct answer *answer) {
  struct ioas_alloc *alloc = blank(sizeof *alloc);
  alloc->size = sizeof *alloc;
  int rc = ioctl(descriptor(s, 0), IOMMU_IOAS_ALLOC, alloc);
  return rc < 0 ? rc : name_object(operand(s, 1), alloc->out_ioas_id, answer);
}

static int64_t alloc_hwpt(const struct statement *s, struct answer *answer) {
  char device[NAME_SIZE];
  snprintf(device, sizeof device, "%.59s.id", operand(s, 1));
  struct hwpt_alloc *alloc = blank(sizeof *alloc);
  alloc->size = sizeof *alloc;
  alloc->flags = option(s, "flags", 0);
  alloc->dev_id = value_of(device);
  alloc->pt_id = value_of(operand(s, 2));
  int rc = ioctl(descriptor(s, 0), IOMMU_HWPT_ALLOC, alloc);
  return rc < 0 ? rc : name_object(operand(s, 3), alloc->out_hwpt_id, answer);
}

static int64_t destroy(const struct statement *s, struct answer *) {
  struct object_destroy *destroy = blank(sizeof *destroy);
  destroy->size = sizeof *destroy;
  destroy->id = value_of(operand(s, 1));
  return ioctl(descriptor(s, 0), IOMMU_DESTROY, destroy);
}

static int64_t map_ioas(const struct statement *s, struct answer *) {
  struct ioas_map *map = blank(sizeof *map);
  map->size = sizeof *map;
  map->flags = IOMMU_IOAS_MAP_FIXED_READ_WRITE;
  map->ioas_id = value_of(operand(s, 1));
  map->length = option(s, "size", 4096);
  map->iova = option(s, "iova", 0x100000);
  map->user_va = memory(map->length);
  return ioctl(descriptor(s, 0), IOMMU_IOAS_MAP, map);
}

static int64_t compat_ioas(const struct statement *s, struct answer *answer) {
  const char *action = operand(s, 1);
  struct compat_ioas *compat = blank(sizeof *compat);
  compat->size = sizeof *compat;
  compat->op = strcmp(action, "set") == 0     ? COMPAT_IOAS_SET
               : strcmp(action, "clear") == 0 ? COMPAT_IOAS_CLEAR
                                              : COMPAT_IOAS_GET;
  if (compat->op == COMPAT_IOAS_SET) compat->ioas_id = value_of(operand(s, 2));
  int rc = ioctl(descriptor(s, 0), IOMMU_VFIO_IOAS, compat);
  if (rc < 0) return rc;
  tell(answer, ",\"id\":%u", compat->ioas_id);
  if (compat->op == COMPAT_IOAS_GET && has_operand(s, 2)) set_value(operand(s, 2), compat->ioas_id);
  return rc;
}

const struct operation iommufd_operations[] = {
    {"open_cdev", open_cdev},
    {"open_iommufd", open_iommufd},
    {"bind", bind_iommufd},
    {"attach", attach},
    {"detach", detach},
    {"alloc_ioas", alloc_ioas},
    {"alloc_hwpt", alloc_hwpt},
    {"destroy", destroy},
    {"ioas_map", map_ioas},
    {"compat_ioas", compat_ioas},
    {NULL, NULL},
};
