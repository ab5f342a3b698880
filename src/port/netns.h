/* Network namespaces: find one by what the operator wrote, work inside it, come
 * back.
 *
 *     ""                  the namespace Weft was started in
 *     "web"               /run/netns/web, as `ip netns add web` makes it
 *     "/proc/12/ns/net"   a path
 *     "pid:12"            that of a process
 *
 * Only the device helper enters namespaces, and only around one operation. */
#ifndef WEFT_PORT_NETNS_H
#define WEFT_PORT_NETNS_H

#include "lib/str.h"

/* A descriptor of the namespace.  -ENODEV: it is not there (yet); -EINVAL: that
 * can not be a namespace. */
int netns_open(const char *text, struct str *error);
/* Makes a namespace that lives as long as the descriptor (and what is inside
 * it), without addresses and without IPv6. */
int netns_create_private(void);

/* Moves the calling thread into `fd`; returns a descriptor to come back by. */
int netns_enter(int fd);
/* Comes back.  Aborts when that fails: working on in the wrong namespace would
 * be worse. */
void netns_leave(int home_fd);

/* Whether both are one namespace. */
bool netns_same(int a, int b);

/* Which namespace it is, as long as it lives.  0: it is not there. */
uint64_t netns_id(int fd);
uint64_t netns_id_of(const char *text);

/* Calls `visit` once for each namespace that has a name or a process, with a text
 * that names it. */
void netns_for_each(void (*visit)(void *aux, int fd, const char *text),
                    void *aux);

#endif
