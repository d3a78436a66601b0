/* names.c: the names of a process, and the numbers that they stand for. */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

static struct {
  char name[NAME_SIZE];
  int64_t value;
} names[MAX_NAMES];
static int name_count;

int64_t value_of(const char *name) {
  if (name[0] == ':') return strtoll(name + 1, NULL, 0);
  for (int i = 0; i < name_count; i++) {
    if (strcmp(names[i].name, name) == 0) return names[i].value;
  }
  return -1;
}

void set_value(const char *name, int64_t value) {
  int i = 0;
  while (i < name_count && strcmp(names[i].name, name) != 0) i++;
  if (name[0] == ':' || i == MAX_NAMES) return;
  if (i == name_count) snprintf(names[name_count++].name, NAME_SIZE, "%s", name);
  names[i].value = value;
}

bool get_name(int index, char name[NAME_SIZE], int64_t *value) {
  if (index >= name_count) return false;
  memcpy(name, names[index].name, NAME_SIZE);
  *value = names[index].value;
  return true;
}
