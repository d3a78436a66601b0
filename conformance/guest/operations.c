/* operations.c: which operation is which system call, and what the calls have in common. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int descriptor(const struct statement *s, int index) { return value_of(operand(s, index)); }

void *blank(size_t size) {
  static char argument[PAGE] __attribute__((aligned(PAGE)));
  argument[PAGE - 1] = 1;
  return memset(argument, 0, size);
}

uint64_t memory(uint64_t size) {
  void *place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return (uintptr_t)place;
}

int64_t name_descriptor(const struct statement *s, int descriptor) {
  if (descriptor >= 0) set_value(operand(s, 0), descriptor);
  return descriptor;
}

int64_t open_node(const struct statement *s, const char *path) {
  return name_descriptor(s, open(path, O_RDWR | (option(s, "cloexec", 0) ? O_CLOEXEC : 0)));
}

static int64_t open_path(const struct statement *s, struct answer *) {
  return open_node(s, operand(s, 1));
}

static int64_t duplicate(const struct statement *s, struct answer *) {
  return name_descriptor(s, dup(descriptor(s, 1)));
}

static int64_t duplicate_to(const struct statement *s, struct answer *) {
  return name_descriptor(s, dup2(descriptor(s, 1), descriptor(s, 0)));
}

/* A name goes with its descriptor. */
static int64_t close_named(const struct statement *s, struct answer *) {
  int rc = close(descriptor(s, 0));
  if (rc == 0) set_value(operand(s, 0), -1);
  return rc;
}

/* What the names that stand for descriptors are open on: {"A":"3 /dev/iommu"}. */
static int64_t list_descriptors(const struct statement *, struct answer *answer) {
  char name[NAME_SIZE], path[64], target[128];
  const char *separator = "";
  int64_t value;
  tell(answer, ",\"fds\":{");
  for (int i = 0; get_name(i, name, &value); i++) {
    if (strchr(name, '.') != NULL) continue; /* A.id is no descriptor */
    snprintf(path, sizeof path, "/proc/self/fd/%lld", (long long)value);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0 || strlen(answer->extra) + length + NAME_SIZE + 32 > EXTRA_SIZE) continue;
    target[length] = '\0';
    tell(answer, "%s%s", separator, quoted(name));
    tell(answer, ":\"%lld %s\"", (long long)value, target);
    separator = ",";
  }
  tell(answer, "}");
  return 0;
}

static const struct operation descriptor_operations[] = {
    {"open_path", open_path},
    {"dup", duplicate},
    {"dup2", duplicate_to},
    {"close", close_named},
    {"fds", list_descriptors},
    {NULL, NULL},
};

static const struct operation *const tables[] = {
    group_operations, iommufd_operations, device_operations, descriptor_operations};

static const struct operation *find_operation(const char *name) {
  for (size_t table = 0; table < sizeof tables / sizeof tables[0]; table++) {
    for (const struct operation *one = tables[table]; one->name != NULL; one++) {
      if (strcmp(one->name, name) == 0) return one;
    }
  }
  return NULL;
}

void perform_operation(const struct statement *s, struct answer *answer) {
  const struct operation *operation = find_operation(s->operation);
  if (operation == NULL) refuse(answer, ENOSYS);
  else conclude(answer, operation->perform(s, answer));
}
