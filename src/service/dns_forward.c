#include "service/dns_forward.h"

#include <stdlib.h>

#include "lib/hash.h"
#include "service/dns_cache.h"
#include "service/dns_relay.h"

enum {
    DEFAULT_PENDING = 1024,
    DEFAULT_PER_PORT = 64,
    WAITERS_PER_PENDING = 4,      /* on average */
    QUOTA_CELLS = 4096,
    MAX_PENDING = 16384,          /* leaves ids enough to draw from */
};

struct waiter {
    struct waiter *next;
    struct dns_client client;
    struct dns_query query;
};

struct pending {
    struct pending *prev, *next;  /* in order of `due`; free ones by next */
    struct pending *same_bucket;
    struct pending *same_id_bucket;
    struct waiter *waiters;       /* newest first */
    struct dns_query query;       /* as it is asked */
    struct dns_cache_key key;
    unsigned int upstream, source;
    unsigned int n_tries;
    msec due;
};

struct dns_forward {
    struct dns_forward_options options;
    struct hash_key hash_key;
    struct dns_cache *cache;
    unsigned int preferred;       /* upstream, that answered */

    unsigned int n_pending;
    struct pending *pending;      /* all of them */
    struct pending *free_pending;
    struct pending *oldest, *newest;
    struct pending **buckets;     /* by key */
    struct pending **ids;         /* by query.id, modulo max_pending */

    struct waiter *waiters;
    struct waiter *free_waiters;
    /* Waiters by port, hashed: two ports may share a cell, nobody can choose
     * with whom. */
    uint16_t quota[QUOTA_CELLS];
};

struct dns_forward *
dns_forward_create(const struct dns_forward_options *options)
{
    struct dns_forward *f = xzalloc(sizeof *f);
    unsigned int n;

    f->options = *options;
    if (!f->options.max_pending) {
        f->options.max_pending = DEFAULT_PENDING;
    }
    if (!f->options.max_per_port) {
        f->options.max_per_port = DEFAULT_PER_PORT;
    }
    n = f->options.max_pending = MIN(f->options.max_pending,
                                     (unsigned int) MAX_PENDING);
    f->hash_key = hash_key_random();
    f->cache = dns_cache_create(options->cache_size);
    f->buckets = xcalloc(n, sizeof *f->buckets);
    f->ids = xcalloc(n, sizeof *f->ids);
    f->pending = xcalloc(n, sizeof *f->pending);
    for (unsigned int i = 0; i < n; i++) {
        f->pending[i].next = f->free_pending;
        f->free_pending = &f->pending[i];
    }
    n *= WAITERS_PER_PENDING;
    f->waiters = xcalloc(n, sizeof *f->waiters);
    for (unsigned int i = 0; i < n; i++) {
        f->waiters[i].next = f->free_waiters;
        f->free_waiters = &f->waiters[i];
    }
    return f;
}

void
dns_forward_destroy(struct dns_forward *f)
{
    if (f) {
        dns_cache_destroy(f->cache);
        free(f->waiters);
        free(f->pending);
        free(f->ids);
        free(f->buckets);
        free(f);
    }
}

unsigned int
dns_forward_n_pending(const struct dns_forward *f)
{
    return f->n_pending;
}

static enum dns_event
count(struct dns_forward *f, enum dns_event event)
{
    f->options.counters->n[event]++;
    return event;
}

/* --- The table ---------------------------------------------------------- */

static uint16_t *
quota_cell(struct dns_forward *f, const struct dns_client *client)
{
    uint64_t hash = hash_u64(f->hash_key, client->port);

    return &f->quota[hash % QUOTA_CELLS];
}

static struct pending **
bucket_of(struct dns_forward *f, const struct dns_cache_key *key)
{
    struct dns_name name = key->name;
    uint64_t hash;

    dns_name_fold(&name);
    hash = hash_bytes(f->hash_key, name.wire, name.len);
    hash = hash_step(f->hash_key, hash, key->network);
    hash = hash_step(f->hash_key, hash, key->type);
    return &f->buckets[hash % f->options.max_pending];
}

static struct pending *
find_pending(struct dns_forward *f, const struct dns_cache_key *key)
{
    struct pending *p = *bucket_of(f, key);

    while (p && (p->key.network != key->network || p->key.type != key->type
                 || p->key.dnssec_ok != key->dnssec_ok
                 || p->key.checking_disabled != key->checking_disabled
                 || !dns_name_eq(&p->key.name, &key->name))) {
        p = p->same_bucket;
    }
    return p;
}

static void
append(struct dns_forward *f, struct pending *p)
{
    p->prev = f->newest;
    p->next = NULL;
    if (f->newest) {
        f->newest->next = p;
    } else {
        f->oldest = p;
    }
    f->newest = p;
}

static void
take_out(struct dns_forward *f, struct pending *p)
{
    if (p->prev) {
        p->prev->next = p->next;
    } else {
        f->oldest = p->next;
    }
    if (p->next) {
        p->next->prev = p->prev;
    } else {
        f->newest = p->prev;
    }
}

static struct pending *
add_pending(struct dns_forward *f, const struct dns_cache_key *key)
{
    struct pending *p = f->free_pending;
    struct pending **bucket = bucket_of(f, key);

    f->free_pending = p->next;
    *p = (struct pending) { .key = *key, .same_bucket = *bucket };
    *bucket = p;
    f->n_pending++;
    append(f, p);
    return p;
}

static struct pending **
id_bucket(const struct dns_forward *f, uint16_t id)
{
    return &f->ids[id % f->options.max_pending];
}

static struct pending *
find_id(const struct dns_forward *f, uint16_t id)
{
    struct pending *p = *id_bucket(f, id);

    while (p && p->query.id != id) {
        p = p->same_id_bucket;
    }
    return p;
}

/* Of one that was never asked: nothing. */
static void
forget_id(struct dns_forward *f, struct pending *p)
{
    struct pending **link = id_bucket(f, p->query.id);

    while (*link && *link != p) {
        link = &(*link)->same_id_bucket;
    }
    if (*link) {
        *link = p->same_id_bucket;
    }
}

static void
remember_id(struct dns_forward *f, struct pending *p, uint16_t id)
{
    struct pending **bucket = id_bucket(f, id);

    p->query.id = id;
    p->same_id_bucket = *bucket;
    *bucket = p;
}

static void
remove_pending(struct dns_forward *f, struct pending *p)
{
    struct pending **link = bucket_of(f, &p->key);

    while (*link != p) {
        link = &(*link)->same_bucket;
    }
    *link = p->same_bucket;
    forget_id(f, p);
    take_out(f, p);
    f->n_pending--;
    p->next = f->free_pending;
    f->free_pending = p;
}

static void
add_waiter(struct dns_forward *f, struct pending *p,
           const struct dns_query *query, const struct dns_client *client)
{
    struct waiter *w = f->free_waiters;

    f->free_waiters = w->next;
    *w = (struct waiter) { .next = p->waiters, .client = *client,
                           .query = *query };
    p->waiters = w;
    ++*quota_cell(f, client);
}

/* Answers everybody who waits, with a message or with SERVFAIL, and forgets the
 * question first: a reply() may ask anew. */
static void
finish(struct dns_forward *f, struct pending *p,
       const struct dns_clean *clean)
{
    struct waiter *next;
    struct waiter *w = p->waiters;

    remove_pending(f, p);
    for (; w; w = next) {
        struct dns_reply reply;
        struct dns_client client = w->client;

        if (clean) {
            dns_relay(clean->data, clean->len, 0, &w->query, &reply);
        } else {
            dns_reply_error(&reply, &w->query, DNS_SERVFAIL);
        }
        next = w->next;
        --*quota_cell(f, &client);
        w->next = f->free_waiters;
        f->free_waiters = w;
        f->options.reply(&client, &reply, f->options.aux);
    }
}

/* --- Asking ------------------------------------------------------------- */

static uint32_t
draw(struct dns_forward *f)
{
    return f->options.random(f->options.aux);
}

/* An id that is not in use: three quarters of them never are. */
static uint16_t
draw_id(struct dns_forward *f)
{
    uint16_t id = (uint16_t) draw(f);

    while (find_id(f, id)) {
        id++;
    }
    return id;
}

/* Id and source are drawn anew for each try. */
static void
ask(struct dns_forward *f, struct pending *p, unsigned int upstream,
    msec now)
{
    uint8_t data[DNS_UDP_MIN];
    size_t len;

    forget_id(f, p);
    remember_id(f, p, draw_id(f));
    p->upstream = upstream;
    p->source = draw(f) % f->options.n_sources;
    p->due = now + DNS_FORWARD_TIMEOUT;
    p->n_tries++;
    take_out(f, p);
    append(f, p);
    len = dns_query_encode(&p->query, data, sizeof data);
    f->options.ask(p->upstream, p->source, data, len, f->options.aux);
}

static bool
ask_next(struct dns_forward *f, struct pending *p, msec now)
{
    unsigned int next = (p->upstream + 1) % MAX(f->options.n_upstreams, 1u);

    if (p->n_tries >= DNS_FORWARD_TRIES || !f->options.n_upstreams) {
        return false;
    }
    if (f->preferred == p->upstream) {
        f->preferred = next;
    }
    ask(f, p, next, now);
    return true;
}

static enum dns_event
refuse(struct dns_forward *f, const struct dns_query *query,
       const struct dns_client *client, enum dns_event why)
{
    struct dns_reply reply;

    dns_reply_error(&reply, query, DNS_SERVFAIL);
    f->options.reply(client, &reply, f->options.aux);
    return count(f, why);
}

static bool
client_eq(const struct dns_client *a, const struct dns_client *b)
{
    return a->network == b->network && a->port == b->port
           && eth_addr_eq(a->mac, b->mac) && a->udp_port == b->udp_port
           && !memcmp(&a->ip, &b->ip, sizeof a->ip)
           && !memcmp(&a->server, &b->server, sizeof a->server);
}

static bool
waits_already(const struct pending *p, const struct dns_query *query,
              const struct dns_client *client)
{
    for (const struct waiter *w = p->waiters; w; w = w->next) {
        if (w->query.id == query->id && client_eq(&w->client, client)) {
            return true;
        }
    }
    return false;
}

static bool
reply_from_cache(struct dns_forward *f, const struct dns_cache_key *key,
                 const struct dns_query *query,
                 const struct dns_client *client, msec now)
{
    struct dns_reply reply;
    uint32_t age;
    size_t len;
    const uint8_t *message = dns_cache_get(f->cache, key, now, &len, &age);

    if (message) {
        dns_relay(message, len, age, query, &reply);
        f->options.reply(client, &reply, f->options.aux);
    }
    return message != NULL;
}

enum dns_event
dns_forward_query(struct dns_forward *f, const struct dns_query *query,
                  const struct dns_client *client, msec now)
{
    const struct dns_cache_key key = {
        .network = client->network,
        .type = query->question.type,
        .dnssec_ok = query->edns.dnssec_ok,
        .checking_disabled = (query->flags & DNS_CD) != 0,
        .name = query->question.name,
    };
    struct pending *p;

    if (reply_from_cache(f, &key, query, client, now)) {
        return count(f, DNS_CACHED);
    }
    p = find_pending(f, &key);
    if (p && waits_already(p, query, client)) {
        return count(f, DNS_DROP_REPEATED);
    }
    if (!f->options.n_upstreams) {
        return refuse(f, query, client, DNS_NO_UPSTREAM);
    }
    if (*quota_cell(f, client) >= f->options.max_per_port) {
        return refuse(f, query, client, DNS_CLIENT_QUOTA);
    }
    if (!f->free_waiters || (!p && !f->free_pending)) {
        return refuse(f, query, client, DNS_TABLE_FULL);
    }
    if (p) {
        add_waiter(f, p, query, client);
        return count(f, DNS_JOINED);
    }
    p = add_pending(f, &key);
    add_waiter(f, p, query, client);
    p->query = (struct dns_query) {
        .flags = (uint16_t) (DNS_RD | (query->flags & DNS_CD)),
        .question = query->question,
        .edns = { .is_there = true, .udp_size = DNS_UDP_MAX,
                  .dnssec_ok = query->edns.dnssec_ok },
    };
    count(f, DNS_ASKED);
    ask(f, p, f->preferred, now);
    return DNS_ASKED;
}

/* --- Answers ------------------------------------------------------------ */

static bool
question_eq(const struct dns_question *a, const struct dns_question *b)
{
    return a->type == b->type && a->class == b->class
           && dns_name_eq(&a->name, &b->name);
}

enum dns_event
dns_forward_answer(struct dns_forward *f, unsigned int upstream,
                   unsigned int source, const void *data, size_t len,
                   msec now)
{
    struct dns_reader r;
    struct dns_clean clean;
    struct pending *p;
    int err = dns_reader_init(&r, data, len);

    if (err == -EBADMSG) {
        return count(f, DNS_DROP_SHORT);
    }
    p = find_id(f, r.header.id);
    if (!p) {
        return count(f, DNS_DROP_STRAY);
    }
    if (p->upstream != upstream || p->source != source) {
        return count(f, DNS_DROP_SENDER);
    }
    if (!(r.header.flags & DNS_QR) || (r.header.flags & DNS_OPCODE_MASK)
        || err || !question_eq(&r.question, &p->query.question)) {
        return count(f, DNS_DROP_QUESTION);
    }
    if (dns_clean(&r, &p->query, &clean)) {
        return count(f, DNS_DROP_BAD_ANSWER);
    }
    f->options.counters->n[DNS_RECORD_IGNORED] += clean.n_ignored;

    if (clean.rcode != DNS_NOERROR && clean.rcode != DNS_NXDOMAIN) {
        if (f->options.n_upstreams > 1 && ask_next(f, p, now)) {
            return count(f, DNS_RETRIED);
        }
    } else {
        f->preferred = upstream;
    }
    dns_cache_put(f->cache, &p->key, clean.data, clean.len, now, clean.ttl);
    count(f, DNS_RELAYED);
    finish(f, p, &clean);
    return DNS_RELAYED;
}

msec
dns_forward_expire(struct dns_forward *f, msec now)
{
    struct pending *p;

    while ((p = f->oldest) && p->due <= now) {
        if (ask_next(f, p, now)) {
            count(f, DNS_RETRIED);
        } else {
            count(f, DNS_CLIENT_TIMEOUT);
            finish(f, p, NULL);
        }
    }
    return p ? p->due : INT64_MAX;
}

void
dns_forward_set_upstreams(struct dns_forward *f, unsigned int n, msec now)
{
    unsigned int n_waiting = f->n_pending;

    f->options.n_upstreams = n;
    f->preferred = 0;
    dns_cache_clear(f->cache);
    while (n && n_waiting--) {
        f->oldest->n_tries = 0;
        ask(f, f->oldest, 0, now);
    }
}
