#include "service/next_hops.h"

#include <stdlib.h>

#include "lib/hash.h"
#include "lib/hmap.h"
#include "lib/str.h"
#include "packet/address.h"

/* RFC 4861 section 10; msec.  A silent hop that is kept is asked again. */
enum { RETRANS = 1000, N_TRIES = 3, REACHABLE = 30000, SILENCE = 3000,
       KEPT_SILENCE = 5000, LIFETIME = 20 * 60 * 1000 };

const struct next_hops_limits next_hops_default_limits = {
    .max = 8192, .max_of_place = 1024, .max_waiting_size = 4 * 1024 * 1024,
};

static const char *const names[N_NEXT_HOPS_EVENTS] = {
#define X(ID, NAME) [ID] = NAME,
    NEXT_HOPS_EVENTS(X)
#undef X
};

const char *
next_hops_event_name(enum next_hops_event event)
{
    return names[event];
}

struct hop {
    struct hmap_node by_id;
    struct next_hop hop;
    bool is_said;                 /* that it is silent */
    unsigned int n_asked;         /* without an answer */
    msec due;                     /* what comes next */
    msec until;                   /* then it is forgotten, unless kept */
    unsigned int n_waiting;
    struct next_hop_packet waiting[NEXT_HOP_MAX_WAITING];
};

struct next_hops {
    struct next_hops_limits limits;
    struct next_hops_watch watch;
    struct hmap by_id;
    size_t waiting_size;          /* of all packets that wait */
    uint64_t n[N_NEXT_HOPS_EVENTS];
};

static uint64_t
id_of(uint64_t place, const struct ip6_addr *address)
{
    /* It is kept in nothing that outlives the process, but two processes shall
     * agree on a flow's place: the key is fixed, and the number of hops
     * bounded. */
    static const struct hash_key key = { UINT64_C(0x6e6578742d686f70) };

    return hash_bytes((struct hash_key) { hash_u64(key, place) }, address,
                      sizeof *address);
}

struct next_hops *
next_hops_create(const struct next_hops_limits *limits,
                 const struct next_hops_watch *watch)
{
    struct next_hops *h = xzalloc(sizeof *h);

    h->limits = *limits;
    h->watch = *watch;
    return h;
}

static void
free_hop(struct hop *hop)
{
    for (unsigned int i = 0; i < hop->n_waiting; i++) {
        free(hop->waiting[i].frame);
    }
    free(hop);
}

void
next_hops_destroy(struct next_hops *h)
{
    if (!h) {
        return;
    }
    HMAP_FOR_EACH_SAFE (node, &h->by_id) {
        free_hop(CONTAINER_OF(node, struct hop, by_id));
    }
    hmap_fini(&h->by_id);
    free(h);
}

static struct hop *
find(const struct next_hops *h, uint64_t id)
{
    struct hmap_node *node = hmap_first_with_hash(&h->by_id, id);

    return node ? CONTAINER_OF(node, struct hop, by_id) : NULL;
}

const struct next_hop *
next_hops_by_id(const struct next_hops *h, uint64_t id)
{
    const struct hop *hop = find(h, id);

    return hop ? &hop->hop : NULL;
}

static struct hop *
find_at(const struct next_hops *h, uint64_t place,
        const struct ip6_addr *address)
{
    struct hop *hop = find(h, id_of(place, address));

    return hop && hop->hop.place == place
           && ip6_addr_eq(hop->hop.address, *address) ? hop : NULL;
}

const struct next_hop *
next_hops_find(const struct next_hops *h, uint64_t place,
               const struct ip6_addr *address)
{
    const struct hop *hop = find_at(h, place, address);

    return hop ? &hop->hop : NULL;
}

const struct next_hop *
next_hops_next(const struct next_hops *h, const struct next_hop *after)
{
    const struct hop *hop = after ? CONTAINER_OF(after, struct hop, hop)
                                  : NULL;
    struct hmap_node *node = hmap_next(&h->by_id, hop ? &hop->by_id : NULL);

    return node ? &CONTAINER_OF(node, struct hop, by_id)->hop : NULL;
}

uint64_t
next_hops_count(const struct next_hops *h, enum next_hops_event event)
{
    return h->n[event];
}

/* ---- Asking ---- */

/* The last question is for all: a station may have another MAC by now. */
static void
ask(struct next_hops *h, struct hop *hop, msec now)
{
    const struct eth_addr *mac = hop->hop.state == NEXT_HOP_PROBED
                                 && hop->n_asked < N_TRIES - 1
                                 ? &hop->hop.mac : NULL;

    hop->n_asked++;
    hop->due = now + RETRANS;
    h->n[NEXT_HOPS_ASKED]++;
    h->watch.ask(h->watch.aux, &hop->hop, mac);
}

static void
begin(struct next_hops *h, struct hop *hop, msec now)
{
    hop->hop.state = NEXT_HOP_ASKED;
    hop->n_asked = 0;
    ask(h, hop, now);
}

static unsigned int
count_of_place(const struct next_hops *h, uint64_t place)
{
    unsigned int n = 0;

    HMAP_FOR_EACH_SAFE (node, &h->by_id) {
        n += CONTAINER_OF(node, struct hop, by_id)->hop.place == place;
    }
    return n;
}

/* Nobody was asked yet.  NULL: there is no room. */
static struct hop *
insert(struct next_hops *h, uint64_t place, const struct ip6_addr *address,
       msec now)
{
    uint64_t id = id_of(place, address);
    struct hop *hop;

    if (h->by_id.n >= h->limits.max || find(h, id)
        || count_of_place(h, place) >= h->limits.max_of_place) {
        h->n[NEXT_HOPS_FULL]++;
        return NULL;
    }
    hop = xzalloc(sizeof *hop);
    hop->hop = (struct next_hop) { .id = id, .place = place,
                                   .address = *address };
    hop->until = now + LIFETIME;
    hmap_insert(&h->by_id, &hop->by_id, id);
    return hop;
}

/* ---- Packets that wait ---- */

static void
release(struct next_hops *h, struct hop *hop)
{
    unsigned int n = hop->n_waiting;

    hop->n_waiting = 0;
    for (unsigned int i = 0; i < n; i++) {
        h->watch.release(h->watch.aux, &hop->hop, &hop->waiting[i]);
        h->waiting_size -= hop->waiting[i].len;
        free(hop->waiting[i].frame);
    }
}

/* The oldest goes first: who sent it has given up soonest. */
static void
wait_for(struct next_hops *h, struct hop *hop, const void *frame, size_t len,
         uint64_t from)
{
    if (hop->n_waiting == NEXT_HOP_MAX_WAITING) {
        h->n[NEXT_HOPS_QUEUE_FULL]++;
        h->waiting_size -= hop->waiting[0].len;
        free(hop->waiting[0].frame);
        hop->n_waiting--;
        memmove(&hop->waiting[0], &hop->waiting[1],
                hop->n_waiting * sizeof hop->waiting[0]);
    }
    if (h->waiting_size + len > h->limits.max_waiting_size) {
        h->n[NEXT_HOPS_QUEUE_FULL]++;
        return;
    }
    h->waiting_size += len;
    hop->waiting[hop->n_waiting++] = (struct next_hop_packet) {
        len, xmemdup(frame, len), from,
    };
}

bool
next_hops_send(struct next_hops *h, uint64_t place,
               const struct ip6_addr *address, const void *frame, size_t len,
               uint64_t from, msec now)
{
    struct hop *hop = find_at(h, place, address);

    if (!hop) {
        hop = insert(h, place, address, now);
        if (!hop) {
            return false;
        }
        begin(h, hop, now);
    }
    if (hop->hop.state == NEXT_HOP_SILENT && now >= hop->due) {
        begin(h, hop, now);
    }
    wait_for(h, hop, frame, len, from);
    if (hop->hop.state != NEXT_HOP_ASKED) {
        release(h, hop);
    }
    return true;
}

void
next_hops_keep(struct next_hops *h, uint64_t place,
               const struct ip6_addr *address, bool is_kept, msec now)
{
    struct hop *hop = find_at(h, place, address);

    if (!hop && is_kept) {
        hop = insert(h, place, address, now);
        if (hop) {
            begin(h, hop, now);
        }
    }
    if (hop && hop->hop.is_kept != is_kept) {
        hop->hop.is_kept = is_kept;
        hop->until = now + LIFETIME;
    }
}

void
next_hops_heard(struct next_hops *h, uint64_t place,
                const struct ip6_addr *address, struct eth_addr mac, msec now)
{
    struct hop *hop = find_at(h, place, address);
    bool is_news;

    if (!hop) {
        return;
    }
    is_news = !next_hop_is_known(&hop->hop)
              || !eth_addr_eq(hop->hop.mac, mac);
    hop->hop.mac = mac;
    hop->hop.state = NEXT_HOP_KNOWN;
    hop->is_said = false;
    hop->n_asked = 0;
    hop->due = now + REACHABLE;
    if (is_news) {
        h->n[NEXT_HOPS_LEARNED]++;
        h->watch.changed(h->watch.aux, &hop->hop);
    }
    release(h, hop);
}

void
next_hops_adopt(struct next_hops *h, uint64_t place,
                const struct ip6_addr *address, struct eth_addr mac, msec now)
{
    struct hop *hop = find_at(h, place, address);

    if (!hop) {
        hop = insert(h, place, address, now);
    }
    if (hop && !next_hop_is_known(&hop->hop)) {
        next_hops_heard(h, place, address, mac, now);
        hop->due = now + RETRANS;
    }
}

void
next_hops_again(struct next_hops *h, msec now)
{
    HMAP_FOR_EACH_SAFE (node, &h->by_id) {
        struct hop *hop = CONTAINER_OF(node, struct hop, by_id);

        if (hop->hop.state == NEXT_HOP_ASKED
            || (hop->hop.state == NEXT_HOP_SILENT && hop->hop.is_kept)) {
            begin(h, hop, now);
        }
    }
}

/* ---- Time ---- */

static void
forget(struct next_hops *h, struct hop *hop)
{
    bool was_known = next_hop_is_known(&hop->hop);

    hop->hop.state = NEXT_HOP_SILENT;
    release(h, hop);
    hmap_remove(&h->by_id, &hop->by_id);
    if (was_known) {
        h->watch.changed(h->watch.aux, &hop->hop);
    }
    h->n[NEXT_HOPS_FORGOTTEN]++;
    free_hop(hop);
}

void
next_hops_forget_place(struct next_hops *h, uint64_t place)
{
    HMAP_FOR_EACH_SAFE (node, &h->by_id) {
        struct hop *hop = CONTAINER_OF(node, struct hop, by_id);

        if (hop->hop.place == place) {
            forget(h, hop);
        }
    }
}

static void
give_up(struct next_hops *h, struct hop *hop, msec now)
{
    bool was_known = next_hop_is_known(&hop->hop);

    hop->hop.state = NEXT_HOP_SILENT;
    hop->due = now + (hop->hop.is_kept ? KEPT_SILENCE : SILENCE);
    h->n[NEXT_HOPS_SILENT]++;
    if (was_known || (hop->hop.is_kept && !hop->is_said)) {
        hop->is_said = true;
        h->watch.changed(h->watch.aux, &hop->hop);
    }
    release(h, hop);
}

static void
run_one(struct next_hops *h, struct hop *hop, msec now)
{
    switch (hop->hop.state) {
    case NEXT_HOP_ASKED: case NEXT_HOP_PROBED:
        if (hop->n_asked < N_TRIES) {
            ask(h, hop, now);
        } else {
            give_up(h, hop, now);
        }
        return;
    case NEXT_HOP_KNOWN:
        hop->hop.state = NEXT_HOP_PROBED;
        ask(h, hop, now);
        return;
    case NEXT_HOP_SILENT:
        if (hop->hop.is_kept) {
            begin(h, hop, now);
        } else {
            forget(h, hop);
        }
        return;
    }
}

msec
next_hops_run(struct next_hops *h, msec now)
{
    msec next = INT64_MAX;

    HMAP_FOR_EACH_SAFE (node, &h->by_id) {
        struct hop *hop = CONTAINER_OF(node, struct hop, by_id);

        if (now >= hop->until && !hop->hop.is_kept
            && hop->hop.state != NEXT_HOP_ASKED) {
            forget(h, hop);
        } else if (now >= hop->due) {
            run_one(h, hop, now);
        }
    }
    HMAP_FOR_EACH_SAFE (node, &h->by_id) {
        next = MIN(next, CONTAINER_OF(node, struct hop, by_id)->due);
    }
    return next;
}
