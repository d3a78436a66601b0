/*
 * agent.h: the parts of the agent, and what they say to each other.
 *
 *   init.c         process 1: makes a host of the booted kernel, then hands over
 *   coordinator.c  reads operations, has them performed, answers
 *   worker.c       a process of the scenario: P1 to P8
 *   operations.c   the operations that are one system call of such a process; in files of their own
 *                  those on groups (group.c), iommufds (iommufd.c) and devices (device.c)
 *   names.c        the names of such a process
 *   drivers.c      changes of a device's driver, which may be blocked
 *   recorder.c     what records the host beside us, where the host has such
 *   host.c         the devices and their drivers, as sysfs has them
 *   statement.c    an operation taken apart
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* How long a system call may take before the process that made it is given up. */
#define PATIENCE_MS 5000

/* ---- statement.c: an operation taken apart ---- */

#define LINE_SIZE 4096
#define MAX_OPERANDS 70
#define MAX_OPTIONS 8

struct statement {
  const char *operation;
  int operand_count, option_count;
  const char *operands[MAX_OPERANDS], *options[MAX_OPTIONS];
};

/* Takes text apart, which is written to and has to stay; false where nothing is in it. */
bool parse(char *text, struct statement *statement);
/* An operand; "" where it was left out. */
const char *operand(const struct statement *statement, int index);
bool has_operand(const struct statement *statement, int index);
/* An operand that is a number, C notation. */
uint64_t number(const struct statement *statement, int index, uint64_t otherwise);
/* The value of an option, as in flags=1: 32 bits. */
uint32_t option(const struct statement *statement, const char *key, uint32_t otherwise);

/* ---- what an operation came to ---- */

#define EXTRA_SIZE 1024

struct answer {
  int64_t rc;             /* at least 0: done */
  int error;              /* the errno of an rc below 0 */
  char extra[EXTRA_SIZE]; /* more members of a JSON object, each with a comma before it */
};

/* Text as a string of JSON, until the next call. */
const char *quoted(const char *text);
/* Adds to what an answer says, as printf does; what has no room is left out. */
void tell(struct answer *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Makes an answer of what a system call returned. */
void conclude(struct answer *answer, int64_t rc);
/* Makes an answer of an errno. */
void refuse(struct answer *answer, int error);

/* ---- host.c: devices and their drivers ---- */

struct device {
  char name[16], address[16], driver[32], model[32]; /* driver: the one wanted, or "none" */
  char cdev[16]; /* the node it had after boot, or "" */
  char port[16]; /* what it sits behind: root, downstream, bridge, or "none" */
  int group;     /* -1 before anybody asked */
};

void load_devices(void);
/* A device by its name or address; NULL where there is none. */
struct device *find_device(const char *word);
int device_group(struct device *device);
/* The device's driver as it is now; "none" without one. */
void read_driver(const struct device *device, char *driver, size_t size);
/* The name of its VFIO node as it is now, vfio3; "" without one. */
void read_cdev(const struct device *device, char *cdev, size_t size);
/* Unbinds the driver and binds another, "none" for none; 0 or an errno. */
int change_driver(const struct device *device, const char *driver);
/* Puts every device on the driver wanted, and under the node it had. */
void restore_drivers(void);
/* Reads what the host looks like after boot. */
void survey_host(void);
void print_topology(FILE *out);

/* ---- drivers.c: a change of a driver, made aside ---- */

/* set_driver DEVICE DRIVER */
void begin_change(const struct statement *statement, struct answer *answer);
/* bg_wait */
void collect_change(struct answer *answer);
/* Whether there is a change that waits, or that nobody has collected. */
bool change_waits(void);
/* Lets a change go on until it is over or blocked; nothing to do without one. */
void settle_change(void);
/* Waits for a change that nobody collected; false where it does not end. */
bool finish_change(void);
/* Whether a driver was changed since it was asked last. */
bool drivers_changed(void);

/* ---- recorder.c: what records the host beside us ---- */

/* Starts it, and waits until it is at work; nothing to do on a host without. */
void start_recorder(void);
/* Has it come to its end, and hand out what it has. */
void stop_recorder(void);

/* ---- worker.c: processes of the scenario ---- */

/* The descriptor through which a process gets operations; out of the way of those it opens. */
#define CHANNEL 255

/* Sends bytes, with a descriptor where it is one; below 0 with errno where that fails. */
ssize_t send_message(int channel, const void *bytes, size_t size, int descriptor);
/* Receives bytes and -1 or a descriptor; 0 at the end, below 0 with errno where that fails. */
ssize_t receive_message(int channel, void *bytes, size_t size, int *descriptor);
/* What a fresh process does: performs what comes through the channel. */
_Noreturn void work(const char *process);
/* The same after an exec, with the process and its names as arguments. */
_Noreturn void resume_work(char **arguments);

/* ---- names.c: the names of a process, and the numbers that they stand for ---- */

#define MAX_NAMES 512
#define NAME_SIZE 64

/* The number behind a name, or the number itself in :5; -1 for a name that never was. */
int64_t value_of(const char *name);
void set_value(const char *name, int64_t value);
/* The index-th name and its number; false after the last. */
bool get_name(int index, char name[NAME_SIZE], int64_t *value);

/* ---- operations.c: operations that are one system call ---- */

struct operation {
  const char *name;
  /* Makes the call; below 0 with errno where it is refused. */
  int64_t (*perform)(const struct statement *statement, struct answer *answer);
};

/* Each ends with one that has no name. */
extern const struct operation group_operations[], iommufd_operations[], device_operations[];

/* Performs an operation of this process; ENOSYS where there is no such. */
void perform_operation(const struct statement *statement, struct answer *answer);

/* What the calls have in common. */

#define PAGE 4096

/* The number behind an operand, as the kernel takes it for a descriptor. */
int descriptor(const struct statement *statement, int index);
/* A struct for an ioctl, all zero. Behind it are zeroes too, which kernels take for members that
   they do not know yet; the last byte of the page is none: a struct of a page is refused. */
void *blank(size_t size);
/* The address of fresh memory for DMA, which stays for as long as the process. */
uint64_t memory(uint64_t size);
/* Names a descriptor, where it is one, after the first operand; returns it. */
int64_t name_descriptor(const struct statement *statement, int descriptor);
/* Opens a path, with the options of the statement, and names what it gets. */
int64_t open_node(const struct statement *statement, const char *path);

/* ---- coordinator.c and init.c ---- */

/* Performs what is read until the other side is gone or says quit. */
void coordinate(int port);
/* Says why on the console and powers off. */
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
