/* host.c: devices and their drivers, as the list of the host wants them and as sysfs has them. */
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MAX_DEVICES 64
#define MAX_MEMBERS 64

static struct device devices[MAX_DEVICES];
static int device_count;

/* A line of the list: NAME ADDRESS DRIVER MODEL PORT. */
void load_devices(void) {
  static char list[8192];
  int file = open("/etc/devices", O_RDONLY | O_CLOEXEC);
  ssize_t size = file < 0 ? -1 : read(file, list, sizeof list - 1);
  if (size < 0) give_up("/etc/devices: %s", strerror(errno));
  close(file);
  list[size] = '\0';
  char *rest = NULL;
  for (char *line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    struct device *device = &devices[device_count];
    if (device_count == MAX_DEVICES) give_up("/etc/devices: more than %d devices", MAX_DEVICES);
    if (sscanf(line, "%15s %15s %31s %31s %15s", device->name, device->address, device->driver,
               device->model, device->port) != 5) {
      give_up("/etc/devices: '%s' is no device", line);
    }
    device->group = -1;
    device_count++;
  }
}

struct device *find_device(const char *word) {
  for (int i = 0; i < device_count; i++) {
    struct device *device = &devices[i];
    if (strcmp(device->name, word) == 0 || strcmp(device->address, word) == 0) return device;
  }
  return NULL;
}

static void path_of(const struct device *device, const char *what, char *path, size_t size) {
  snprintf(path, size, "/sys/bus/pci/devices/%s/%s", device->address, what);
}

/* The last part of what a link of a device points to; "" where it has no such link. */
static void read_link(const struct device *device, const char *what, char *target, size_t size) {
  char path[128], whole[256];
  path_of(device, what, path, sizeof path);
  ssize_t length = readlink(path, whole, sizeof whole - 1);
  whole[length < 0 ? 0 : length] = '\0';
  const char *slash = strrchr(whole, '/');
  snprintf(target, size, "%s", slash ? slash + 1 : whole);
}

int device_group(struct device *device) {
  if (device->group < 0) {
    char group[32];
    read_link(device, "iommu_group", group, sizeof group);
    if (group[0] != '\0') device->group = atoi(group);
  }
  return device->group;
}

void read_driver(const struct device *device, char *driver, size_t size) {
  read_link(device, "driver", driver, size);
  if (driver[0] == '\0') snprintf(driver, size, "none");
}

void read_cdev(const struct device *device, char *cdev, size_t size) {
  char path[128];
  cdev[0] = '\0';
  path_of(device, "vfio-dev", path, sizeof path);
  DIR *folder = opendir(path);
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (strncmp(entry->d_name, "vfio", 4) == 0) snprintf(cdev, size, "%.15s", entry->d_name);
  }
  closedir(folder);
  /* Kernels before 6.6, and those built without, have the folder and not the node. */
  snprintf(path, sizeof path, "/dev/vfio/devices/%s", cdev);
  if (access(path, F_OK) != 0) cdev[0] = '\0';
}

/* Writes a word to a file of sysfs; 0 or an errno. */
static int write_word(const char *path, const char *word) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  int error = write(file, word, strlen(word)) < 0 ? errno : 0;
  close(file);
  return error;
}

int change_driver(const struct device *device, const char *driver) {
  char path[128], current[32];
  bool none = strcmp(driver, "none") == 0;
  read_driver(device, current, sizeof current);
  if (strcmp(current, "none") != 0) {
    path_of(device, "driver/unbind", path, sizeof path);
    int error = write_word(path, device->address);
    if (error) return error;
  }
  path_of(device, "driver_override", path, sizeof path);
  int error = write_word(path, none ? "\n" : driver);
  if (error || none) return error;
  /* Not drivers_probe: bind tells why a probe failed. */
  snprintf(path, sizeof path, "/sys/bus/pci/drivers/%s/bind", driver);
  return write_word(path, device->address);
}

static bool is_as_wanted(const struct device *device) {
  char driver[32], cdev[16];
  read_driver(device, driver, sizeof driver);
  read_cdev(device, cdev, sizeof cdev);
  return strcmp(driver, device->driver) == 0 && strcmp(cdev, device->cdev) == 0;
}

/*
 * VFIO's nodes are numbered by the lowest number that is free. All that differ let go of theirs
 * first, and get them back in the order of the list, which is that of the boot.
 */
void restore_drivers(void) {
  bool differs[MAX_DEVICES];
  for (int i = 0; i < device_count; i++) {
    differs[i] = !is_as_wanted(&devices[i]);
    if (differs[i]) change_driver(&devices[i], "none");
  }
  for (int i = 0; i < device_count; i++) {
    struct device *device = &devices[i];
    if (!differs[i] || strcmp(device->driver, "none") == 0) continue;
    int error = change_driver(device, device->driver);
    if (error) give_up("%s does not go to %s: %s", device->name, device->driver, strerror(error));
  }
}

void survey_host(void) {
  for (int i = 0; i < device_count; i++) {
    struct device *device = &devices[i];
    char driver[32];
    if (device_group(device) < 0) give_up("%s at %s is not there", device->name, device->address);
    read_driver(device, driver, sizeof driver);
    if (strcmp(driver, device->driver) != 0) {
      int error = change_driver(device, device->driver);
      if (error) give_up("%s does not go to %s: %s", device->name, device->driver, strerror(error));
    }
    read_cdev(device, device->cdev, sizeof device->cdev);
  }
}

static void print_word(FILE *out, const char *key, const char *word, const char *nothing) {
  if (strcmp(word, nothing) == 0) fprintf(out, ",\"%s\":null", key);
  else fprintf(out, ",\"%s\":\"%s\"", key, word);
}

static int by_address(const void *a, const void *b) { return strcmp(a, b); }

/* The addresses of all that sits in a group, bridges too; false where there is no such group. */
static bool print_members(FILE *out, int group, const char *separator) {
  char path[64], members[MAX_MEMBERS][16];
  int count = 0;
  snprintf(path, sizeof path, "/sys/kernel/iommu_groups/%d/devices", group);
  DIR *folder = opendir(path);
  if (folder == NULL) return false;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL && count < MAX_MEMBERS;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(members[count++], sizeof members[0], "%.15s", entry->d_name);
  }
  closedir(folder);
  qsort(members, count, sizeof members[0], by_address);
  fprintf(out, "%s\"%d\":[", separator, group);
  for (int i = 0; i < count; i++) fprintf(out, "%s\"%s\"", i ? "," : "", members[i]);
  fprintf(out, "]");
  return true;
}

void print_topology(FILE *out) {
  struct utsname system;
  uname(&system);
  fprintf(out, "{\"topology\":{\"kernel\":\"%s\",\"iommufd\":%s,\"devices\":[", system.release,
          access("/dev/iommu", F_OK) == 0 ? "true" : "false");
  for (int i = 0; i < device_count; i++) {
    struct device *device = &devices[i];
    fprintf(out, "%s{\"name\":\"%s\",\"bdf\":\"%s\",\"model\":\"%s\",\"group\":%d", i ? "," : "",
            device->name, device->address, device->model, device_group(device));
    print_word(out, "driver", device->driver, "none");
    print_word(out, "cdev", device->cdev, "");
    if (strcmp(device->port, "none") != 0) fprintf(out, ",\"port\":\"%s\"", device->port);
    fprintf(out, "}");
  }
  fprintf(out, "],\"groups\":{");
  const char *separator = "";
  for (int group = 0; group < 256; group++) {
    if (print_members(out, group, separator)) separator = ",";
  }
  fprintf(out, "}}}\n");
}
