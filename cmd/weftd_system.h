/* What weftd asks of the machine that it starts on. */
#ifndef WEFT_CMD_WEFTD_SYSTEM_H
#define WEFT_CMD_WEFTD_SYSTEM_H

#include "weftd_options.h"

/* Those that the options name, with what leads there.  False: said why. */
bool weftd_make_directories(const struct weftd_options *);
/* A port is a few descriptors, and 1024 is a limit for select(2)'s users. */
void weftd_raise_file_limit(void);
/* Tells systemd that we forward, if it asked to be told: sd_notify(3). */
void weftd_notify_ready(void);

#endif
