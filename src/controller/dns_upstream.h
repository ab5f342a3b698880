/* The machine's own resolvers: where questions go that are not ours.
 *
 * Several sockets, each with a port of the kernel's choice, so that an answer
 * is hard to guess; what arrives is told by socket and by sender.  A file that
 * names nobody for a moment, because somebody writes it, changes nothing. */
#ifndef WEFT_CONTROLLER_DNS_UPSTREAM_H
#define WEFT_CONTROLLER_DNS_UPSTREAM_H

#include <uv.h>

#include "lib/types.h"

enum { DNS_UPSTREAM_MAX = 8, DNS_UPSTREAM_SOURCES = 4 };

struct dns_upstream;

/* `upstream`: which one sent it; the number of upstreams: none of them. */
typedef void dns_upstream_answer(void *aux, unsigned int upstream,
                                 unsigned int source, const void *data,
                                 size_t len);

/* Reads `nameserver` lines, of a file that may be NULL: nobody is asked. */
struct dns_upstream *dns_upstream_create(uv_loop_t *, const char *resolv_conf,
                                         dns_upstream_answer *, void *aux);
/* Reads the file again; true: it names other resolvers than before. */
bool dns_upstream_reload(struct dns_upstream *, const char *resolv_conf);
/* Accepts NULL; handles are closed by the loop's next turns. */
void dns_upstream_destroy(struct dns_upstream *);

unsigned int dns_upstream_count(const struct dns_upstream *);
void dns_upstream_ask(struct dns_upstream *, unsigned int upstream,
                      unsigned int source, const void *data, size_t len);

#endif
