/*
 * init.c: process 1 of the guest, the only program in it.
 *
 * Makes a host of the kernel that was booted: file systems, modules, devices on their drivers. Then
 * operations are performed until the other side has had enough, and the machine is switched off.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const char port[] = "/dev/vport0p1";
#define PORT_MS 20000

_Noreturn static void power_off(void) {
  reboot(RB_POWER_OFF);
  for (;;) pause();
}

void give_up(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  dprintf(STDERR_FILENO, "agent: ");
  vdprintf(STDERR_FILENO, format, arguments);
  dprintf(STDERR_FILENO, "\n");
  va_end(arguments);
  if (getpid() != 1) _exit(1);
  tcdrain(STDERR_FILENO);
  power_off();
}

static void mount_all(void) {
  static const struct {
    const char *type, *place;
  } mounts[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}};
  for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
    mkdir(mounts[i].place, 0755);
    if (mount(mounts[i].type, mounts[i].place, mounts[i].type, 0, NULL) < 0) {
      give_up("mount %s: %s", mounts[i].place, strerror(errno));
    }
  }
}

/* Descriptors 0 to 2 of every process of a scenario are this terminal. */
static void open_console(void) {
  int console = open("/dev/console", O_RDWR);
  if (console < 0) give_up("/dev/console: %s", strerror(errno));
  for (int fd = 0; fd < 3; fd++) {
    if (fd != console) dup2(console, fd);
  }
  if (console > 2) close(console);
}

/* Loads the modules of a list, in its order. */
static void load_modules(void) {
  char name[64], path[96];
  FILE *list = fopen("/modules/list", "re");
  if (list == NULL) give_up("/modules/list: %s", strerror(errno));
  while (fscanf(list, "%63s", name) == 1) {
    snprintf(path, sizeof path, "/modules/%s", name);
    int module = open(path, O_RDONLY | O_CLOEXEC);
    if (module < 0 || syscall(SYS_finit_module, module, "", 0) < 0) {
      give_up("%s: %s", path, strerror(errno));
    }
    close(module);
  }
  fclose(list);
}

/* The port appears some time after its driver does. */
static int open_port(void) {
  const struct timespec pause = {.tv_nsec = 5000000};
  for (int waited = 0; waited < PORT_MS; waited += 5) {
    int file = open(port, O_RDWR | O_CLOEXEC);
    if (file >= 0) return file;
    nanosleep(&pause, NULL);
  }
  give_up("%s: %s", port, strerror(errno));
}

/*
 * The close that lets a blocked unbind go on may have more to release, such as the group's file.
 * Processes of a scenario, which inherit this, finish what they do before the unbind's helper runs,
 * which does not: on the one processor there is, the outcome is always the same.
 */
static void take_precedence(void) {
  struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
  if (sched_setscheduler(0, SCHED_FIFO, &lowest) < 0) give_up("scheduling: %s", strerror(errno));
}

int main(int count, char **arguments) {
  if (count > 2 && strcmp(arguments[1], "--worker") == 0) resume_work(arguments + 2);
  mount_all();
  open_console();
  load_modules();
  load_devices();
  survey_host();
  int file = open_port();
  start_recorder();
  take_precedence();
  coordinate(file);
  stop_recorder();
  power_off();
}
