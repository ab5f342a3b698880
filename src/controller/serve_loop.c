#include "controller/serve_loop.h"

#include <inttypes.h>
#include <stdlib.h>

#include "controller/stage.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "packet/eth.h"

/* So many leave in a turn; with more places a round takes longer. */
enum { PROBES_PER_TURN = 64 };

static const char magic[8] = "weftloop";

/* The frame, padded to the least that Ethernet takes. */
struct probe {
    struct eth_addr dst, src;
    be16 type;
    char magic[8];
    uint8_t controller[8];        /* who asks: others' are none of our business */
    uint8_t network[8];
    uint8_t port[8];              /* of the intent, by id */
    uint8_t zero[14];
} __attribute__((packed));
static_assert(sizeof(struct probe) == 60, "an Ethernet frame");

/* A port that is held, or was not long ago. */
struct loop_hold {
    uint64_t port;
    char name[INTENT_NAME_MAX], other[INTENT_NAME_MAX];
    char network[INTENT_NAME_MAX];
    bool is_held, is_uplink;      /* the other place is the uplink */
    msec until, length;
};

struct serve_loop {
    const struct service_host *host;
    uint64_t id;                  /* of this controller, for its probes */
    struct id_map holds;          /* by port */
    unsigned int n_at_risk;       /* networks */
    unsigned int next;            /* place that is probed next */
    uv_timer_t *timer;
};

/* ---- Probes ---- */

static void
put_id(uint8_t bytes[8], uint64_t id)
{
    memcpy(bytes, &id, 8);        /* read by nobody else */
}

static uint64_t
get_id(const uint8_t bytes[8])
{
    uint64_t id;

    memcpy(&id, bytes, 8);
    return id;
}

static void
probe(struct serve_loop *s, const struct topology_member *member)
{
    struct probe p = {
        .src = member->network->intent->gateway_mac,
        .type = htobe16(STAGE_PROBE_TYPE),
    };

    for (int i = 0; i < 6; i++) {
        p.dst.b[i] = (uint8_t) (STAGE_PROBE_MAC >> (40 - 8 * i));
    }
    memcpy(p.magic, magic, sizeof magic);
    put_id(p.controller, s->id);
    put_id(p.network, member->network->id);
    put_id(p.port, member->port->id);
    service_send(s->host, member, &p, sizeof p);
}

/* All places in order, PROBES_PER_TURN from `next` on. */
static void
probe_some(struct serve_loop *s)
{
    const struct intent *intent = topology_intent(s->host->topology);
    unsigned int i = 0, n = 0;

    if (!intent) {
        return;
    }
    INTENT_FOR_EACH_NETWORK (wanted, intent) {
        const struct topology_network *network = topology_network(
            s->host->topology, wanted->object.id);

        if (!network || !topology_is_at_risk(network)) {
            continue;
        }
        for (unsigned int k = 0; k < network->n_members; k++) {
            const struct topology_member *member = network->members[k];

            if (topology_is_unknown(member) && i++ >= s->next
                && n < PROBES_PER_TURN) {
                probe(s, member);
                n++;
            }
        }
    }
    s->next = s->next + n >= i ? 0 : s->next + n;
}

/* ---- Holds ---- */

static void
set_held(struct serve_loop *s, struct loop_hold *hold, bool is_held)
{
    const struct topology_port *port = topology_port(s->host->topology,
                                                     hold->port);

    hold->is_held = is_held;
    if (port) {
        s->host->hold(s->host->aux, port, is_held);
    }
}

static void
format(const struct loop_hold *hold, struct str *text)
{
    str_addf(text, "port '%s' is held for %lld s: what it is sent comes back "
             "by %s '%s', there is a loop in network '%s'", hold->name,
             (long long) hold->length / 1000,
             hold->is_uplink ? "uplink" : "port", hold->other,
             hold->network);
}

static void
begin_hold(struct serve_loop *s, const struct topology_port *port,
           const struct topology_network *network, const char *other,
           bool is_uplink)
{
    struct loop_hold *hold = id_map_find(&s->holds, port->id);
    struct str text = STR_INIT;

    if (hold && hold->is_held) {
        return;
    }
    if (!hold) {
        hold = xzalloc(sizeof *hold);
        hold->port = port->id;
        id_map_set(&s->holds, port->id, hold);
    }
    hold->length = hold->length ? MIN(2 * hold->length,
                                      (msec) LOOP_HOLD_LONGEST_MS)
                                : LOOP_HOLD_FIRST_MS;
    hold->until = clock_msec() + hold->length;
    hold->is_uplink = is_uplink;
    strcpy(hold->name, port->intent->object.name);
    strcpy(hold->other, other);
    strcpy(hold->network, network->intent->object.name);
    format(hold, &text);
    log_warn("controller", "%s", str_text(&text));
    str_fini(&text);
    set_held(s, hold, true);
}

/* The port that was plugged in later has the higher number. */
static void
came_back(struct serve_loop *s, const struct topology_network *network,
          const struct topology_port *left, const struct topology_member *came)
{
    if (!came) {
        begin_hold(s, left, network, network->uplink->intent->object.name,
                   true);
    } else if (came->port->number > left->number) {
        begin_hold(s, came->port, network, left->intent->object.name, false);
    } else {
        begin_hold(s, left, network, came->port->intent->object.name, false);
    }
}

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_loop *s = aux;
    const struct topology_port *left;
    struct probe p;

    if (in->len < sizeof p) {
        return;
    }
    memcpy(&p, in->frame, sizeof p);
    left = topology_port(s->host->topology, get_id(p.port));
    /* What comes back by the port that it left by goes round once only. */
    if (memcmp(p.magic, magic, sizeof magic) || get_id(p.controller) != s->id
        || get_id(p.network) != in->network->id || !left || !left->number
        || (in->member && in->member->port == left)) {
        return;
    }
    came_back(s, in->network, left, in->member);
}

static void
run_holds(struct serve_loop *s, msec now)
{
    struct loop_hold *hold, **past = xcalloc(s->holds.n + 1, sizeof *past);
    unsigned int n = 0;

    ID_MAP_FOR_EACH (hold, &s->holds) {
        if (hold->is_held && hold->until <= now) {
            log_info("controller", "port '%s' is not held any more",
                     hold->name);
            set_held(s, hold, false);
        } else if (!hold->is_held && hold->until + LOOP_QUIET_MS <= now) {
            past[n++] = hold;
        }
    }
    while (n > 0) {
        id_map_remove(&s->holds, past[--n]->port);
        free(past[n]);
    }
    free(past);
}

/* ---- Time ---- */

static void on_timer(uv_timer_t *);

static void
set_timer(struct serve_loop *s)
{
    if (s->n_at_risk || s->holds.n) {
        uv_timer_start(s->timer, on_timer, LOOP_PROBE_MS, 0);
    } else {
        uv_timer_stop(s->timer);
    }
}

static void
on_timer(uv_timer_t *timer)
{
    struct serve_loop *s = timer->data;

    run_holds(s, clock_msec());
    probe_some(s);
    set_timer(s);
}

void
serve_loop_changed(struct serve_loop *s)
{
    const struct intent *intent = topology_intent(s->host->topology);

    s->n_at_risk = 0;
    if (intent) {
        INTENT_FOR_EACH_NETWORK (wanted, intent) {
            const struct topology_network *network = topology_network(
                s->host->topology, wanted->object.id);

            s->n_at_risk += network && topology_is_at_risk(network);
        }
    }
    set_timer(s);
}

bool
serve_loop_reason(const struct serve_loop *s, const char *port,
                  struct str *text)
{
    const struct loop_hold *hold = id_map_find(
        &s->holds, intent_object_id(INTENT_PORT, port));

    if (!hold || !hold->is_held) {
        return false;
    }
    format(hold, text);
    return true;
}

/* ---- Making and ending ---- */

struct serve_loop *
serve_loop_create(const struct service_host *host)
{
    struct serve_loop *s = xzalloc(sizeof *s);

    s->host = host;
    s->id = hash_key_random().seed;
    id_map_init(&s->holds);
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(host->loop, s->timer);
    packet_in_serve(host->packet_ins, SERVICE_LOOP, on_packet, s);
    packet_in_serve_lan(host->packet_ins, SERVICE_LOOP);
    return s;
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
serve_loop_destroy(struct serve_loop *s)
{
    struct loop_hold *hold;

    if (!s) {
        return;
    }
    uv_close((uv_handle_t *) s->timer, free_handle);
    ID_MAP_FOR_EACH (hold, &s->holds) {
        free(hold);
    }
    id_map_fini(&s->holds);
    free(s);
}
