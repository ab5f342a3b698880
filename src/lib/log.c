#include "lib/log.h"

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/str.h"

/* The one piece of state that every thread shares: how much to say. */
static _Atomic enum log_level max_level = LOG_LEVEL_INFO;

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void
log_set_level(enum log_level level)
{
    max_level = level;
}

int
log_set_level_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (!strcmp(name, level_names[i])) {
            max_level = (enum log_level) i;
            return 0;
        }
    }
    return -EINVAL;
}

bool
log_enabled(enum log_level level)
{
    return level <= max_level;
}

bool
log_limit_pass(struct log_limit *limit, unsigned int *n_held_back)
{
    long long now = clock_msec();
    long long next = atomic_load_explicit(&limit->next, memory_order_relaxed);

    if (now < next
        || !atomic_compare_exchange_strong(&limit->next, &next, now + 1000)) {
        atomic_fetch_add(&limit->n_held_back, 1);
        return false;
    }
    *n_held_back = atomic_exchange(&limit->n_held_back, 0);
    return true;
}

void
log_write(enum log_level level, const char *area, const char *format, ...)
{
    struct str line = STR_INIT, clean = STR_INIT;
    va_list args;

    if (!log_enabled(level)) {
        return;
    }
    str_addf(&line, "weft: %s: ", area);
    if (level != LOG_LEVEL_INFO) {
        str_addf(&line, "%s: ", level_names[level]);
    }
    va_start(args, format);
    str_addv(&line, format, args);
    va_end(args);

    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char) line.text[i];

        if (iscntrl(c)) {
            str_addf(&clean, "\\x%02x", c);
        } else {
            str_add_char(&clean, (char) c);
        }
    }
    str_add_char(&clean, '\n');
    if (write(STDERR_FILENO, clean.text, clean.len) < 0) {
        /* Nobody listens; nothing better to do. */
    }
    str_fini(&line);
    str_fini(&clean);
}
