/* Log lines on standard error, one per event, with a level and an area.
 *
 *     weftd: port: tap1: device is gone (ENODEV), waiting for it
 *
 * Library code returns errors; the code that chose to call it logs them, once.
 * Never called per packet.  `log_limited` lets at most one line per second
 * through for each call site and says how many it held back.  Control bytes in
 * the text are escaped.  Any thread may log. */
#ifndef WEFT_LIB_LOG_H
#define WEFT_LIB_LOG_H

#include <stdatomic.h>

#include "lib/types.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO,
                 LOG_LEVEL_DEBUG };

struct log_limit {
    atomic_llong next;        /* msec: silent until then. */
    atomic_uint n_held_back;
};

/* Lines above `level` are not written.  Starts as LOG_LEVEL_INFO. */
void log_set_level(enum log_level);
/* Accepts error, warn, info, debug.  Returns 0 or -EINVAL. */
int log_set_level_name(const char *name);
bool log_enabled(enum log_level);
void log_write(enum log_level, const char *area, const char *format, ...)
    PRINTF_FORMAT(3, 4);
bool log_limit_pass(struct log_limit *, unsigned int *n_held_back);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#define log_limited(LEVEL, AREA, FORMAT, ...)                                \
    do {                                                                     \
        static struct log_limit limit__;                                     \
        unsigned int held__;                                                 \
                                                                             \
        if (log_enabled(LEVEL) && log_limit_pass(&limit__, &held__)) {       \
            log_write(LEVEL, AREA, FORMAT __VA_OPT__(,) __VA_ARGS__);        \
            if (held__) {                                                    \
                log_write(LEVEL, AREA, "(%u more like this were held back)", \
                          held__);                                           \
            }                                                                \
        }                                                                    \
    } while (0)

#endif
