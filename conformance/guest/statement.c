/* statement.c: an operation taken apart, and an answer put together. */
#include "agent.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The value in KEY=VALUE, where the key is lower-case letters; NULL for any other word. */
static const char *value_in(const char *word) {
  size_t key = strspn(word, "abcdefghijklmnopqrstuvwxyz");
  return key > 0 && word[key] == '=' ? word + key + 1 : NULL;
}

bool parse(char *text, struct statement *statement) {
  char *rest = NULL;
  statement->operation = strtok_r(text, " \t", &rest);
  statement->operand_count = statement->option_count = 0;
  if (statement->operation == NULL) return false;
  for (char *word; (word = strtok_r(NULL, " \t", &rest)) != NULL;) {
    if (value_in(word) != NULL) {
      if (statement->option_count == MAX_OPTIONS) continue;
      statement->options[statement->option_count++] = word;
    } else {
      if (statement->operand_count == MAX_OPERANDS) continue;
      statement->operands[statement->operand_count++] = word;
    }
  }
  return true;
}

bool has_operand(const struct statement *statement, int index) {
  return index < statement->operand_count;
}

const char *operand(const struct statement *statement, int index) {
  return has_operand(statement, index) ? statement->operands[index] : "";
}

uint64_t number(const struct statement *statement, int index, uint64_t otherwise) {
  return has_operand(statement, index) ? strtoull(operand(statement, index), NULL, 0) : otherwise;
}

uint32_t option(const struct statement *statement, const char *key, uint32_t otherwise) {
  size_t length = strlen(key);
  for (int i = 0; i < statement->option_count; i++) {
    const char *word = statement->options[i];
    if (strncmp(word, key, length) == 0 && word[length] == '=') {
      return strtoull(word + length + 1, NULL, 0);
    }
  }
  return otherwise;
}

const char *quoted(const char *text) {
  static char string[2 * LINE_SIZE];
  char *end = string;
  *end++ = '"';
  for (; *text != '\0' && end < string + sizeof string - 8; text++) {
    /* Of the control characters only tabs get here, between words. */
    if (*text == '"' || *text == '\\' || *text == '\t') *end++ = '\\';
    *end++ = *text == '\t' ? 't' : *text;
  }
  strcpy(end, "\"");
  return string;
}

void tell(struct answer *answer, const char *format, ...) {
  size_t length = strlen(answer->extra);
  va_list arguments;
  va_start(arguments, format);
  int added = vsnprintf(answer->extra + length, EXTRA_SIZE - length, format, arguments);
  va_end(arguments);
  if (added < 0 || (size_t)added >= EXTRA_SIZE - length) answer->extra[length] = '\0';
}

void conclude(struct answer *answer, int64_t rc) {
  answer->rc = rc;
  answer->error = rc < 0 ? errno : 0;
}

void refuse(struct answer *answer, int error) {
  answer->rc = -1;
  answer->error = error;
}
