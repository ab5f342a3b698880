/* DNS at every network's gateway (service/dns.h): the names of its ports, and
 * for all others the machine's own resolvers.
 *
 * A network sees itself only.  Its zone is made of the topology when it is
 * first asked after a change. */
#ifndef WEFT_CONTROLLER_SERVE_DNS_H
#define WEFT_CONTROLLER_SERVE_DNS_H

#include "controller/service_host.h"
#include "service/dns_event.h"

struct serve_dns;

/* Registers itself.  The host is borrowed.  `resolv_conf` is read for
 * upstreams, now and whenever it has changed: "/etc/resolv.conf"; NULL: nobody
 * is asked. */
struct serve_dns *serve_dns_create(const struct service_host *,
                                   const char *resolv_conf);
/* Accepts NULL; handles are closed by the loop's next turns. */
void serve_dns_destroy(struct serve_dns *);

/* The topology has changed: zones are made anew. */
void serve_dns_changed(struct serve_dns *);

const struct dns_counters *serve_dns_counters(const struct serve_dns *);

#endif
