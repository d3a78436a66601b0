/*
 * worker.c: a process of the scenario.
 *
 * It gets operations through its channel, performs each and answers. A descriptor that goes from
 * one process to another comes and goes along with such a message.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t send_message(int channel, const void *bytes, size_t size, int descriptor) {
  if (descriptor < 0) return send(channel, bytes, size, MSG_NOSIGNAL);
  char control[CMSG_SPACE(sizeof descriptor)] = {0};
  struct iovec data = {.iov_base = (void *)bytes, .iov_len = size};
  struct msghdr message = {.msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  return sendmsg(channel, &message, MSG_NOSIGNAL);
}

ssize_t receive_message(int channel, void *bytes, size_t size, int *descriptor) {
  char control[CMSG_SPACE(sizeof *descriptor)];
  struct iovec data = {.iov_base = bytes, .iov_len = size};
  struct msghdr message = {.msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  ssize_t length = recvmsg(channel, &message, 0);
  *descriptor = -1;
  if (length > 0 && CMSG_FIRSTHDR(&message) != NULL) {
    memcpy(descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof *descriptor);
  }
  return length;
}

static void reply(const struct answer *answer, int descriptor) {
  size_t size = offsetof(struct answer, extra) + strlen(answer->extra) + 1;
  if (send_message(CHANNEL, answer, size, descriptor) >= 0) return;
  /* What the kernel says to a descriptor that it does not pass is the answer. */
  struct answer refusal = {0};
  conclude(&refusal, -1);
  send_message(CHANNEL, &refusal, sizeof refusal, -1);
}

/* send A: a descriptor goes along with the answer. */
static void pass(const struct statement *s, struct answer *answer) {
  int passed = descriptor(s, 0);
  conclude(answer, fcntl(passed, F_GETFD) < 0 ? -1 : 0);
  reply(answer, answer->rc < 0 ? -1 : passed);
}

/* fork PROCESS, with the child's channel. The child has nothing to answer. */
static bool fork_off(const struct statement *s, int channel, struct answer *answer) {
  pid_t child = fork();
  conclude(answer, child);
  if (child == 0) {
    dup2(channel, CHANNEL);
    prctl(PR_SET_NAME, operand(s, 0));
  }
  close(channel);
  return child != 0;
}

/* Executes the agent anew: what is close-on-exec goes, names stay. Returns where that fails. */
static void execute(struct answer *answer) {
  static char names[MAX_NAMES][NAME_SIZE + 24];
  static char *arguments[MAX_NAMES + 4] = {"/init", "--worker"};
  char process[16], name[NAME_SIZE];
  int64_t value;
  int count = 2;
  prctl(PR_GET_NAME, process);
  arguments[count++] = process;
  for (int i = 0; get_name(i, name, &value); i++) {
    snprintf(names[i], sizeof names[i], "%s=%lld", name, (long long)value);
    arguments[count++] = names[i];
  }
  arguments[count] = NULL;
  execv(arguments[0], arguments);
  conclude(answer, -1);
}

/* Performs an operation, with a descriptor that came along or -1; false where none answers. */
static bool act(const struct statement *s, int carried, struct answer *answer) {
  if (strcmp(s->operation, "fork") == 0) return fork_off(s, carried, answer);
  if (strcmp(s->operation, "receive") == 0) {
    set_value(operand(s, 0), carried);
    answer->rc = carried;
  } else if (strcmp(s->operation, "exec") == 0) {
    execute(answer);
  } else if (strcmp(s->operation, "exit") != 0) {
    perform_operation(s, answer);
  }
  return true;
}

static _Noreturn void serve(void) {
  static char text[LINE_SIZE];
  struct statement statement;
  struct answer answer;
  for (;;) {
    int carried;
    ssize_t length = receive_message(CHANNEL, text, sizeof text - 1, &carried);
    if (length <= 0) _exit(0);
    text[length] = '\0';
    answer.rc = answer.error = 0;
    answer.extra[0] = '\0';
    if (!parse(text, &statement)) continue;
    if (strcmp(statement.operation, "send") == 0) pass(&statement, &answer);
    else if (act(&statement, carried, &answer)) reply(&answer, -1);
    /* The exit itself closes what is open. */
    if (strcmp(statement.operation, "exit") == 0) _exit(0);
  }
}

_Noreturn void work(const char *process) {
  prctl(PR_SET_NAME, process);
  serve();
}

_Noreturn void resume_work(char **arguments) {
  struct answer answer = {0};
  load_devices();
  prctl(PR_SET_NAME, arguments[0]);
  for (char **pair = arguments + 1; *pair != NULL; pair++) {
    char *equals = strrchr(*pair, '=');
    *equals = '\0';
    set_value(*pair, strtoll(equals + 1, NULL, 10));
  }
  reply(&answer, -1);
  serve();
}
