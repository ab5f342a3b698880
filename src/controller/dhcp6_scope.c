#include "controller/dhcp6_scope.h"

#include <stdlib.h>

#include "lib/str.h"
#include "packet/address.h"

/* A guest's NIC has as many addresses as its port lets through; nested guests
 * behind it have theirs. */
enum { MAX_PER_PORT = 1024, MAX_PER_STATION = MEMBER_MAX_BOUND + 1 };

static_assert((int) DHCP6_MAX_SERVERS >= (int) NETWORK_MAX_SERVERS,
              "see configure()");

struct dhcp6_scope *
dhcp6_scope_create(const struct topology_network *network)
{
    const struct lease6_options options = {
        .key = hash_key_random(), .max_per_port = MAX_PER_PORT,
        .max_per_station = MAX_PER_STATION,
    };
    struct dhcp6_scope *s = xzalloc(sizeof *s);

    s->id = network->id;
    memcpy(s->name, network->intent->object.name, sizeof s->name);
    s->leases = lease6_table_create(&options);
    return s;
}

void
dhcp6_scope_destroy(struct dhcp6_scope *s)
{
    if (s) {
        lease6_table_destroy(s->leases);
        free(s->members);
        free(s->planned);
        free(s);
    }
}

/* --- Who is planned where ----------------------------------------------- */

static int
compare_members(const void *a, const void *b)
{
    const struct dhcp6_scope_member *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int
compare_addresses(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ip6_addr));
}

const struct dhcp6_scope_member *
dhcp6_scope_member(const struct dhcp6_scope *s, const char *name)
{
    struct dhcp6_scope_member key = { .name = "" };

    memcpy(key.name, name, strnlen(name, sizeof key.name - 1));
    return s->n_members ? bsearch(&key, s->members, s->n_members, sizeof key,
                                  compare_members) : NULL;
}

static bool
is_planned(void *aux, const struct ip6_addr *addr)
{
    const struct dhcp6_scope *s = aux;

    return s->n_members && bsearch(addr, s->planned, s->n_members,
                                   sizeof *addr, compare_addresses);
}

/* A trunk may carry a network both tagged and untagged: one port, with the
 * address of the first. */
static void
read_members(struct dhcp6_scope *s, const struct topology_network *network)
{
    unsigned int n = network->n_members;
    struct dhcp6_scope_member *list = xcalloc(n + 1, sizeof *list);

    for (unsigned int i = 0; i < n; i++) {
        const struct topology_member *member = network->members[i];

        memcpy(list[i].name, member->port->intent->object.name,
               sizeof list[i].name);
        if (member->n_planned6 > 1) {
            list[i].planned = member->addresses6[1];
        }
    }
    qsort(list, n, sizeof *list, compare_members);
    free(s->members);
    free(s->planned);
    s->members = list;
    s->planned = xcalloc(n + 1, sizeof *s->planned);
    s->n_members = 0;
    for (unsigned int i = 0; i < n; i++) {
        if (!i || strcmp(list[i].name, list[i - 1].name)) {
            s->planned[s->n_members] = list[i].planned;
            list[s->n_members++] = list[i];
        }
    }
    qsort(s->planned, s->n_members, sizeof *s->planned, compare_addresses);
}

/* --- What is handed out ------------------------------------------------- */

/* Nobody else was named: then the gateway answers. */
static void
set_dns(struct dhcp6_config *config, const struct intent_network *network)
{
    config->n_dns = network->n_dns6;
    memcpy(config->dns, network->dns6,
           network->n_dns6 * sizeof network->dns6[0]);
    if (!network->n_dns6 && ip6_addr_is_set(network->gateway6)) {
        config->dns[config->n_dns++] = network->gateway6;
    }
}

static void
configure(struct dhcp6_scope *s, const struct intent_network *network)
{
    const struct network_dhcp6 *dhcp6 = &network->dhcp6;
    struct dhcp6_config config = {
        .mac = network->gateway_mac, .prefix = network->subnet6.addr,
        .prefix_len = network->subnet6.len, .gateway = network->gateway6,
        .is_stateful = network->ra == RA_STATEFUL,
        .lease_time = dhcp6->lease_time, .seed = s->id,
        .n_ntp = dhcp6->n_ntp, .refresh_time = dhcp6->refresh_time,
        .domain = *network->domain ? network->domain : NULL,
        .boot_file = *dhcp6->boot_file ? dhcp6->boot_file : NULL,
        .leases = s->leases, .is_planned = is_planned, .aux = s,
    };

    memcpy(config.ntp, dhcp6->ntp, dhcp6->n_ntp * sizeof dhcp6->ntp[0]);
    set_dns(&config, network);
    dhcp6_server_init(&s->server, &config);
}

/* --- Who holds what it should not --------------------------------------- */

struct strangers {
    const struct dhcp6_scope *scope;
    unsigned int n, size;
    char (*names)[LEASE_PORT_MAX];
};

static void
note_stranger(const struct lease6_record *record, void *aux)
{
    struct strangers *s = aux;

    if (s->scope->server.config.is_stateful
        && dhcp6_scope_member(s->scope, record->port)) {
        return;
    }
    if (s->n == s->size) {
        s->size = MAX(16u, s->size * 2);
        s->names = xrealloc(s->names, s->size * sizeof *s->names);
    }
    memcpy(s->names[s->n++], record->port, sizeof record->port);
}

void
dhcp6_scope_update(struct dhcp6_scope *s,
                   const struct topology_network *network,
                   lease6_changed *changed, void *aux)
{
    struct strangers strangers = { .scope = s };

    read_members(s, network);
    configure(s, network->intent);
    lease6_for_each(s->leases, 0, note_stranger, &strangers);
    for (unsigned int i = 0; i < strangers.n; i++) {
        lease6_release_port(s->leases, strangers.names[i], changed, aux);
    }
    free(strangers.names);
}
