/* What main gives up, because the helper does it: capabilities, and system
 * calls that a forwarding process has no use for. */
#ifndef WEFT_PORT_CONFINE_H
#define WEFT_PORT_CONFINE_H

#include <sys/types.h>

#include "lib/str.h"

/* Becomes uid:gid (0: stays who it is), without any capability, now or by
 * executing something. */
int confine_privileges(uid_t uid, gid_t gid, struct str *error);

enum confine_action {
    CONFINE_KILL,             /* a call outside of the list ends the process */
    CONFINE_LOG,              /* ... is written to the kernel's audit log */
};

/* From here on only the system calls of the list in confine.c, in all threads.
 * To be called when everything is started: what start-up needs beyond it
 * (loading libraries, executing) is not in the list. */
int confine_system_calls(enum confine_action, struct str *error);

#endif
