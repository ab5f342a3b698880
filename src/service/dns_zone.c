#include "service/dns_zone.h"

#include <stdlib.h>

#include "lib/hash.h"

enum { MIN_BUCKETS = 16, MAX_ADDRS = 2 * DNS_HOST_MAX_ADDRS };

struct address {
    struct address *next;         /* in its bucket */
    struct host *host;
    struct ip6_addr addr;
};

struct host {
    struct host *next;            /* in its bucket */
    struct dns_host pub;          /* name in small letters */
    unsigned int n_addresses;
    struct address addresses[MAX_ADDRS];
};

struct dns_zone {
    struct dns_name domain;
    struct dns_subnet4 subnet;
    struct dns_subnet6 subnet6;
    struct hash_key key;
    uint32_t serial;
    unsigned int n_hosts;
    size_t n_buckets;             /* of each; a power of two */
    struct host **names;
    struct address **addresses;
};

struct ip6_addr
dns_ip4_mapped(be32 ip4)
{
    struct ip6_addr addr = { .b = { [10] = 0xff, [11] = 0xff } };

    memcpy(addr.b + 12, &ip4, sizeof ip4);
    return addr;
}

static char
fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c + 'a' - 'A') : c;
}

int
dns_zone_create(const struct dns_zone_options *options,
                struct dns_zone **result)
{
    struct dns_zone *zone;
    struct dns_name domain;
    int err = dns_name_parse(options->domain, &domain);

    if (err || domain.len == 1) {
        return -EINVAL;
    }
    zone = xzalloc(sizeof *zone);
    zone->domain = domain;
    zone->subnet = options->subnet;
    zone->subnet6 = options->subnet6;
    zone->key = hash_key_random();
    zone->serial = 1;
    zone->n_buckets = MIN_BUCKETS;
    zone->names = xcalloc(MIN_BUCKETS, sizeof *zone->names);
    zone->addresses = xcalloc(MIN_BUCKETS, sizeof *zone->addresses);
    *result = zone;
    return 0;
}

static struct host **
name_bucket(const struct dns_zone *zone, const char *name, size_t len)
{
    uint64_t hash = hash_bytes(zone->key, name, len);

    return &zone->names[hash & (zone->n_buckets - 1)];
}

static struct address **
address_bucket(const struct dns_zone *zone, const struct ip6_addr *addr)
{
    uint64_t hash = hash_bytes(zone->key, addr, sizeof *addr);

    return &zone->addresses[hash & (zone->n_buckets - 1)];
}

static void
link_host(struct dns_zone *zone, struct host *host)
{
    struct host **bucket = name_bucket(zone, host->pub.name,
                                       strlen(host->pub.name));

    host->next = *bucket;
    *bucket = host;
    for (unsigned int i = 0; i < host->n_addresses; i++) {
        struct address *a = &host->addresses[i];
        struct address **at = address_bucket(zone, &a->addr);

        a->next = *at;
        *at = a;
    }
}

static void
unlink_addresses(struct dns_zone *zone, struct host *host)
{
    for (unsigned int i = 0; i < host->n_addresses; i++) {
        struct address *a = &host->addresses[i];
        struct address **at = address_bucket(zone, &a->addr);

        while (*at != a) {
            at = &(*at)->next;
        }
        *at = a->next;
    }
}

void
dns_zone_destroy(struct dns_zone *zone)
{
    if (!zone) {
        return;
    }
    for (size_t i = 0; i < zone->n_buckets; i++) {
        struct host *next;

        for (struct host *host = zone->names[i]; host; host = next) {
            next = host->next;
            free(host);
        }
    }
    free(zone->names);
    free(zone->addresses);
    free(zone);
}

static void
grow(struct dns_zone *zone)
{
    struct host **old = zone->names;
    size_t n_old = zone->n_buckets;

    zone->n_buckets *= 2;
    zone->names = xcalloc(zone->n_buckets, sizeof *zone->names);
    free(zone->addresses);
    zone->addresses = xcalloc(zone->n_buckets, sizeof *zone->addresses);
    for (size_t i = 0; i < n_old; i++) {
        struct host *next;

        for (struct host *host = old[i]; host; host = next) {
            next = host->next;
            link_host(zone, host);
        }
    }
    free(old);
}

/* What points to the host of that name, or to the NULL at the end. */
static struct host **
find(const struct dns_zone *zone, const uint8_t *label, size_t len)
{
    char name[DNS_LABEL_MAX + 1] = { 0 };
    struct host **at;

    for (size_t i = 0; i < len; i++) {
        name[i] = fold((char) label[i]);
    }
    at = name_bucket(zone, name, len);
    while (*at && (strlen((*at)->pub.name) != len
                   || memcmp((*at)->pub.name, name, len))) {
        at = &(*at)->next;
    }
    return at;
}

static bool
is_label(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++) {
        char c = fold(name[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-'
            && c != '_') {
            return false;
        }
    }
    return len && len <= DNS_LABEL_MAX;
}

int
dns_zone_set(struct dns_zone *zone, const struct dns_host *pub)
{
    struct dns_name name = zone->domain;
    struct host *host;

    if (!is_label(pub->name) || pub->n_ip4 > DNS_HOST_MAX_ADDRS
        || pub->n_ip6 > DNS_HOST_MAX_ADDRS
        || dns_name_prepend(&name, pub->name, strlen(pub->name))) {
        return -EINVAL;
    }
    dns_zone_remove(zone, pub->name);
    if (zone->n_hosts == DNS_ZONE_MAX_HOSTS) {
        return -ENOSPC;
    }
    if (zone->n_hosts == zone->n_buckets) {
        grow(zone);
    }
    host = xzalloc(sizeof *host);
    host->pub = *pub;
    for (char *c = host->pub.name; *c; c++) {
        *c = fold(*c);
    }
    for (unsigned int i = 0; i < pub->n_ip4; i++) {
        host->addresses[host->n_addresses++] = (struct address) {
            .host = host, .addr = dns_ip4_mapped(pub->ip4[i]) };
    }
    for (unsigned int i = 0; i < pub->n_ip6; i++) {
        host->addresses[host->n_addresses++] = (struct address) {
            .host = host, .addr = pub->ip6[i] };
    }
    link_host(zone, host);
    zone->n_hosts++;
    zone->serial++;
    return 0;
}

bool
dns_zone_remove(struct dns_zone *zone, const char *name)
{
    size_t len = strlen(name);
    struct host **at, *host;

    if (len > DNS_LABEL_MAX) {
        return false;
    }
    at = find(zone, (const uint8_t *) name, len);
    host = *at;
    if (!host) {
        return false;
    }
    *at = host->next;
    unlink_addresses(zone, host);
    free(host);
    zone->n_hosts--;
    zone->serial++;
    return true;
}

const struct dns_name *
dns_zone_domain(const struct dns_zone *zone)
{
    return &zone->domain;
}

uint32_t
dns_zone_serial(const struct dns_zone *zone)
{
    return zone->serial;
}

const struct dns_host *
dns_zone_find(const struct dns_zone *zone, const uint8_t *label, size_t len)
{
    const struct host *host = *find(zone, label, len);

    return host ? &host->pub : NULL;
}

unsigned int
dns_zone_find_addr(const struct dns_zone *zone, const struct ip6_addr *addr,
                   void (*found)(const struct dns_host *, void *aux),
                   void *aux)
{
    unsigned int n = 0;

    for (const struct address *a = *address_bucket(zone, addr); a;
         a = a->next) {
        if (!memcmp(&a->addr, addr, sizeof *addr)) {
            found(&a->host->pub, aux);
            n++;
        }
    }
    return n;
}

/* --- Reverse names ------------------------------------------------------ */

/* "0" to "255", without zeros in front; -1: no such number. */
static int
octet(const uint8_t *label, unsigned int len)
{
    int n = 0;

    if (len < 1 || len > 3 || (len > 1 && label[0] == '0')) {
        return -1;
    }
    for (unsigned int i = 0; i < len; i++) {
        if (label[i] < '0' || label[i] > '9') {
            return -1;
        }
        n = 10 * n + label[i] - '0';
    }
    return n <= 255 ? n : -1;
}

static int
nibble(const uint8_t *label, unsigned int len)
{
    char c = fold((char) label[0]);

    if (len != 1) {
        return -1;
    }
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Label i, counted from the last one. */
static const uint8_t *
label_from_end(const struct dns_name *name, unsigned int i)
{
    unsigned int n = dns_name_n_labels(name), at = 0;

    for (unsigned int k = 0; k < n - 1 - i; k++) {
        at += 1u + name->wire[at];
    }
    return name->wire + at;
}

bool
dns_reverse_parse(const struct dns_name *name, struct dns_reverse *result)
{
    static const struct dns_name
        ip4_root = { 14, "\7in-addr\4arpa" },
        ip6_root = { 10, "\3ip6\4arpa" };
    enum { N_ROOT = 2 };
    struct dns_reverse r = { .len = 0 };
    unsigned int n = dns_name_n_labels(name);

    r.is_ip4 = dns_name_is_in(name, &ip4_root);
    if (!r.is_ip4 && !dns_name_is_in(name, &ip6_root)) {
        return false;
    }
    n -= N_ROOT;
    if (n > (r.is_ip4 ? 4 : 32)) {
        return false;
    }
    if (r.is_ip4) {
        r.addr = dns_ip4_mapped(0);
        r.len = 96;
    }
    for (unsigned int i = 0; i < n; i++) {
        const uint8_t *label = label_from_end(name, N_ROOT + i);
        int value = r.is_ip4 ? octet(label + 1, label[0])
                             : nibble(label + 1, label[0]);

        if (value < 0) {
            return false;
        }
        r.addr.b[r.len / 8] |= (uint8_t) (r.is_ip4 || r.len % 8
                                          ? value : value << 4);
        r.len += r.is_ip4 ? 8 : 4;
    }
    *result = r;
    return true;
}

static bool
same_prefix(const struct ip6_addr *a, const struct ip6_addr *b,
            unsigned int len)
{
    unsigned int n = len / 8, rest = len % 8;

    return !memcmp(a->b, b->b, n)
           && (!rest || !((a->b[n] ^ b->b[n]) >> (8 - rest)));
}

bool
dns_zone_has_reverse(const struct dns_zone *zone,
                     const struct dns_reverse *r)
{
    struct ip6_addr subnet = r->is_ip4 ? dns_ip4_mapped(zone->subnet.addr)
                                       : zone->subnet6.addr;
    unsigned int len = r->is_ip4 ? zone->subnet.len : zone->subnet6.len;

    if (!len) {
        return false;
    }
    len += r->is_ip4 ? 96 : 0;
    return r->len >= len && same_prefix(&subnet, &r->addr, len);
}
