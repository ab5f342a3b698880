#include "conntrack/fragments.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/str.h"

enum { N_WAYS = 16, N_SETS = FRAGMENTS_MAX / N_WAYS, EXPIRE_SETS = 8 };

struct range {
    uint16_t first, end;      /* bytes of the datagram */
};

struct key {
    struct ip6_addr src, dst;
    uint32_t id;
    uint16_t zone;
    uint8_t family, proto;
};

struct datagram {
    struct key key;
    msec expires;             /* 0: no datagram is here */
    bool is_decided, is_bad;
    uint16_t n_ranges, n_waiting;
    uint32_t n_bytes;         /* seen, */
    uint32_t len;             /* of all; 0: not known yet */
    struct range ranges[FRAGMENTS_RANGES];
    struct fragment_verdict verdict;
    struct packet *waiting;   /* by `next`, the last one first */
};

struct set {
    pthread_mutex_t lock;
    struct datagram *ways;    /* N_WAYS of them */
};

struct fragments {
    struct hash_key key;
    _Atomic uint32_t n_waiting, hand;
    struct set sets[N_SETS];
    struct datagram *datagrams;       /* touched when they are used */
};

struct fragments *
fragments_create(struct hash_key key)
{
    struct fragments *f = xzalloc(sizeof *f);

    f->key = key;
    f->datagrams = xcalloc(FRAGMENTS_MAX, sizeof *f->datagrams);
    for (unsigned int i = 0; i < N_SETS; i++) {
        f->sets[i].ways = f->datagrams + i * N_WAYS;
        pthread_mutex_init(&f->sets[i].lock, NULL);
    }
    return f;
}

static void
free_list(struct packet *pkt)
{
    while (pkt) {
        struct packet *next = pkt->next;

        packet_free(pkt);
        pkt = next;
    }
}

void
fragments_destroy(struct fragments *f)
{
    if (!f) {
        return;
    }
    for (unsigned int i = 0; i < N_SETS; i++) {
        for (unsigned int k = 0; k < N_WAYS; k++) {
            free_list(f->sets[i].ways[k].waiting);
        }
        pthread_mutex_destroy(&f->sets[i].lock);
    }
    free(f->datagrams);
    free(f);
}

/* Who waited; they are the caller's then. */
static struct packet *
take_waiting(struct fragments *f, struct datagram *d)
{
    struct packet *list = d->waiting;

    atomic_fetch_sub(&f->n_waiting, d->n_waiting);
    d->waiting = NULL;
    d->n_waiting = 0;
    return list;
}

static struct key
key_of(const struct ct_packet *p)
{
    return (struct key) {
        .src = p->tuple.src, .dst = p->tuple.dst, .id = p->fragment.id,
        .zone = p->tuple.zone, .family = p->tuple.family,
        .proto = p->tuple.proto,
    };
}

static struct set *
set_of(struct fragments *f, const struct key *key)
{
    return &f->sets[hash_bytes(f->key, key, sizeof *key) % N_SETS];
}

static void
begin(struct fragments *f, struct datagram *d, const struct key *key, msec now)
{
    free_list(take_waiting(f, d));
    memset(d, 0, sizeof *d);
    d->key = *key;
    d->expires = now + FRAGMENTS_TIME;
}

/* The datagram, made if there is room; the set is locked. */
static struct datagram *
find(struct fragments *f, struct set *set, const struct key *key, msec now)
{
    struct datagram *place = NULL;

    for (unsigned int i = 0; i < N_WAYS; i++) {
        struct datagram *d = &set->ways[i];

        if (d->expires > now && !memcmp(&d->key, key, sizeof *key)) {
            return d;
        }
        if (d->expires <= now && !d->waiting) {
            place = d;
        }
    }
    if (place) {
        begin(f, place, key, now);
    }
    return place;
}

/* Adds what the fragment covers. */
static enum fragment_fate
add_range(struct datagram *d, const struct ct_packet *p)
{
    uint32_t first = p->fragment.ofs, end = first + p->fragment.len;

    if (d->is_bad) {
        return FRAGMENT_BAD;
    }
    for (unsigned int i = 0; i < d->n_ranges; i++) {
        const struct range *r = &d->ranges[i];

        if (first == r->first && end == r->end) {
            return FRAGMENT_BAD;
        }
        if (first < r->end && end > r->first) {
            d->is_bad = true;
            return FRAGMENT_BAD;
        }
    }
    if (end > UINT16_MAX || end == first
        || (p->fragment.is_more && (end - first) % 8) || (d->len && end > d->len)
        || (!p->fragment.is_more && d->len)
        || d->n_ranges == FRAGMENTS_RANGES) {
        d->is_bad = true;
        return FRAGMENT_BAD;
    }
    d->ranges[d->n_ranges++] = (struct range) { (uint16_t) first,
                                                (uint16_t) end };
    d->n_bytes += end - first;
    if (!p->fragment.is_more) {
        d->len = end;
    }
    return FRAGMENT_FOUND;
}

static bool
is_complete(const struct datagram *d)
{
    return d->len && d->n_bytes >= d->len;
}

/* The fragment's datagram with the fragment added to it; its set stays locked when
 * the fate is FRAGMENT_FOUND. */
static enum fragment_fate
enter(struct fragments *f, const struct ct_packet *p, bool again, msec now,
      struct set **set, struct datagram **d)
{
    struct key key = key_of(p);
    enum fragment_fate fate = FRAGMENT_FOUND;

    *set = set_of(f, &key);
    pthread_mutex_lock(&(*set)->lock);
    *d = find(f, *set, &key, now);
    if (!*d) {
        fate = FRAGMENT_FULL;
    } else if (!again) {
        if (is_complete(*d)) {
            begin(f, *d, &key, now);      /* the identification again */
        }
        fate = add_range(*d, p);
        if (is_complete(*d)) {
            (*d)->expires = now + FRAGMENTS_LINGER;
        }
    }
    if (fate != FRAGMENT_FOUND) {
        pthread_mutex_unlock(&(*set)->lock);
    }
    return fate;
}

enum fragment_fate
fragments_first(struct fragments *f, const struct ct_packet *p, bool again,
                msec now)
{
    struct datagram *d;
    struct set *set;
    enum fragment_fate fate = enter(f, p, again, now, &set, &d);

    if (fate == FRAGMENT_FOUND) {
        pthread_mutex_unlock(&set->lock);
    }
    return fate;
}

struct packet *
fragments_decided(struct fragments *f, const struct ct_packet *p,
                  const struct fragment_verdict *verdict, msec now)
{
    struct key key = key_of(p);
    struct set *set = set_of(f, &key);
    struct packet *list = NULL;

    pthread_mutex_lock(&set->lock);
    for (unsigned int i = 0; i < N_WAYS; i++) {
        struct datagram *d = &set->ways[i];

        if (d->expires > now && !memcmp(&d->key, &key, sizeof key)) {
            d->verdict = *verdict;
            d->is_decided = true;
            list = take_waiting(f, d);
            break;
        }
    }
    pthread_mutex_unlock(&set->lock);
    return list;
}

enum fragment_fate
fragments_later(struct fragments *f, const struct ct_packet *p,
                struct packet *pkt, bool again, msec now,
                struct fragment_verdict *verdict)
{
    struct datagram *d;
    struct set *set;
    enum fragment_fate fate = enter(f, p, again, now, &set, &d);

    if (fate != FRAGMENT_FOUND) {
        return fate;
    }
    if (d->is_decided) {
        *verdict = d->verdict;
    } else if (d->n_waiting == FRAGMENTS_EACH
               || atomic_load(&f->n_waiting) >= FRAGMENTS_WAITING) {
        fate = FRAGMENT_FULL;
    } else {
        pkt->next = d->waiting;
        d->waiting = pkt;
        d->n_waiting++;
        atomic_fetch_add(&f->n_waiting, 1);
        fate = FRAGMENT_WAITS;
    }
    pthread_mutex_unlock(&set->lock);
    return fate;
}

struct packet *
fragments_expire(struct fragments *f, msec now)
{
    struct packet *list = NULL;

    if (!atomic_load(&f->n_waiting)) {
        return NULL;
    }
    for (unsigned int i = 0; i < EXPIRE_SETS; i++) {
        struct set *set = &f->sets[atomic_fetch_add(&f->hand, 1) % N_SETS];

        pthread_mutex_lock(&set->lock);
        for (unsigned int k = 0; k < N_WAYS; k++) {
            struct datagram *d = &set->ways[k];
            struct packet *waited;

            if (!d->waiting || d->expires > now) {
                continue;
            }
            waited = take_waiting(f, d);
            while (waited) {
                struct packet *next = waited->next;

                waited->next = list;
                list = waited;
                waited = next;
            }
        }
        pthread_mutex_unlock(&set->lock);
    }
    return list;
}

unsigned int
fragments_n_waiting(const struct fragments *f)
{
    return atomic_load(&f->n_waiting);
}
