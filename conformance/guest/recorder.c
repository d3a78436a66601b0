/*
 * recorder.c: what records the host beside us, where the host has such.
 *
 * It writes a line when it is at work. When its input is over it comes to its end, and has handed
 * out by then what it has recorded. It stays behind the processes of a scenario, as an init's does
 * behind those of a VM: it was started before we took precedence.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char program[] = "/recorder/start";

static pid_t recorder; /* 0: none */
static int input;      /* our end of its input */

void start_recorder(void) {
  int to[2], from[2];
  char said;
  if (access(program, X_OK) < 0) return;
  if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
    give_up("%s: %s", program, strerror(errno));
  }
  recorder = fork();
  if (recorder < 0) give_up("%s: %s", program, strerror(errno));
  if (recorder == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    execl(program, program, NULL);
    give_up("%s: %s", program, strerror(errno));
  }
  close(to[0]);
  close(from[1]);
  input = to[1];
  if (read(from[0], &said, 1) != 1) give_up("%s does not get to work", program);
  close(from[0]);
}

void stop_recorder(void) {
  int status;
  if (recorder == 0) return;
  close(input);
  if (waitpid(recorder, &status, 0) < 0 || status != 0) give_up("%s has failed", program);
}
