#include "controller/serve_bond.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "packet/address.h"
#include "packet/arp.h"
#include "service/bond.h"

/* Announcements: so many in a turn of the loop, and how long before the first,
 * for the flows to be there. */
enum { BATCH = 256, BATCH_PAUSE = 5, ANNOUNCE_AFTER = 20 };

/* One bond of the intents. */
struct served {
    struct served *next;
    struct serve_bond *all;
    const struct intent_uplink *intent;     /* as long as it is in the set */
    uint64_t id;
    struct bond *bond;
    struct uplink_links links;    /* as the topology has them */
    msec next_run;
    msec announce_at;             /* INT64_MAX: all was said */
    unsigned int n_announced;
    bool is_wanted;               /* while the intents change */
};

struct serve_bond {
    const struct service_host *host;
    struct served *bonds;
    uv_timer_t *timer;
};

/* ---- What the bonds' machines need ---- */

static void
on_send(void *aux, unsigned int link, const void *frame, size_t len)
{
    const struct served *b = aux;
    struct topology_switch_port port;

    if (topology_switch_port(b->all->host->topology,
                             b->intent->members[link].switch_name, &port)) {
        service_send_by(b->all->host, port.number, 0, 0, frame, len);
    }
}

/* The MAC of a member: no two hosts have the same, and a restart finds the same
 * again. */
static struct eth_addr
system_id(const struct serve_bond *s, const struct intent_uplink *intent)
{
    struct topology_switch_port port;

    for (unsigned int i = 0; i < intent->n_members; i++) {
        if (topology_switch_port(s->host->topology,
                                 intent->members[i].switch_name, &port)
            && eth_addr_is_set(port.mac)) {
            return port.mac;
        }
    }
    return (struct eth_addr) { { 0 } };
}

static void
open_bond(struct served *b)
{
    const struct intent_uplink *intent = b->intent;
    struct bond_config config = {
        .is_lacp = intent->mode == BOND_LACP,
        .n_members = intent->n_members, .primary = BOND_NO_MEMBER,
        .fail_back = (msec) intent->fail_back * 1000,
        .lacp = {
            .system = system_id(b->all, intent),
            .key = (uint16_t) (b->id & 0x7fff) | 1,
            .is_fast = intent->lacp_rate == LACP_FAST,
        },
    };

    /* Without a MAC there is no member either. */
    if (config.is_lacp && !eth_addr_is_set(config.lacp.system)) {
        return;
    }
    for (unsigned int i = 0; i < intent->n_members; i++) {
        if (!strcmp(intent->members[i].device, intent->primary)) {
            config.primary = i;
        }
    }
    b->bond = bond_create(&config, &(struct lacp_watch) { on_send, b });
}

static void
close_bond(struct served *b)
{
    bond_destroy(b->bond);
    free(b);
}

/* ---- From machines to flows ---- */

static uint32_t
number_of(const struct served *b, unsigned int member)
{
    struct topology_switch_port port;

    return topology_switch_port(b->all->host->topology,
                                b->intent->members[member].switch_name, &port)
           ? port.number : 0;
}

static void
find_links(const struct served *b, struct uplink_links *links)
{
    struct bond_state state;

    *links = (struct uplink_links) { 0 };
    if (!b->bond) {
        return;
    }
    bond_state(b->bond, &state);
    links->is_spread = state.is_spread;
    for (unsigned int i = 0; i < state.n_rx; i++) {
        links->rx[links->n_rx++] = number_of(b, state.rx[i]);
    }
    for (unsigned int i = 0; i < state.n_tx; i++) {
        links->tx[links->n_tx++] = number_of(b, state.tx[i]);
    }
}

static bool
has_number(const uint32_t *numbers, unsigned int n, uint32_t number)
{
    for (unsigned int i = 0; i < n; i++) {
        if (numbers[i] == number) {
            return true;
        }
    }
    return false;
}

/* Must the LAN learn our stations anew?  As long as a link stays, a partner
 * that knows of the bond keeps what it learned. */
static bool
is_moved(const struct uplink_links *was, const struct uplink_links *is)
{
    if (!is->n_tx) {
        return false;
    }
    if (!is->is_spread) {
        return !was->n_tx || was->tx[0] != is->tx[0];
    }
    for (unsigned int i = 0; i < was->n_tx; i++) {
        if (has_number(is->tx, is->n_tx, was->tx[i])) {
            return false;
        }
    }
    return true;
}

static void
say(const struct served *b)
{
    struct str devices = STR_INIT;

    for (unsigned int i = 0; i < b->intent->n_members; i++) {
        uint32_t number = number_of(b, i);
        unsigned int n_used = b->links.is_spread ? b->links.n_tx
                                                 : MIN(b->links.n_tx, 1u);

        if (number && has_number(b->links.tx, n_used, number)) {
            str_addf(&devices, "%s%s", devices.len ? ", " : "",
                     b->intent->members[i].device);
        }
    }
    log_info("controller", "uplink '%s' uses %s", b->intent->object.name,
             devices.len ? str_text(&devices) : "no device");
    str_fini(&devices);
}

static void
apply(struct served *b, msec now)
{
    const struct service_host *host = b->all->host;
    struct uplink_links links;
    bool is_news;

    find_links(b, &links);
    is_news = links.n_tx != b->links.n_tx
              || memcmp(links.tx, b->links.tx, sizeof links.tx);
    if (is_moved(&b->links, &links)) {
        b->announce_at = now + ANNOUNCE_AFTER;
        b->n_announced = 0;
    }
    b->links = links;
    host->set_links(host->aux, b->id, &links);
    if (is_news) {
        say(b);
    }
}

/* ---- Announcements ---- */

static bool
announce_member(const struct served *b, const struct topology_member *member)
{
    const struct segment *segment = &member->network->intent->segment;
    uint8_t frame[ETH_MIN_LEN];

    arp_encode_announcement(member->port->intent->mac, member->address,
                            frame);
    return service_send_by(b->all->host, b->links.tx[0],
                           segment->is_service_tag ? ETH_TYPE_QINQ
                                                   : ETH_TYPE_VLAN,
                           segment->vid, frame, sizeof frame);
}

/* Each of ours in the networks of this uplink.  True: all were. */
static bool
announce_some(struct served *b)
{
    const struct topology *t = b->all->host->topology;
    unsigned int n_seen = 0, n_sent = 0;

    INTENT_FOR_EACH_NETWORK (wanted, topology_intent(t)) {
        const struct topology_network *network
            = topology_network(t, wanted->object.id);

        if (!network->uplink || network->uplink->id != b->id) {
            continue;
        }
        for (unsigned int i = 0; i < network->n_members; i++) {
            if (!network->members[i]->port->number
                || n_seen++ < b->n_announced) {
                continue;
            }
            if (n_sent++ == BATCH) {
                return false;
            }
            announce_member(b, network->members[i]);
            b->n_announced++;
        }
    }
    return true;
}

static void
announce(struct served *b, msec now)
{
    if (now < b->announce_at) {
        return;
    }
    b->announce_at = !b->links.n_tx || announce_some(b) ? INT64_MAX
                                                        : now + BATCH_PAUSE;
}

/* ---- Time ---- */

static void on_timer(uv_timer_t *);

static void
wait_for_next(struct serve_bond *s, msec now)
{
    msec next = INT64_MAX;

    for (const struct served *b = s->bonds; b; b = b->next) {
        next = MIN(next, MIN(b->next_run, b->announce_at));
    }
    if (next == INT64_MAX) {
        uv_timer_stop(s->timer);
        return;
    }
    uv_update_time(s->timer->loop);
    uv_timer_start(s->timer, on_timer, (uint64_t) MAX(next - now, (msec) 1),
                   0);
}

static void
run(struct served *b, msec now)
{
    b->next_run = b->bond ? bond_run(b->bond, now) : INT64_MAX;
    apply(b, now);
}

static void
on_timer(uv_timer_t *timer)
{
    struct serve_bond *s = timer->data;
    msec now = clock_msec();

    for (struct served *b = s->bonds; b; b = b->next) {
        if (b->next_run <= now) {
            run(b, now);
        }
        announce(b, now);
    }
    wait_for_next(s, now);
    s->host->touched(s->host->aux);
}

/* ---- Packets ---- */

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_bond *s = aux;
    msec now = clock_msec();

    for (struct served *b = s->bonds; b; b = b->next) {
        if (b->id != in->uplink->id || !b->bond) {
            continue;
        }
        for (unsigned int i = 0; i < b->intent->n_members; i++) {
            if (number_of(b, i) == in->in_port) {
                bond_receive(b->bond, i, in->frame, in->len, now);
            }
        }
        run(b, now);
    }
    wait_for_next(s, now);
    s->host->touched(s->host->aux);
}

/* ---- The front door ---- */

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

struct serve_bond *
serve_bond_create(const struct service_host *host)
{
    struct serve_bond *s = xzalloc(sizeof *s);

    s->host = host;
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(host->loop, s->timer);
    packet_in_serve(host->packet_ins, SERVICE_LACP, on_packet, s);
    return s;
}

void
serve_bond_destroy(struct serve_bond *s)
{
    if (!s) {
        return;
    }
    while (s->bonds) {
        struct served *b = s->bonds;

        s->bonds = b->next;
        close_bond(b);
    }
    uv_close((uv_handle_t *) s->timer, free_handle);
    free(s);
}

/* The same object: nothing of it has changed, and its machines go on. */
static struct served *
find_served(struct serve_bond *s, const struct intent_uplink *intent)
{
    for (struct served *b = s->bonds; b; b = b->next) {
        if (b->intent == intent) {
            return b;
        }
    }
    return NULL;
}

static void
remove_unwanted(struct serve_bond *s)
{
    for (struct served **p = &s->bonds; *p;) {
        struct served *b = *p;

        if (b->is_wanted) {
            p = &b->next;
        } else {
            *p = b->next;
            close_bond(b);
        }
    }
}

void
serve_bond_changed(struct serve_bond *s)
{
    const struct intent *intent = topology_intent(s->host->topology);
    msec now = clock_msec();

    for (struct served *b = s->bonds; b; b = b->next) {
        b->is_wanted = false;
    }
    if (intent) {
        INTENT_FOR_EACH_UPLINK (uplink, intent) {
            struct served *b = find_served(s, uplink);

            if (!uplink->is_bond) {
                continue;
            }
            if (!b) {
                b = xzalloc(sizeof *b);
                b->all = s;
                b->intent = uplink;
                b->id = uplink->object.id;
                b->next_run = b->announce_at = INT64_MAX;
                b->next = s->bonds;
                s->bonds = b;
            }
            b->is_wanted = true;
        }
    }
    remove_unwanted(s);
    /* The topology has forgotten them. */
    for (struct served *b = s->bonds; b; b = b->next) {
        apply(b, now);
    }
}

void
serve_bond_follow(struct serve_bond *s)
{
    msec now = clock_msec();

    for (struct served *b = s->bonds; b; b = b->next) {
        if (!b->bond) {
            open_bond(b);
        }
        for (unsigned int i = 0; b->bond && i < b->intent->n_members; i++) {
            struct topology_switch_port port = { 0 };

            topology_switch_port(s->host->topology,
                                 b->intent->members[i].switch_name, &port);
            bond_set_member(b->bond, i, &(struct bond_member) {
                port.number, port.has_link, port.mac,
            }, now);
        }
        run(b, now);
    }
    wait_for_next(s, now);
}

/* ---- What there is to see ---- */

const char *
controller_link_flag_name(unsigned int bit)
{
    static const char *const names[] = {
        "active", "fast", "aggregates", "sync", "collects", "distributes",
        "defaulted", "expired",
    };

    return names[bit];
}

static const char *
use_of(const struct uplink_links *links, const struct controller_link *link)
{
    if (!link->number) {
        return "missing";
    }
    if (!link->has_link) {
        return "no link";
    }
    if (has_number(links->rx, links->n_rx, link->number)) {
        return has_number(links->tx, links->n_tx, link->number)
               ? "in use" : "receives";
    }
    return "standby";
}

static void
visit_uplink(const struct serve_bond *s, const struct intent_uplink *intent,
             void (*visit)(void *aux, const struct controller_link *),
             void *aux)
{
    static const char *const modes[] = {
        [BOND_ACTIVE_BACKUP] = "active-backup", [BOND_LACP] = "lacp",
    };
    const struct topology_uplink *uplink
        = topology_uplink(s->host->topology, intent->object.id);
    const struct served *b = find_served((struct serve_bond *) s, intent);

    for (unsigned int i = 0; i < intent->n_members; i++) {
        struct topology_switch_port port = { 0 };
        struct lacp_link_status lacp;
        char partner[ADDRESS_TEXT_SIZE];
        struct controller_link link = {
            .uplink = intent->object.name, .device = intent->members[i].device,
            .mode = intent->is_bond ? modes[intent->mode] : "device",
        };

        topology_switch_port(s->host->topology,
                             intent->members[i].switch_name, &port);
        link.number = port.number;
        link.has_link = port.has_link;
        link.use = use_of(&uplink->links, &link);
        if (b && b->bond && bond_lacp_status(b->bond, i, &lacp)) {
            link.lacp = lacp_receive_state_name(lacp.receive);
            link.partner = eth_addr_format(lacp.partner.system, partner);
            link.partner_key = lacp.partner.key;
            link.partner_port = lacp.partner.port;
            link.actor_flags = lacp.actor.state;
            link.partner_flags = lacp.partner.state;
            link.n_received = lacp.n_received;
            link.n_sent = lacp.n_sent;
        }
        visit(aux, &link);
    }
}

void
serve_bond_visit(const struct serve_bond *s,
                 void (*visit)(void *aux, const struct controller_link *),
                 void *aux)
{
    const struct intent *intent = topology_intent(s->host->topology);

    if (!intent) {
        return;
    }
    INTENT_FOR_EACH_UPLINK (uplink, intent) {
        visit_uplink(s, uplink, visit, aux);
    }
}
