/*
 * drivers.c: a change of a device's driver.
 *
 * An unbind waits in the kernel for as long as somebody has the device open, and so a helper
 * process does it. Whether the helper is blocked is no question of time: the kernel tells the
 * function that a sleeping process waits in, and one function waits for a device's last file.
 * Before 5.16 it tells none (arch/x86/kernel/process.c:get_wchan), and its stack is read instead.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char waits_for_files[] = "vfio_unregister_group_dev";

/* How long a change that is not blocked may take, resets and probes included. The patience that a
   statement asks for (ms=) is not needed: what is blocked is seen to be. */
#define CHANGE_MS 10000

/* At most one at a time, until it has been collected. */
static struct {
  const struct device *device; /* NULL: none */
  pid_t helper;
  int pidfd, wchan, state, stack;
} change;
static bool changed;

/* Reads the beginning of a file below /proc. */
static void read_begin(int file, char *text, size_t size) {
  ssize_t length = pread(file, text, size - 1, 0);
  text[length < 0 ? 0 : length] = '\0';
}

/* Whether the helper sleeps; the state follows its name in brackets. */
static bool is_asleep(void) {
  char state[64];
  read_begin(change.state, state, sizeof state);
  return strstr(state, ") S ") != NULL || strstr(state, ") D ") != NULL;
}

static bool is_blocked(void) {
  char function[64], stack[2048];
  read_begin(change.wchan, function, sizeof function);
  if (strcmp(function, waits_for_files) == 0) return true;
  if (strcmp(function, "0") != 0 || !is_asleep()) return false;
  read_begin(change.stack, stack, sizeof stack);
  return strstr(stack, waits_for_files) != NULL;
}

/* Opens a file of the helper below /proc. */
static int open_helper(pid_t helper, const char *name) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/%s", helper, name);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) give_up("%s: %s", path, strerror(errno));
  return file;
}

static bool is_over(int milliseconds) {
  struct pollfd ended = {.fd = change.pidfd, .events = POLLIN};
  return poll(&ended, 1, milliseconds) > 0;
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Lets the change go on for as long as it moves; true when it is over. */
static bool settle(void) {
  int64_t end = now() + CHANGE_MS;
  for (int pause = 0; !is_over(pause); pause = pause < 16 ? 2 * pause + 1 : pause) {
    if (is_blocked() || now() >= end) return false;
  }
  return true;
}

/* Takes the end of the helper, and says what came of the change: 0 or an errno. */
static int collect(void) {
  int status = 0;
  if (waitpid(change.helper, &status, 0) < 0) give_up("the driver's helper is lost");
  close(change.pidfd);
  close(change.wchan);
  close(change.state);
  close(change.stack);
  change.device = NULL;
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* What a change comes to: its end, or that it waits. */
static void report(struct answer *answer) {
  const struct device *device = change.device;
  char driver[32];
  if (!settle()) {
    tell(answer, ",\"pending\":true");
    return;
  }
  int error = collect();
  if (error) refuse(answer, error);
  read_driver(device, driver, sizeof driver);
  tell(answer, ",\"driver\":\"%s\"", driver);
}

void begin_change(const struct statement *statement, struct answer *answer) {
  const struct device *device = find_device(operand(statement, 0));
  const char *driver = operand(statement, 1);
  if (device == NULL) return refuse(answer, ENODEV);
  if (change.device != NULL) return refuse(answer, EBUSY);
  pid_t helper = fork();
  if (helper < 0) give_up("no process for a driver's change: %s", strerror(errno));
  if (helper == 0) {
    /* After all processes of the scenario: see init.c. */
    sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
    prctl(PR_SET_NAME, "bg");
    _exit(change_driver(device, driver));
  }
  change.device = device;
  change.helper = helper;
  change.pidfd = syscall(SYS_pidfd_open, helper, 0);
  change.wchan = open_helper(helper, "wchan");
  change.state = open_helper(helper, "stat");
  change.stack = open_helper(helper, "stack");
  if (change.pidfd < 0) give_up("no handle on a driver's helper: %s", strerror(errno));
  changed = true;
  report(answer);
}

void collect_change(struct answer *answer) {
  if (change.device == NULL) return refuse(answer, ECHILD);
  report(answer);
}

bool change_waits(void) { return change.device != NULL; }

void settle_change(void) {
  if (change.device != NULL) settle();
}

bool finish_change(void) {
  if (change.device == NULL) return true;
  if (!is_over(2 * CHANGE_MS)) return false;
  collect();
  return true;
}

bool drivers_changed(void) {
  bool answer = changed;
  changed = false;
  return answer;
}
