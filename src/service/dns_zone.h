/* A network's names: host -> addresses, and back.
 *
 *     web.blue.weft    A     10.1.0.5
 *     5.0.1.10.in-addr.arpa  PTR  web.blue.weft
 *
 * The zone is the network's domain (blue.weft) and the reverse trees of its
 * subnets.  It says what is there; dns.c makes answers of that.
 *
 * One thread. */
#ifndef WEFT_SERVICE_DNS_ZONE_H
#define WEFT_SERVICE_DNS_ZONE_H

#include "packet/dns.h"

enum {
    DNS_HOST_MAX_ADDRS = 4,       /* of each family */
    DNS_ZONE_MAX_HOSTS = 65536,
};

struct dns_subnet4 {
    be32 addr;
    uint8_t len;                  /* 0: none */
};

struct dns_subnet6 {
    struct ip6_addr addr;
    uint8_t len;
};

struct dns_zone_options {
    const char *domain;           /* "blue.weft" */
    struct dns_subnet4 subnet;
    struct dns_subnet6 subnet6;
};

struct dns_host {
    char name[DNS_LABEL_MAX + 1]; /* one label */
    unsigned int n_ip4;
    be32 ip4[DNS_HOST_MAX_ADDRS];
    unsigned int n_ip6;
    struct ip6_addr ip6[DNS_HOST_MAX_ADDRS];
};

struct dns_zone;

/* -EINVAL: no domain. */
int dns_zone_create(const struct dns_zone_options *, struct dns_zone **);
void dns_zone_destroy(struct dns_zone *);

/* Adds, or replaces the one of that name.  -EINVAL: no label; -ENOSPC. */
int dns_zone_set(struct dns_zone *, const struct dns_host *);
/* False: there was none. */
bool dns_zone_remove(struct dns_zone *, const char *name);

const struct dns_name *dns_zone_domain(const struct dns_zone *);
/* Grows with each change. */
uint32_t dns_zone_serial(const struct dns_zone *);
/* The label is not NUL-terminated, in any case.  NULL: no such host. */
const struct dns_host *dns_zone_find(const struct dns_zone *,
                                     const uint8_t *label, size_t len);
/* Calls for each host that has the address (v4: mapped, ::ffff:a.b.c.d).  How
 * many that were. */
unsigned int dns_zone_find_addr(const struct dns_zone *,
                                const struct ip6_addr *,
                                void (*found)(const struct dns_host *,
                                              void *aux), void *aux);

/* Where a name of in-addr.arpa or ip6.arpa lies.  `addr` has its first `len`
 * bits; v4 as mapped, with len >= 96. */
struct dns_reverse {
    struct ip6_addr addr;
    unsigned int len;
    bool is_ip4;
};

/* False: it is none, or no prefix of an address (`foo.10.in-addr.arpa`). */
bool dns_reverse_parse(const struct dns_name *, struct dns_reverse *);

/* Does all of it lie within one of the zone's subnets? */
bool dns_zone_has_reverse(const struct dns_zone *,
                          const struct dns_reverse *);
struct ip6_addr dns_ip4_mapped(be32);

#endif
