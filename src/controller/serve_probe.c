#include "controller/serve_probe.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "packet/address.h"
#include "packet/eth.h"

enum {
    TICK_MS = 20,                 /* paths that are due within it go together */
    REBUILD_MS = 1000,            /* at most so often, without new intents */
};

struct probe_path {
    uint64_t host;                /* its id */
    enum segment_type type;
    char name[INTENT_NAME_MAX];
    struct ip6_addr end;
    uint16_t wanted;              /* the largest of its networks' */
    bool is_seen;                 /* while paths are looked for */
    struct path_probe probe;
    usec begun;                   /* the last round */
    usec due;                     /* when it ends, or the next one begins */
    msec since;                   /* when its state came about */
};

struct serve_probe {
    const struct service_host *host;
    usec interval;
    struct hash_key key;          /* of tokens */
    uint64_t n_rounds;
    struct id_map by_key;         /* of paths, which it owns */
    unsigned int n_paths;
    struct probe_path **paths;    /* in order of names and types */
    unsigned int next;            /* that is looked at first */
    bool is_stale;
    msec rebuilt_at;
    uv_timer_t *timer;
    uint64_t n_results[N_PROBE_RESULTS], n_events[N_PATH_EVENTS];
    uint8_t frame[ETH_HEADER_LEN + PATH_FRAME_MAX];
};

const char *
probe_result_name(enum probe_result result)
{
    static const char *const names[] = {
#define X(ID, NAME) [ID] = NAME,
        PROBE_RESULTS(X)
#undef X
    };

    return names[result];
}

/* ---- Which paths there are ---- */

static uint64_t
key_of(uint64_t host, enum segment_type type)
{
    return host + type;
}

static struct probe_path *
find_or_add(struct serve_probe *s, const struct topology_host *host,
            enum segment_type type, msec now)
{
    struct probe_path *path = id_map_find(&s->by_key, key_of(host->id, type));

    if (path && ip6_addr_eq(path->end, host->intent->tunnel)) {
        return path;
    }
    /* One with another address is a new one. */
    free(path);
    path = xzalloc(sizeof *path);
    path->host = host->id;
    path->type = type;
    path->end = host->intent->tunnel;
    path->since = now;
    strcpy(path->name, host->intent->object.name);
    id_map_set(&s->by_key, key_of(host->id, type), path);
    return path;
}

static void
see_hosts(struct serve_probe *s, const struct topology_network *network,
          msec now)
{
    for (unsigned int i = 0; i < network->n_hosts; i++) {
        struct probe_path *path = find_or_add(
            s, network->hosts[i].host, network->intent->segment.type, now);

        path->wanted = path->is_seen
                       ? MAX(path->wanted, network->intent->mtu)
                       : network->intent->mtu;
        path->is_seen = true;
    }
}

static int
compare(const void *a_, const void *b_)
{
    const struct probe_path *const *a = a_, *const *b = b_;
    int order = strcmp((*a)->name, (*b)->name);

    return order ? order : (int) (*a)->type - (int) (*b)->type;
}

/* Those that are new begin one after the other, within a round. */
static void
begin_new(struct serve_probe *s, unsigned int n_new, usec now)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < s->n_paths; i++) {
        struct probe_path *path = s->paths[i];

        if (!path->probe.wanted) {
            path_probe_init(&path->probe, path->wanted);
            path->due = now + path_probe_patience(s->interval) * n++ / n_new;
        } else {
            path_probe_want(&path->probe, path->wanted);
        }
    }
}

/* Takes what was not seen out of the map, and lists the rest. */
static void
list_seen(struct serve_probe *s, usec now)
{
    struct probe_path *path, **gone = xcalloc(s->by_key.n + 1, sizeof *gone);
    unsigned int n_gone = 0, n_new = 0;

    free(s->paths);
    s->paths = xcalloc(s->by_key.n + 1, sizeof *s->paths);
    s->n_paths = 0;
    ID_MAP_FOR_EACH (path, &s->by_key) {
        if (path->is_seen) {
            path->is_seen = false;
            n_new += !path->probe.wanted;
            s->paths[s->n_paths++] = path;
        } else {
            gone[n_gone++] = path;
        }
    }
    while (n_gone > 0) {
        path = gone[--n_gone];
        id_map_remove(&s->by_key, key_of(path->host, path->type));
        free(path);
    }
    free(gone);
    qsort(s->paths, s->n_paths, sizeof *s->paths, compare);
    begin_new(s, n_new, now);
}

static void
rebuild(struct serve_probe *s, usec now)
{
    const struct intent *intent = topology_intent(s->host->topology);

    s->is_stale = false;
    s->rebuilt_at = now / 1000;
    if (intent) {
        INTENT_FOR_EACH_NETWORK (wanted, intent) {
            const struct topology_network *network = topology_network(
                s->host->topology, wanted->object.id);

            if (network && topology_concerns_us(network)) {
                see_hosts(s, network, now / 1000);
            }
        }
    }
    list_seen(s, now);
}

/* ---- What is told ---- */

static unsigned int
overhead_of(const struct probe_path *path)
{
    return segment_overhead(path->type, !ip6_is_mapped4(&path->end));
}

static void
tell(const struct probe_path *path, enum path_event event)
{
    const char *type = segment_type_word(path->type);
    char end[ADDRESS_TEXT_SIZE];

    ip_format(path->end, end);
    switch (event) {
    case PATH_NO_EVENT: case N_PATH_EVENTS:
        return;
    case PATH_WENT_DOWN:
        log_warn("tunnel", "host '%s' does not answer through %s at %s: is "
                 "weftd running there, and does the network between the hosts "
                 "let it through?", path->name, type, end);
        return;
    case PATH_CAME_BACK:
        log_info("tunnel", "host '%s' answers through %s at %s again",
                 path->name, type, end);
        return;
    case PATH_SHRANK:
        log_warn("tunnel", "the way to host '%s' through %s at %s carries "
                 "packets of %u bytes, and guests were told %u: a larger MTU "
                 "between the hosts, or hosts: {%s: {mtu: %u}}", path->name,
                 type, end, path->probe.mtu, path->probe.wanted, path->name,
                 path->probe.mtu + overhead_of(path));
        return;
    case PATH_FITS_AGAIN:
        log_info("tunnel", "the way to host '%s' through %s at %s carries "
                 "packets of %u bytes again", path->name, type, end,
                 path->probe.mtu);
        return;
    }
}

/* ---- Rounds ---- */

static void
send_frame(struct serve_probe *s, uint32_t number, const struct ip6_addr *end,
           const struct path_frame *f, enum probe_result result)
{
    size_t len = path_frame_encode(f, s->frame);
    bool is_sent = service_send_tunnel(s->host, number, SEGMENT_PROBE_KEY,
                                       end, s->frame, len);

    s->n_results[is_sent ? result : PROBE_UNSENT]++;
}

static void
begin_round(struct serve_probe *s, struct probe_path *path, uint32_t number,
            usec now)
{
    struct path_frame f = {
        .kind = PATH_FRAME_ASK, .token = hash_u64(s->key, s->n_rounds++),
    };
    uint16_t sizes[PATH_MAX_ASKED];
    unsigned int n = path_probe_begin(&path->probe, f.token, now, sizes);

    path->begun = now;
    path->due = now + path_probe_patience(s->interval);
    for (unsigned int i = 0; i < n; i++) {
        f.index = (uint8_t) i;
        f.size = sizes[i];
        send_frame(s, number, &path->end, &f, PROBE_ASKED);
    }
}

static void
end_round(struct serve_probe *s, struct probe_path *path, usec now)
{
    enum path_state was = path->probe.state;
    enum path_event event = path_probe_end(&path->probe);

    s->n_events[event]++;
    tell(path, event);
    if (path->probe.state != was) {
        path->since = now / 1000;
    }
    path->due = path_probe_is_in_doubt(&path->probe)
                ? now : MAX(now, path->begun + s->interval);
}

/* Nothing can be known as long as our own switch has no tunnel. */
static void
forget(struct serve_probe *s, struct probe_path *path, usec now)
{
    if (path->probe.state != PATH_UNKNOWN) {
        path->since = now / 1000;
    }
    path_probe_init(&path->probe, path->wanted);
    path->due = now + path_probe_patience(s->interval);
}

/* The end of a round, and the beginning of one if that is due, too. */
static void
turn(struct serve_probe *s, struct probe_path *path, usec now)
{
    uint32_t number = topology_tunnel(s->host->topology, path->type);

    if (!number) {
        forget(s, path, now);
        return;
    }
    if (path->probe.n_asked) {
        end_round(s, path, now);
    }
    if (path->due <= now) {
        begin_round(s, path, number, now);
    }
}

static void on_timer(uv_timer_t *);

static void
set_timer(struct serve_probe *s, usec now)
{
    usec due = INT64_MAX;

    for (unsigned int i = 0; i < s->n_paths; i++) {
        due = MIN(due, s->paths[i]->due);
    }
    if (s->is_stale) {
        due = MIN(due, ((usec) s->rebuilt_at + REBUILD_MS) * 1000);
    }
    if (due == INT64_MAX || !s->interval) {
        uv_timer_stop(s->timer);
    } else {
        uv_timer_start(s->timer, on_timer,
                       (uint64_t) MAX((due - now) / 1000, (usec) TICK_MS), 0);
    }
}

/* One after the other, so that all have their turn where more are due. */
static void
turn_some(struct serve_probe *s, usec now)
{
    unsigned int n_turns = 0;

    for (unsigned int i = 0; i < s->n_paths; i++) {
        if (n_turns == PROBE_MAX_AT_ONCE) {
            break;
        }
        s->next = (s->next + 1) % s->n_paths;
        if (s->paths[s->next]->due <= now) {
            turn(s, s->paths[s->next], now);
            n_turns++;
        }
    }
}

static void
on_timer(uv_timer_t *timer)
{
    struct serve_probe *s = timer->data;
    usec now = clock_usec();

    if (s->is_stale && now / 1000 - s->rebuilt_at >= REBUILD_MS) {
        rebuild(s, now);
    }
    turn_some(s, now);
    set_timer(s, clock_usec());
}

void
serve_probe_changed(struct serve_probe *s)
{
    usec now = clock_usec();

    rebuild(s, now);
    set_timer(s, now);
}

void
serve_probe_touched(struct serve_probe *s)
{
    if (!s->is_stale) {
        s->is_stale = true;
        set_timer(s, clock_usec());
    }
}

/* ---- Packet-ins ---- */

/* As it came, with IPv4 in its mapped form. */
static struct ip6_addr
far_end(const struct flow *flow)
{
    return flow->key.tun_family == 6 ? flow->key.tun_src
                                     : ip6_of_ip4(flow->key.tun_src4);
}

static bool
find_type(const struct serve_probe *s, uint32_t number,
          enum segment_type *type)
{
    for (enum segment_type i = SEGMENT_VXLAN; i < N_SEGMENT_TYPES; i++) {
        if (number && topology_tunnel(s->host->topology, i) == number) {
            *type = i;
            return true;
        }
    }
    return false;
}

static const struct topology_host *
find_host(const struct serve_probe *s, const struct ip6_addr *end)
{
    unsigned int n;
    const struct topology_host *hosts = topology_hosts(s->host->topology, &n);

    for (unsigned int i = 0; i < n; i++) {
        if (!hosts[i].is_here && ip6_addr_eq(hosts[i].intent->tunnel, *end)) {
            return &hosts[i];
        }
    }
    return NULL;
}

static void
hear_answer(struct serve_probe *s, const struct topology_host *host,
            enum segment_type type, const struct path_frame *f, usec now)
{
    struct probe_path *path = id_map_find(&s->by_key, key_of(host->id, type));
    bool is_ours = path && path_probe_hear(&path->probe, f, now);

    s->n_results[is_ours ? PROBE_HEARD : PROBE_UNASKED]++;
    if (is_ours && path_probe_is_answered(&path->probe)) {
        end_round(s, path, now);
        set_timer(s, now);
    }
}

/* The switch lets in only what comes from hosts of the file; that it is one
 * still is asked here once more. */
static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_probe *s = aux;
    usec now = clock_usec();
    uint32_t number = flow_in_port(in->flow);
    struct ip6_addr end = far_end(in->flow);
    const struct topology_host *host = find_host(s, &end);
    enum segment_type type;
    struct path_frame f;

    if (!host || !find_type(s, number, &type)) {
        s->n_results[PROBE_STRANGE]++;
    } else if (path_frame_decode(in->frame, in->len, &f)) {
        s->n_results[PROBE_MALFORMED]++;
    } else if (f.kind == PATH_FRAME_ANSWER) {
        hear_answer(s, host, type, &f, now);
    } else {
        f.kind = PATH_FRAME_ANSWER;
        send_frame(s, number, &end, &f, PROBE_ANSWERED);
    }
}

/* ---- What there is to see ---- */

void
serve_probe_visit(const struct serve_probe *s,
                  void (*visit)(void *aux, const struct controller_tunnel *),
                  void *aux)
{
    msec now = clock_msec();

    for (unsigned int i = 0; s->interval && i < s->n_paths; i++) {
        const struct probe_path *path = s->paths[i];
        const struct path_probe *p = &path->probe;
        char end[ADDRESS_TEXT_SIZE];

        visit(aux, &(struct controller_tunnel) {
            .host = path->name, .type = segment_type_word(path->type),
            .address = ip_format(path->end, end),
            .state = path_state_name(p->state),
            .rtt = p->rtt, .rtt_smoothed = p->rtt_smoothed,
            .loss = path_probe_loss(p), .mtu = p->mtu,
            .mtu_wanted = p->wanted,
            .underlay_mtu = p->mtu ? p->mtu + overhead_of(path) : 0,
            .n_sent = p->n_sent, .n_heard = p->n_heard,
            .seconds = (now - path->since) / 1000,
        });
    }
}

static void
note_size(const struct probe_path *path, struct str *out)
{
    const struct path_probe *p = &path->probe;

    if (p->state == PATH_TOO_SMALL && p->mtu) {
        str_addf(out, ", but packets of more than %u bytes do not get there, "
                 "and guests were told %u", p->mtu, p->wanted);
    } else if (p->state == PATH_TOO_SMALL) {
        str_addf(out, ", but packets of %u bytes, as guests were told, do not "
                 "get there", p->wanted);
    } else if (p->mtu) {
        str_addf(out, ", and packets of %u bytes get there", p->mtu);
    }
}

void
serve_probe_note(const struct serve_probe *s, uint64_t host,
                 enum segment_type type, struct str *out)
{
    const struct probe_path *path = id_map_find(&s->by_key,
                                                key_of(host, type));

    if (!path || path->probe.state == PATH_UNKNOWN) {
        return;
    }
    if (path->probe.state == PATH_DOWN) {
        str_addf(out, "host '%s' does not answer through %s (weft tunnel "
                 "list)\n", path->name, segment_type_word(type));
        return;
    }
    str_addf(out, "host '%s' answers through %s", path->name,
             segment_type_word(type));
    note_size(path, out);
    str_add(out, "\n");
}

uint64_t
serve_probe_count(const struct serve_probe *s, enum probe_result result)
{
    return s->n_results[result];
}

uint64_t
serve_probe_count_event(const struct serve_probe *s, enum path_event event)
{
    return s->n_events[event];
}

/* ---- Making and ending ---- */

struct serve_probe *
serve_probe_create(const struct service_host *host, msec interval)
{
    struct serve_probe *s = xzalloc(sizeof *s);

    s->host = host;
    s->interval = (usec) interval * 1000;
    s->key = hash_key_random();
    id_map_init(&s->by_key);
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(host->loop, s->timer);
    packet_in_serve_all(host->packet_ins, SERVICE_PROBE, on_packet, s);
    return s;
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
serve_probe_destroy(struct serve_probe *s)
{
    struct probe_path *path;

    if (!s) {
        return;
    }
    uv_close((uv_handle_t *) s->timer, free_handle);
    ID_MAP_FOR_EACH (path, &s->by_key) {
        free(path);
    }
    id_map_fini(&s->by_key);
    free(s->paths);
    free(s);
}
