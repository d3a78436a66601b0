/*
 * coordinator.c: reads operations, has them performed one after the other, and answers.
 *
 *   seq NAME           begins a sequence
 *   [@P2] OPERATION    an operation of it, answered by a line of JSON
 *   end                sends the answers that are left, and makes the host what it was
 *   quit               is the end
 */
#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 8

static struct process {
  char name[4];
  pid_t pid; /* 0: not there */
  int pidfd, channel;
} processes[PROCESSES];

static FILE *out;
static char sequence[LINE_SIZE] = "-";
static int position;

/* How an operation ended that a process was asked for. */
enum ending { ANSWERED, TIMED_OUT, DIED };

/* ---- processes ---- */

/* A channel to a process: our end, and the one that it gets. */
static void make_channel(int *ours, int *theirs) {
  int ends[2];
  struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
    give_up("no channel: %s", strerror(errno));
  }
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  *ours = ends[0];
  *theirs = ends[1];
}

static void enlist(struct process *process, pid_t pid, int channel) {
  process->pid = pid;
  process->channel = channel;
  process->pidfd = syscall(SYS_pidfd_open, pid, 0);
  if (process->pidfd < 0) give_up("%s: %s", process->name, strerror(errno));
}

/* Starts a process that inherits nothing but the terminal. */
static void start(struct process *process) {
  int ours, theirs;
  make_channel(&ours, &theirs);
  pid_t pid = fork();
  if (pid < 0) give_up("no process: %s", strerror(errno));
  if (pid == 0) {
    /* Children that a process forks off are no concern of its own. */
    signal(SIGCHLD, SIG_IGN);
    dup2(theirs, CHANNEL);
    syscall(SYS_close_range, 3, CHANNEL - 1, 0);
    work(process->name);
  }
  close(theirs);
  enlist(process, pid, ours);
}

/* Waits until a process is gone, with all that it had open. */
static void bury(struct process *process) {
  struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
  if (process->pid == 0) return;
  if (poll(&ended, 1, PATIENCE_MS) <= 0) give_up("%s: %s does not end", sequence, process->name);
  waitpid(process->pid, NULL, WNOHANG);
  close(process->pidfd);
  close(process->channel);
  process->pid = 0;
}

static void end_process(struct process *process) {
  if (process->pid != 0) kill(process->pid, SIGKILL);
  bury(process);
}

/* Has a process perform an operation, with a descriptor to carry there or -1, and back. */
static enum ending ask(struct process *process, const char *text, int there, struct answer *answer,
                       int *back) {
  ssize_t length = send_message(process->channel, text, strlen(text), there);
  if (length >= 0) length = receive_message(process->channel, answer, sizeof *answer, back);
  if (length > 0) return ANSWERED;
  enum ending ending = length < 0 && errno == EAGAIN ? TIMED_OUT : DIED;
  end_process(process);
  return ending;
}

static struct process *find_process(const char *name) {
  bool known = name[0] == 'P' && name[1] >= '1' && name[1] <= '0' + PROCESSES && name[2] == '\0';
  return known ? &processes[name[1] - '1'] : NULL;
}

/* ---- operations ---- */

struct request {
  struct process *process, *target; /* target: the one that it names, where it names one */
  const struct statement *statement;
  const char *text;
};

static enum ending change(const struct request *request, struct answer *answer) {
  /* The kernel may die of it: what it has answered so far is not to be lost. */
  fflush(out);
  begin_change(request->statement, answer);
  return ANSWERED;
}

static enum ending collect(const struct request *, struct answer *answer) {
  collect_change(answer);
  return ANSWERED;
}

static enum ending spawn(const struct request *request, struct answer *answer) {
  if (request->target->pid != 0) refuse(answer, EEXIST);
  else start(request->target);
  return ANSWERED;
}

static enum ending kill_off(const struct request *request, struct answer *) {
  end_process(request->target);
  return ANSWERED;
}

static enum ending fork_off(const struct request *request, struct answer *answer) {
  struct process *child = request->target;
  char text[32];
  int ours, theirs, none;
  if (child->pid != 0) {
    refuse(answer, EEXIST);
    return ANSWERED;
  }
  make_channel(&ours, &theirs);
  snprintf(text, sizeof text, "fork %s", child->name);
  enum ending ending = ask(request->process, text, theirs, answer, &none);
  close(theirs);
  if (ending == ANSWERED && answer->rc > 0) {
    enlist(child, answer->rc, ours);
    answer->rc = 0;
  } else {
    close(ours);
  }
  return ending;
}

/* send A P2 [B]: the descriptor goes through here, and is not kept. */
static enum ending send_descriptor(const struct request *request, struct answer *answer) {
  const struct statement *s = request->statement;
  char text[LINE_SIZE];
  int passed, none;
  if (request->target->pid == 0) start(request->target);
  snprintf(text, sizeof text, "send %s", operand(s, 0));
  enum ending ending = ask(request->process, text, -1, answer, &passed);
  if (ending != ANSWERED || passed < 0) return ending;
  snprintf(text, sizeof text, "receive %s", operand(s, has_operand(s, 2) ? 2 : 0));
  ending = ask(request->target, text, passed, answer, &none);
  close(passed);
  return ending;
}

/* All that the process performs by itself. */
static enum ending delegate(const struct request *request, struct answer *answer) {
  int none;
  return ask(request->process, request->text, -1, answer, &none);
}

static enum ending exit_process(const struct request *request, struct answer *answer) {
  enum ending ending = delegate(request, answer);
  if (ending == ANSWERED) bury(request->process);
  return ending;
}

#define NO_TARGET (-1)

/* Who answers is the process, where it is nobody else; only then is one started for it. */
static const struct kind {
  const char *operation, *who;
  int target; /* which operand names a process */
  enum ending (*perform)(const struct request *request, struct answer *answer);
} kinds[] = {
    {"set_driver", "bg", NO_TARGET, change}, {"bg_wait", "bg", NO_TARGET, collect},
    {"spawn", "-", 0, spawn},                {"kill", "-", 0, kill_off},
    {"fork", NULL, 0, fork_off},             {"send", NULL, 1, send_descriptor},
    {"exit", NULL, NO_TARGET, exit_process}, {NULL, NULL, NO_TARGET, delegate},
};

static const struct kind *kind_of(const char *operation) {
  const struct kind *kind = kinds;
  while (kind->operation != NULL && strcmp(kind->operation, operation) != 0) kind++;
  return kind;
}

/* ---- answers ---- */

static void print_answer(const char *who, const char *text, enum ending ending,
                         const struct answer *answer) {
  fprintf(out, "{\"seq\":%s,\"n\":%d,\"p\":\"%s\"", quoted(sequence), position++, who);
  fprintf(out, ",\"op\":%s", quoted(text));
  if (ending == TIMED_OUT) fprintf(out, ",\"rc\":null,\"timeout\":true}\n");
  else if (ending == DIED) fprintf(out, ",\"rc\":null,\"dead\":true}\n");
  else if (answer->rc >= 0) fprintf(out, ",\"rc\":%lld%s}\n", (long long)answer->rc, answer->extra);
  else {
    const char *name = strerrorname_np(answer->error);
    fprintf(out, ",\"rc\":-1,\"errno\":\"%s\"%s}\n", name ? name : "unknown", answer->extra);
  }
}

/* Sends what is buffered once a second, so that the other side sees that we live. */
static void show_life(void) {
  static time_t last;
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  if (time.tv_sec == last) return;
  last = time.tv_sec;
  fflush(out);
}

/* ---- sequences ---- */

/* Ends all processes, with what they had open, and puts the drivers back. */
static void end_sequence(void) {
  fflush(out);
  for (int i = 0; i < PROCESSES; i++) {
    if (processes[i].pid != 0) kill(processes[i].pid, SIGKILL);
  }
  for (int i = 0; i < PROCESSES; i++) bury(&processes[i]);
  if (!finish_change()) give_up("%s: a driver's change does not end", sequence);
  if (drivers_changed()) restore_drivers();
  /* Orphans of processes that ended before their children. */
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

static void take(char *line) {
  static char copy[LINE_SIZE];
  struct request request = {.process = &processes[0], .text = line};
  struct statement statement;
  struct answer answer = {0};
  if (line[0] == '@') {
    char *space = line + strcspn(line, " ");
    if (*space != '\0') *space++ = '\0';
    request.process = find_process(line + 1);
    request.text = space;
  }
  snprintf(copy, sizeof copy, "%s", request.text);
  if (!parse(copy, &statement)) return;
  const struct kind *kind = kind_of(statement.operation);
  request.statement = &statement;
  if (kind->target != NO_TARGET) request.target = find_process(operand(&statement, kind->target));
  if (request.process == NULL || (kind->target != NO_TARGET && request.target == NULL)) {
    give_up("'%s %s' is by or to no process", line, request.text);
  }
  if (kind->who == NULL && request.process->pid == 0) start(request.process);
  if (change_waits()) fflush(out);
  enum ending ending = kind->perform(&request, &answer);
  /* What waited for a file that the operation let go of is done before the next one. */
  settle_change();
  print_answer(kind->who ? kind->who : request.process->name, request.text, ending, &answer);
  show_life();
}

void coordinate(int port) {
  static char line[LINE_SIZE], written[1 << 16], read[1 << 14];
  FILE *in = fdopen(port, "r");
  out = fdopen(dup(port), "w");
  if (in == NULL || out == NULL) give_up("the port: %s", strerror(errno));
  setvbuf(in, read, _IOFBF, sizeof read);
  setvbuf(out, written, _IOFBF, sizeof written);
  for (int i = 0; i < PROCESSES; i++) {
    snprintf(processes[i].name, sizeof processes[i].name, "P%d", i + 1);
  }
  print_topology(out);
  fflush(out);
  while (fgets(line, sizeof line, in) != NULL) {
    char *end = strchr(line, '\n');
    if (end == NULL) give_up("a line that is too long: %.60s", line);
    *end = '\0';
    if (strcmp(line, "quit") == 0) return;
    if (strcmp(line, "end") == 0) end_sequence();
    else if (strncmp(line, "seq ", 4) == 0) {
      snprintf(sequence, sizeof sequence, "%s", line + 4);
      position = 0;
    } else take(line);
  }
}
