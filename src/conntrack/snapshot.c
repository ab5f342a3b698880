/* Connections on their way from one process to the next.
 *
 *     "weft-ct\n", version, flags, size of a record   8 + 4 + 2 + 2 bytes
 *     records, each of that size
 *     a record's worth of zeros
 *     hash of everything before (XXH3)                8 bytes
 *
 * All in network byte order.  A record says how long its connection has left, not
 * when it ends: clocks of two boots have nothing in common. */
#include <xxhash.h>

#include "conntrack/conntrack_impl.h"
#include "conntrack/tcp.h"
#include "lib/str.h"
#include "packet/cursor.h"

enum {
    VERSION = 1,
    HEADER_LEN = 16,
    RECORD_LEN = 160,
    CHUNK = 256,              /* records written at once */

    FLAG_GOES_ON = 1,         /* of the whole */
    FLAG_ANSWERED = 1, FLAG_MAPPED = 2, FLAG_OPEN = 4,
};

static const char magic[8] = "weft-ct\n";

/* ---- Write ---- */

struct writer {
    int (*write)(void *aux, const void *, size_t);
    void *aux;
    int err;
    size_t n;
    XXH3_state_t *hash;
    uint8_t bytes[CHUNK * RECORD_LEN];
};

static void
flush(struct writer *w)
{
    if (w->n && !w->err) {
        XXH3_64bits_update(w->hash, w->bytes, w->n);
        w->err = w->write(w->aux, w->bytes, w->n);
    }
    w->n = 0;
}

static void
put(struct writer *w, const void *bytes, size_t len)
{
    memcpy(w->bytes + w->n, bytes, len);
    w->n += len;
}

static void
put8(struct writer *w, uint8_t value)
{
    put(w, &value, 1);
}

static void
put16(struct writer *w, uint16_t value)
{
    be16 be = htobe16(value);

    put(w, &be, sizeof be);
}

static void
put32(struct writer *w, uint32_t value)
{
    be32 be = htobe32(value);

    put(w, &be, sizeof be);
}

static void
put64(struct writer *w, uint64_t value)
{
    be64 be = htobe64(value);

    put(w, &be, sizeof be);
}

static void
put_tuple(struct writer *w, const struct ct_tuple *t)
{
    put(w, t->src.b, sizeof t->src.b);
    put(w, t->dst.b, sizeof t->dst.b);
    put(w, &t->src_port, 2);
    put(w, &t->dst_port, 2);
}

static void
put_peer(struct writer *w, const struct ct_peer *peer)
{
    put32(w, peer->end);
    put32(w, peer->limit);
    put16(w, peer->window);
    put8(w, peer->scale);
    put8(w, peer->state);
}

/* Whose mapping a session uses, by its two directions: the inside that was
 * translated, or to which it was led. */
static struct nat_inside
inside_of(const struct ct_tuple tuples[2], uint8_t nat)
{
    const struct ct_tuple *in = &tuples[0], *out = &tuples[1];
    bool is_ours = nat & FLOW_CT_SNAT;

    return (struct nat_inside) {
        .zone = in->zone, .family = in->family, .proto = in->proto,
        .addr = is_ours ? in->src : out->src,
        .port = is_ours ? in->src_port : out->src_port,
    };
}

static bool
has_open_mapping(const struct nat_map *nat, const struct ct_conn *conn)
{
    const struct ct_tuple tuples[2] = { ct_conn_tuple(conn, 0),
                                        ct_conn_tuple(conn, 1) };
    struct nat_inside inside = inside_of(tuples, conn->nat);

    return conn->mapping && nat_map_is_open(nat, conn->mapping, &inside);
}

static void
put_conn(struct writer *w, const struct nat_map *nat,
         const struct ct_conn *conn, msec now)
{
    size_t begin = w->n;

    put8(w, conn->family);
    put8(w, conn->proto);
    put16(w, conn->zone);
    put8(w, (conn->is_answered ? FLAG_ANSWERED : 0)
            | (conn->mapping ? FLAG_MAPPED : 0)
            | (has_open_mapping(nat, conn) ? FLAG_OPEN : 0));
    put8(w, conn->nat);
    put16(w, 0);
    put64(w, (uint64_t) (atomic_load(&conn->expires) - now));
    for (unsigned int dir = 0; dir < 2; dir++) {
        struct ct_tuple tuple = ct_conn_tuple(conn, dir);

        put_tuple(w, &tuple);
    }
    for (unsigned int dir = 0; dir < 2; dir++) {
        put_peer(w, &conn->peers[dir]);
    }
    put32(w, conn->mark);
    put(w, conn->label.b, sizeof conn->label.b);
    put64(w, conn->bytes[0]);
    put64(w, conn->bytes[1]);
    memset(w->bytes + w->n, 0, begin + RECORD_LEN - w->n);
    w->n = begin + RECORD_LEN;
    if (w->n == sizeof w->bytes) {
        flush(w);
    }
}

static void
put_all(struct writer *w, struct conntrack *ct, bool goes_on, msec now)
{
    uint32_t n = ct_table_n_places(ct->table);

    put(w, magic, sizeof magic);
    put32(w, VERSION);
    put16(w, goes_on ? FLAG_GOES_ON : 0);
    put16(w, RECORD_LEN);
    flush(w);
    for (uint32_t id = 0; id < n && !w->err; id++) {
        struct ct_conn *conn = ct_lock_place(ct, id, now);

        if (conn) {
            put_conn(w, ct->nat, conn, now);
            ct_conn_unlock(conn);
        }
    }
    flush(w);
    memset(w->bytes, 0, RECORD_LEN);
    w->n = RECORD_LEN;
    flush(w);
}

int
conntrack_save(struct conntrack *ct, bool goes_on, msec now,
               int (*write)(void *aux, const void *, size_t), void *aux)
{
    struct writer *w = xzalloc(sizeof *w);
    be64 hash;
    int err;

    w->write = write;
    w->aux = aux;
    w->hash = XXH3_createState();
    XXH3_64bits_reset(w->hash);
    put_all(w, ct, goes_on, now);
    hash = htobe64(XXH3_64bits_digest(w->hash));
    err = w->err ? w->err : write(aux, &hash, sizeof hash);
    XXH3_freeState(w->hash);
    free(w);
    return err;
}

/* ---- Read ---- */

struct record {
    struct ct_tuple tuples[2];
    struct ct_peer peers[2];
    uint8_t flags, nat;
    uint32_t mark;
    uint64_t left;
    struct ip6_addr label;
    uint64_t bytes[2];
};

static void
get_bytes(struct cursor *c, void *to, size_t len)
{
    const uint8_t *p = cursor_take(c, len);

    if (p) {
        memcpy(to, p, len);
    }
}

static void
get_record(struct cursor *c, struct record *r)
{
    struct ct_tuple head = { .family = cursor_u8(c) };

    memset(r, 0, sizeof *r);
    head.proto = cursor_u8(c);
    head.zone = cursor_u16(c);
    r->flags = cursor_u8(c);
    r->nat = cursor_u8(c) & (FLOW_CT_SNAT | FLOW_CT_DNAT);
    cursor_skip(c, 2);
    r->left = cursor_u64(c);
    for (unsigned int dir = 0; dir < 2; dir++) {
        r->tuples[dir] = head;
        get_bytes(c, r->tuples[dir].src.b, 16);
        get_bytes(c, r->tuples[dir].dst.b, 16);
        get_bytes(c, &r->tuples[dir].src_port, 2);
        get_bytes(c, &r->tuples[dir].dst_port, 2);
    }
    for (unsigned int dir = 0; dir < 2; dir++) {
        struct ct_peer *peer = &r->peers[dir];

        peer->end = cursor_u32(c);
        peer->limit = cursor_u32(c);
        peer->window = cursor_u16(c);
        peer->scale = cursor_u8(c);
        peer->state = cursor_u8(c);
    }
    r->mark = cursor_u32(c);
    get_bytes(c, r->label.b, sizeof r->label.b);
    r->bytes[0] = cursor_u64(c);
    r->bytes[1] = cursor_u64(c);
}

/* IPv4 addresses are four bytes; what lies behind them would be another tuple. */
static bool
is_sound(const struct record *r)
{
    static const uint8_t zeros[12];
    uint8_t family = r->tuples[0].family;

    for (unsigned int dir = 0; dir < 2; dir++) {
        const struct ct_tuple *t = &r->tuples[dir];

        if (family == 4 && (memcmp(t->src.b + 4, zeros, sizeof zeros)
                            || memcmp(t->dst.b + 4, zeros, sizeof zeros))) {
            return false;
        }
        if (!ct_state_is_known(t->proto, &r->peers[dir])) {
            return false;
        }
    }
    return family == 4 || family == 6;
}

/* The mapping that it used; 0: it cannot be had any more. */
static uint32_t
restore_mapping(struct conntrack *ct, const struct record *r)
{
    const struct ct_tuple *in = &r->tuples[0], *out = &r->tuples[1];
    bool is_icmp = ct_proto_is_icmp(in->proto);
    struct nat_inside inside = inside_of(r->tuples, r->nat);

    if (r->nat & FLOW_CT_SNAT) {
        return nat_map_restore(ct->nat, &inside, &out->dst,
                               is_icmp ? out->src_port : out->dst_port);
    }
    return (r->flags & FLAG_OPEN ? nat_map_restore : nat_map_hold)(
        ct->nat, &inside, &in->dst, is_icmp ? in->src_port : in->dst_port);
}

static bool
insert(struct conntrack *ct, unsigned int slot, const struct record *r,
       bool is_adrift, msec now)
{
    uint32_t mapping = 0;
    struct ct_conn *conn;

    if (!ct_zones_add(&ct->zones, r->tuples[0].zone)) {
        return false;
    }
    if (r->flags & FLAG_MAPPED) {
        mapping = restore_mapping(ct, r);
        if (!mapping) {
            goto give_up_zone;
        }
    }
    conn = ct_table_alloc(ct->table, slot, &r->tuples[0], &r->tuples[1]);
    if (!conn) {
        goto give_up_mapping;
    }
    memcpy(conn->peers, r->peers, sizeof conn->peers);
    memcpy(conn->bytes, r->bytes, sizeof conn->bytes);
    if (is_adrift && conn->proto == IP_PROTO_TCP) {
        tcp_cast_adrift(conn);
    }
    conn->is_answered = r->flags & FLAG_ANSWERED;
    conn->nat = r->nat;
    conn->mapping = mapping;
    conn->mark = r->mark;
    conn->label = r->label;
    atomic_store(&conn->expires, now + (msec) MIN(r->left, INT64_MAX / 2u));
    if (ct_table_insert(ct->table, slot, conn,
                        ct_table_hash(ct->table, &r->tuples[0]),
                        ct_table_hash(ct->table, &r->tuples[1]))) {
        ct_conn_unlock(conn);
        CT_COUNT(ct, slot, created, 1);
        return true;
    }

give_up_mapping:
    if (mapping) {
        nat_map_put(ct->nat, mapping);
    }
give_up_zone:
    ct_zones_subtract(&ct->zones, r->tuples[0].zone);
    return false;
}

/* Sessions that were led to an inside may use another's mapping: its own come
 * first, whatever the order in which they were written. */
static bool
is_guest(const uint8_t record[RECORD_LEN])
{
    uint8_t flags = record[4], nat = record[5];

    return flags & FLAG_MAPPED && !(flags & FLAG_OPEN || nat & FLOW_CT_SNAT);
}

/* Those that are guests, or the others. */
static uint32_t
load_some(struct conntrack *ct, unsigned int slot, struct cursor c,
          bool are_guests, bool is_adrift, msec down, msec now)
{
    uint32_t n = 0;

    while (cursor_left(&c)) {
        const uint8_t *bytes = cursor_take(&c, RECORD_LEN);
        struct cursor one = cursor_init(bytes, RECORD_LEN);
        struct record r;

        if (is_guest(bytes) != are_guests) {
            continue;
        }
        get_record(&one, &r);
        if (is_sound(&r) && r.left > (uint64_t) MAX(down, 0)) {
            r.left -= (uint64_t) MAX(down, 0);
            n += insert(ct, slot, &r, is_adrift, now);
        }
    }
    return n;
}

static bool
is_whole(const uint8_t *data, size_t size)
{
    return size >= HEADER_LEN + RECORD_LEN + sizeof(be64)
           && (size - HEADER_LEN - sizeof(be64)) % RECORD_LEN == 0
           && !memcmp(data, magic, sizeof magic)
           && be32toh(get_be32(data + 8)) == VERSION
           && be16toh(get_be16(data + 14)) == RECORD_LEN
           && be64toh(get_be64(data + size - sizeof(be64)))
              == XXH3_64bits(data, size - sizeof(be64));
}

int
conntrack_load(struct conntrack *ct, unsigned int slot, const void *data,
               size_t size, msec down, msec now, uint32_t *n_loaded)
{
    struct cursor c;
    bool is_adrift;

    if (!is_whole(data, size)) {
        return -EBADMSG;
    }
    is_adrift = be16toh(get_be16((const uint8_t *) data + 12)) & FLAG_GOES_ON;
    c = cursor_init((const uint8_t *) data + HEADER_LEN,
                    size - HEADER_LEN - sizeof(be64) - RECORD_LEN);
    *n_loaded = load_some(ct, slot, c, false, is_adrift, down, now);
    *n_loaded += load_some(ct, slot, c, true, is_adrift, down, now);
    return 0;
}
