#include "controller/remote.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/str.h"

/* One host says that it has the port. */
struct claim {
    struct claim *next;           /* of the same port, by another host */
    uint64_t port, host, generation;
    bool is_gone;                 /* it says so no more */
    unsigned int n_members;
    struct remote_member *members;
};

struct remote_host {
    uint64_t id;
    unsigned int n_ports;         /* claims, with those that are gone */
    bool has_spoken;              /* of who listens */
    struct id_map listening;      /* struct remote_listening, by network */
};

struct remote {
    struct id_map claims;         /* lists of them, by port */
    struct id_map hosts;
};

struct remote *
remote_create(void)
{
    struct remote *r = xzalloc(sizeof *r);

    id_map_init(&r->claims);
    id_map_init(&r->hosts);
    return r;
}

static void
free_claim(struct claim *claim)
{
    free(claim->members);
    free(claim);
}

static void
free_listening(struct remote_listening *listening)
{
    if (listening) {
        free((void *) (uintptr_t) listening->groups);
        free(listening);
    }
}

static void
free_host(struct remote_host *host)
{
    struct remote_listening *listening;

    ID_MAP_FOR_EACH (listening, &host->listening) {
        free_listening(listening);
    }
    id_map_fini(&host->listening);
    free(host);
}

void
remote_destroy(struct remote *r)
{
    struct remote_host *host;
    struct claim *claim;

    if (!r) {
        return;
    }
    ID_MAP_FOR_EACH (claim, &r->claims) {
        while (claim) {
            struct claim *next = claim->next;

            free_claim(claim);
            claim = next;
        }
    }
    ID_MAP_FOR_EACH (host, &r->hosts) {
        free_host(host);
    }
    id_map_fini(&r->claims);
    id_map_fini(&r->hosts);
    free(r);
}

static struct remote_host *
host_of(struct remote *r, uint64_t id)
{
    struct remote_host *host = id_map_find(&r->hosts, id);

    if (!host) {
        host = xzalloc(sizeof *host);
        host->id = id;
        id_map_init(&host->listening);
        id_map_set(&r->hosts, id, host);
    }
    return host;
}

/* ---- Ports ---- */

static struct claim *
find_claim(const struct remote *r, uint64_t host, uint64_t port)
{
    struct claim *claim = id_map_find(&r->claims, port);

    while (claim && claim->host != host) {
        claim = claim->next;
    }
    return claim;
}

static bool
is_sound(const struct remote_port *port)
{
    for (unsigned int i = 0; i < port->n_members; i++) {
        if (port->members[i].n_addresses6 > REMOTE_MAX_ADDRESSES6) {
            return false;
        }
    }
    return port->n_members <= REMOTE_MAX_MEMBERS;
}

/* Takes the claim out of its list, and frees it. */
static void
remove_claim(struct remote *r, struct claim *gone, uint64_t port)
{
    struct claim *first = id_map_find(&r->claims, port);

    if (first == gone && !gone->next) {
        id_map_remove(&r->claims, port);
    } else if (first == gone) {
        id_map_set(&r->claims, port, gone->next);
    } else {
        while (first->next != gone) {
            first = first->next;
        }
        first->next = gone->next;
    }
    host_of(r, gone->host)->n_ports--;
    free_claim(gone);
}

/* Those of the host; or only what it says no more. */
static void
remove_claims(struct remote *r, uint64_t host, bool only_gone)
{
    uint64_t *ports = xcalloc(r->claims.n + 1, sizeof *ports);
    struct claim *claim;
    unsigned int n = 0;

    ID_MAP_FOR_EACH (claim, &r->claims) {
        ports[n++] = claim->port;
    }
    while (n--) {
        claim = find_claim(r, host, ports[n]);
        if (claim && (claim->is_gone || !only_gone)) {
            remove_claim(r, claim, ports[n]);
        }
    }
    free(ports);
}

static struct claim *
add_claim(struct remote *r, struct remote_host *host, uint64_t port)
{
    struct claim *claim = xzalloc(sizeof *claim);

    claim->host = host->id;
    claim->port = port;
    claim->next = id_map_find(&r->claims, port);
    id_map_set(&r->claims, port, claim);
    host->n_ports++;
    return claim;
}

static bool
is_same(const struct claim *claim, const struct remote_port *port)
{
    if (claim->is_gone || claim->generation != port->generation
        || claim->n_members != port->n_members) {
        return false;
    }
    for (unsigned int i = 0; i < port->n_members; i++) {
        const struct remote_member *x = &claim->members[i];
        const struct remote_member *y = &port->members[i];

        if (x->network != y->network || x->address != y->address
            || x->n_addresses6 != y->n_addresses6
            || memcmp(x->addresses6, y->addresses6,
                      x->n_addresses6 * sizeof x->addresses6[0])) {
            return false;
        }
    }
    return true;
}

int
remote_set_port(struct remote *r, uint64_t id, const struct remote_port *port)
{
    struct remote_host *host = host_of(r, id);
    struct claim *claim = find_claim(r, id, port->port);

    if (!is_sound(port)) {
        return -EINVAL;
    }
    if (!claim && host->n_ports == REMOTE_MAX_PORTS) {
        remove_claims(r, id, true);
    }
    if (!claim && host->n_ports == REMOTE_MAX_PORTS) {
        return -ENOSPC;
    }
    if (!claim) {
        claim = add_claim(r, host, port->port);
    } else if (is_same(claim, port)) {
        return 0;
    }
    free(claim->members);
    claim->is_gone = false;
    claim->generation = port->generation;
    claim->n_members = port->n_members;
    claim->members = port->n_members
                     ? xmemdup(port->members, port->n_members
                                              * sizeof port->members[0])
                     : NULL;
    return 1;
}

void
remote_remove_port(struct remote *r, uint64_t host, uint64_t port)
{
    struct claim *claim = find_claim(r, host, port);

    if (claim) {
        claim->is_gone = true;
    }
}

void
remote_forget_host(struct remote *r, uint64_t id)
{
    struct remote_host *host;

    remove_claims(r, id, false);
    host = id_map_remove(&r->hosts, id);
    if (host) {
        free_host(host);
    }
}

uint64_t
remote_generation(const struct remote *r, uint64_t port)
{
    uint64_t highest = 0;

    for (const struct claim *claim = id_map_find(&r->claims, port); claim;
         claim = claim->next) {
        highest = MAX(highest, claim->generation);
    }
    return highest;
}

uint64_t
remote_place(const struct remote *r, uint64_t port, remote_is_host *is_host,
             const void *aux)
{
    const struct claim *best = NULL;

    for (const struct claim *claim = id_map_find(&r->claims, port); claim;
         claim = claim->next) {
        if (!claim->is_gone && is_host(aux, claim->host)
            && (!best || claim->generation > best->generation
                || (claim->generation == best->generation
                    && claim->host < best->host))) {
            best = claim;
        }
    }
    return best ? best->host : 0;
}

static const struct remote_member *
member_of(const struct claim *claim, uint64_t network)
{
    for (unsigned int i = 0; i < claim->n_members; i++) {
        if (claim->members[i].network == network) {
            return &claim->members[i];
        }
    }
    return NULL;
}

const struct remote_member *
remote_member(const struct remote *r, uint64_t host, uint64_t port,
              uint64_t network)
{
    const struct claim *claim = find_claim(r, host, port);

    return claim && !claim->is_gone ? member_of(claim, network) : NULL;
}

be32
remote_last_address(const struct remote *r, uint64_t except, uint64_t port,
                    uint64_t network)
{
    const struct claim *last = NULL;
    const struct remote_member *member;

    for (const struct claim *claim = id_map_find(&r->claims, port); claim;
         claim = claim->next) {
        if (claim->host != except
            && (!last || claim->generation > last->generation)) {
            last = claim;
        }
    }
    member = last ? member_of(last, network) : NULL;
    return member ? member->address : 0;
}

/* ---- Who listens ---- */

static int
compare_groups(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ip6_addr));
}

/* `was` may be NULL: nobody listened. */
static bool
same_listening(const struct remote_listening *was,
               const struct remote_listening *said,
               const struct ip6_addr *groups)
{
    unsigned int n = was ? was->n_groups : 0;

    return (was && was->hears_all) == said->hears_all && n == said->n_groups
           && (!n || !memcmp(was->groups, groups, n * sizeof *groups));
}

int
remote_set_listening(struct remote *r, uint64_t id,
                     const struct remote_listening *said)
{
    struct remote_host *host = host_of(r, id);
    struct remote_listening *listening = id_map_find(&host->listening,
                                                     said->network);
    struct ip6_addr *groups;

    if (said->n_groups > REMOTE_MAX_GROUPS) {
        return -EINVAL;
    }
    if (!listening && host->listening.n == REMOTE_MAX_NETWORKS) {
        return -ENOSPC;
    }
    groups = xcalloc(said->n_groups + 1, sizeof *groups);
    if (said->n_groups) {
        memcpy(groups, said->groups, said->n_groups * sizeof *groups);
    }
    qsort(groups, said->n_groups, sizeof *groups, compare_groups);
    if (host->has_spoken && same_listening(listening, said, groups)) {
        free(groups);
        return 0;
    }
    host->has_spoken = true;
    free_listening(id_map_remove(&host->listening, said->network));
    if (!said->hears_all && !said->n_groups) {
        free(groups);
        return 1;
    }
    listening = xmemdup(said, sizeof *said);
    listening->groups = groups;
    id_map_set(&host->listening, said->network, listening);
    return 1;
}

const struct remote_listening *
remote_listening(const struct remote *r, uint64_t id, uint64_t network)
{
    const struct remote_host *host = id_map_find(&r->hosts, id);

    return host ? id_map_find(&host->listening, network) : NULL;
}

bool
remote_hears(const struct remote *r, uint64_t host, uint64_t network,
             const struct ip6_addr *group)
{
    const struct remote_listening *listening = remote_listening(r, host,
                                                                network);

    return listening
           && bsearch(group, listening->groups, listening->n_groups,
                      sizeof *group, compare_groups);
}

bool
remote_hears_all(const struct remote *r, uint64_t id, uint64_t network)
{
    const struct remote_host *host = id_map_find(&r->hosts, id);
    const struct remote_listening *listening = remote_listening(r, id,
                                                                network);

    return !host || !host->has_spoken || (listening && listening->hears_all);
}
