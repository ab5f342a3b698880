/* The helper's half of the requests about the host's NAT: one by one they say
 * what it shall be, the last one puts it into force.  For helper_server.c. */
#ifndef WEFT_PORT_HELPER_NAT_H
#define WEFT_PORT_HELPER_NAT_H

#include "port/helper_proto.h"

struct helper_nat;

/* `instance` outlives it. */
struct helper_nat *helper_nat_create(const char *instance);
/* `undo`: nothing of it stays. */
void helper_nat_destroy(struct helper_nat *, bool undo);

/* A new main begins to ask. */
void helper_nat_begin(struct helper_nat *);
int helper_nat_add(struct helper_nat *, const struct helper_request *,
                   struct str *error);
int helper_nat_set(struct helper_nat *, struct str *error);
/* What this main has not asked for goes. */
void helper_nat_settle(struct helper_nat *);

/* As those of host_nat_keep.h. */
int helper_nat_fd(const struct helper_nat *);
msec helper_nat_run(struct helper_nat *, msec now);

#endif
