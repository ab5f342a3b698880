/* DHCP: any bytes to the decoder, and whole lives of clients to the server.
 *
 * The first byte chooses.  Bit 0: the rest is a program, see below.  Bit 1: it
 * is a record of the store.  Bit 2: it is a message as it comes; none: it is
 * options, which lie in file and sname too, and with bit 3 lie there again and
 * again.  What is understood is written again and reads the same.
 *
 * A program is events for a server with 13 addresses and three ports, each a
 * byte (its low half says what, the high half which client) and what it needs:
 *
 *     0-9  a message: type, kinds of addresses in it, flags (1 byte each)
 *     10   the store fails from now on, or not; or is slow and will fail; or
 *          the changes that it was slow with have failed
 *     11   time passes
 *     12   a port dies
 *     13   an address is planned for a port, or a plan is dropped
 *     14   the rest of the program, up to 255 bytes, as a frame
 *     15   a sweep; other ranges; the daemon starts anew from its store
 *
 * After each: the table is sound, no two clients that were told so believe in
 * one address, and each answer reads well and has right checksums.
 *
 * Covers: src/packet/dhcp.c src/packet/udp4.c
 * Covers: src/service/dhcp_fqdn.c
 * Covers: src/service/dhcp_served.c src/service/dhcp_server.c
 * Covers: src/service/lease.c
 * Covers: src/service/lease_index.c src/service/lease_record.c
 * Covers: src/service/address_pool.c src/service/reservation.c */
#include <stdlib.h>

#include "packet/cursor.h"
#include "service/dhcp_server.h"
#include "service/lease_record.h"

enum {
    N_CLIENTS = 8, N_PORTS = 3, MAX_EVENTS = 300,
    NETWORK = 0x0a000000, SERVER = 0x0a000001,
    N_ADDRESSES = 16, TIME = 300,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ports[N_PORTS + 1] = { "p0", "p1", "p2", "bytes" };

struct stored {
    size_t len;                   /* 0: no record */
    uint8_t bytes[LEASE_RECORD_MAX];
};

struct world {
    struct dhcp_server *server;
    struct lease_table *leases;
    unix_sec now;
    struct {
        be32 addr;                /* of its newest ACK; 0: none */
        unix_sec until;
    } belief[N_CLIENTS];
    struct stored store[N_ADDRESSES];     /* by the address's last byte */
    bool store_fails, store_is_slow;
    struct lease_changes pending; /* that the slow store will fail with */
};

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* --- The decoder -------------------------------------------------------- */

static void
check_message(const uint8_t *data, size_t size)
{
    struct dhcp_message msg, again;
    struct dhcp_item items[256];
    uint8_t *out, u8;
    unsigned int n = 0, n_left_out;
    uint16_t u16;
    size_t len;

    if (dhcp_decode(data, size, &msg)) {
        return;
    }
    for (unsigned int code = 1; code < 255; code++) {
        struct dhcp_value v = dhcp_option_find(&msg, (uint8_t) code);

        require(!v.p == !dhcp_option_is_there(&msg, (uint8_t) code));
        dhcp_option_u8(&msg, (uint8_t) code, &u8);
        dhcp_option_u16(&msg, (uint8_t) code, &u16);
        dhcp_sub_option_find(v, DHCP_RELAY_LINK);
        if (v.p && code != DHCP_OPT_OVERLOAD) {
            items[n++] = (struct dhcp_item) { (uint8_t) code,
                                              (uint16_t) v.len, v.p };
        }
    }
    out = malloc(8192);
    len = dhcp_encode(&msg.header, items, n, out,
                      size % 2 ? 8192 : DHCP_MIN_LEN + size % 700,
                      &n_left_out);
    require(!dhcp_decode(out, len, &again));
    for (unsigned int i = 0; i < n; i++) {
        struct dhcp_value v = dhcp_option_find(&again, items[i].code);

        n_left_out -= !v.p;
        require(!v.p || (v.len == items[i].len
                         && !memcmp(v.p, items[i].value, v.len)));
    }
    require(!n_left_out);
    free(out);
}

/* The same bytes wherever options may lie. */
static void
fuzz_options(const uint8_t *data, size_t size, bool again)
{
    static const uint8_t cookie[] = { 0x63, 0x82, 0x53, 0x63 };
    size_t n = again && size ? 4500 / size + 1 : 1;
    size_t len = DHCP_OPTIONS_OFS + n * size;
    uint8_t *msg = calloc(1, len);

    memcpy(msg + 44, data, MIN(size, (size_t) 64));
    memcpy(msg + 108, data, MIN(size, (size_t) 128));
    memcpy(msg + DHCP_HEADER_LEN, cookie, sizeof cookie);
    for (size_t i = 0; i < n; i++) {
        memcpy(msg + DHCP_OPTIONS_OFS + i * size, data, size);
    }
    check_message(msg, len);
    free(msg);
}

static void
fuzz_record(const uint8_t *data, size_t size)
{
    struct lease_options options = { .key = { 1 }, .max_leases = 1 };
    struct lease_table *t;
    uint8_t bytes[LEASE_RECORD_MAX];
    struct lease_record r, again;
    int err;

    if (lease_record_decode(data, size, &r)) {
        return;
    }
    require(lease_record_encode(&r, bytes) == size);
    require(!memcmp(bytes, data, size));
    t = lease_table_create(&options);
    err = lease_import(t, &r, 1000);
    require(lease_lookup(t, r.addr, 1000, &again) == !err);
    if (!err) {
        require(lease_import(t, &r, 1000) == -EEXIST);
        r.addr ^= 1;
        err = lease_import(t, &r, 1000);
        require(err == -ENOSPC || (err == -EINVAL && !r.addr));
    }
    require(lease_table_is_sound(t));
    lease_table_destroy(t);
}

/* --- The server --------------------------------------------------------- */

static struct stored *
slot(struct world *w, be32 addr)
{
    require((be32toh(addr) & ~(uint32_t) (N_ADDRESSES - 1)) == NETWORK);
    return &w->store[be32toh(addr) % N_ADDRESSES];
}

static void
store(const struct lease_change *c, void *w_)
{
    struct stored *s = slot(w_, c->record.addr);

    s->len = c->is_removal ? 0 : lease_record_encode(&c->record, s->bytes);
}

static void
configure(struct world *w, unsigned int n_holes)
{
    static const struct dhcp_item extras[] = { { 43, 3, "abc" } };
    const struct address_span hole = { htobe32(NETWORK + 4),
                                       htobe32(NETWORK + 8) };
    struct dhcp_subnet subnet = {
        .network = htobe32(NETWORK), .prefix_len = 28, .leases = w->leases,
        .n_exclusions = n_holes, .exclusions = &hole,
        .router = htobe32(SERVER), .default_time = TIME, .max_time = TIME,
        .mtu = 1450, .is_rapid = true, .boot_server = "10.0.0.1",
        .boot_file = "boot", .domain = n_holes ? "blue.weft" : NULL,
        .n_extras = 1, .extras = extras,
    };
    struct dhcp_server_config config = {
        .address = htobe32(SERVER), .mac = { { 2, 0, 0, 0, 0, 0xfe } },
        .n_subnets = 1, .subnets = &subnet,
    };

    require(!dhcp_server_configure(w->server, &config, NULL));
}

static void
start(struct world *w)
{
    struct lease_options options = { .key = { 1 }, .max_leases = 16,
                                     .max_per_port = 6 };

    w->server = dhcp_server_create();
    w->leases = lease_table_create(&options);
    w->pending.n = 0;
    configure(w, 0);
    for (unsigned int i = 0; i < N_ADDRESSES; i++) {
        const struct stored *s = &w->store[i];
        struct lease_record r;

        if (s->len) {
            require(!lease_record_decode(s->bytes, s->len, &r));
            require(!lease_import(w->leases, &r, w->now));
        }
    }
}

static void
stop(struct world *w)
{
    dhcp_server_destroy(w->server);
    lease_table_destroy(w->leases);
}

static void
count(const struct lease_record *r, void *n)
{
    require(r->addr);
    ++*(unsigned int *) n;
}

static void
check(const struct world *w)
{
    struct lease_counts counts = lease_table_counts(w->leases);
    unsigned int n = 0;

    require(lease_table_is_sound(w->leases));
    lease_for_each(w->leases, w->now, count, &n);
    require(n == counts.n_leases);
    for (unsigned int i = 0; i < N_CLIENTS; i++) {
        for (unsigned int j = 0; j < i; j++) {
            require(!w->belief[i].addr
                    || w->belief[i].addr != w->belief[j].addr
                    || w->belief[i].until <= w->now
                    || w->belief[j].until <= w->now);
        }
    }
}

/* What the client makes of its answer. */
static void
hear(struct world *w, unsigned int client, const struct dhcp_answer *a)
{
    struct dhcp_message msg;
    struct udp4 udp;
    uint32_t time;

    require(!udp4_decode(a->frame, a->len, &udp));
    require(!dhcp_decode(udp.payload, udp.payload_len, &msg));
    if (a->type == DHCP_OFFER
        && msg.header.yiaddr != w->belief[client].addr) {
        w->belief[client].addr = 0;
    } else if (a->type == DHCP_ACK && msg.header.yiaddr) {
        require(a->changes.n);
        require(dhcp_option_u32(&msg, DHCP_OPT_LEASE_TIME, &time));
        w->belief[client].addr = msg.header.yiaddr;
        w->belief[client].until = w->now + time;
    } else if (a->type == DHCP_NAK) {
        w->belief[client].addr = 0;
    }
}

/* The store cannot keep them: nobody is answered. */
static void
fail(struct world *w, struct lease_changes *changes)
{
    while (changes->n) {
        lease_undo(w->leases, &changes->at[--changes->n]);
    }
}

static void
ask(struct world *w, unsigned int client, const uint8_t *frame, size_t len)
{
    struct dhcp_question q = { frame, len, ports[client % N_PORTS],
                               client & 4 ? NULL : "name", w->now };
    struct dhcp_answer a;
    enum dhcp_verdict verdict = dhcp_server_handle(w->server, &q, &a);

    require((verdict < DHCP_RELEASED) == (a.len > 0));
    if (verdict == DHCP_RELEASED || verdict == DHCP_DECLINED) {
        if (a.addr == w->belief[client].addr) {
            w->belief[client].addr = 0;
        }
    }
    if (a.changes.n && w->store_fails) {
        fail(w, &a.changes);
        return;
    }
    if (a.changes.n && w->store_is_slow && !w->pending.n) {
        w->pending = a.changes;
        return;
    }
    for (unsigned int i = 0; i < a.changes.n; i++) {
        store(&a.changes.at[i], w);
    }
    if (a.len) {
        hear(w, client, &a);
    }
}

static be32
address(const struct world *w, unsigned int client, unsigned int kind)
{
    return kind < 8 ? w->belief[client].addr
                    : htobe32(NETWORK + (kind * 5) % (N_ADDRESSES + 2));
}

static void
send_message(struct world *w, unsigned int client, struct cursor *c)
{
    uint8_t type = cursor_u8(c) % 10, kinds = cursor_u8(c);
    uint8_t flags = cursor_u8(c), mac[6] = { 2, 0, 0, 0, 0, (uint8_t) client };
    be32 server = htobe32(flags & 1 ? SERVER : SERVER + 5);
    be32 wanted = address(w, client, kinds & 15);
    be32 time = htobe32(flags >> 4 ? TIME / (flags >> 4) : UINT32_MAX);
    struct dhcp_header h = { .op = 1, .htype = 1, .hlen = 6 };
    struct udp4 udp = { .ip_dst = UINT32_MAX, .src_port = 68,
                        .dst_port = 67 };
    uint8_t frame[DHCP_FRAME_MAX];
    struct dhcp_item items[10];
    unsigned int n = 0, n_left_out;

    memcpy(h.chaddr, mac, sizeof mac);
    memcpy(udp.eth_src.b, mac, sizeof mac);
    items[n++] = (struct dhcp_item) { DHCP_OPT_TYPE, 1, &type };
    if (kinds & 16) {
        items[n++] = (struct dhcp_item) { DHCP_OPT_SERVER_ID, 4, &server };
    }
    if (kinds & 32) {
        items[n++] = (struct dhcp_item) { DHCP_OPT_REQUESTED_ADDRESS, 4,
                                          &wanted };
    }
    if (kinds & 64) {
        h.ciaddr = address(w, client, flags >> 4);
        udp.ip_src = h.ciaddr;
    }
    if (kinds & 128) {
        items[n++] = (struct dhcp_item) { DHCP_OPT_LEASE_TIME, 4, &time };
    }
    if (flags & 2) {
        items[n++] = (struct dhcp_item) { DHCP_OPT_RAPID_COMMIT, 0, "" };
    }
    if (flags & 4) {
        h.giaddr = htobe32(NETWORK + 9);
        items[n++] = (struct dhcp_item) { DHCP_OPT_RELAY, 4, "\1\2ab" };
    }
    if (flags & 64) {
        items[n++] = flags & 32
            ? (struct dhcp_item) { DHCP_OPT_FQDN, 9, "\4\0\0\4host\0" }
            : (struct dhcp_item) { DHCP_OPT_FQDN, 8, "\1\0\0old.x" };
    }
    if (flags & 8) {
        h.flags = DHCP_BROADCAST;
        items[n++] = (struct dhcp_item) { DHCP_OPT_HOSTNAME, 6, "Host.x" };
    }
    udp.payload_len = dhcp_encode(&h, items, n, frame + UDP4_HEADERS_LEN,
                                  DHCP_REPLY_MAX, &n_left_out);
    /* Who looks for an address, or wants another, uses none. */
    if (type == DHCP_DISCOVER
        || (type == DHCP_REQUEST
            && (h.ciaddr ? h.ciaddr : wanted) != w->belief[client].addr)
        || (type == DHCP_REQUEST && kinds & 16
            && wanted != w->belief[client].addr)) {
        w->belief[client].addr = 0;
    }
    ask(w, client, frame, udp4_encode(frame, &udp));
}

/* Any bytes behind headers that lead to the decoder.  They come by a port of
 * their own, where nobody believes in anything. */
static void
send_bytes(struct world *w, struct cursor *c)
{
    static const uint8_t cookie[] = { 0x63, 0x82, 0x53, 0x63 };
    uint8_t frame[UDP4_HEADERS_LEN + 255] = { 0 };
    struct udp4 udp = { .ip_dst = UINT32_MAX, .src_port = 68,
                        .dst_port = 67 };
    struct dhcp_question q = { .frame = frame, .port = ports[N_PORTS],
                               .now = w->now };
    struct dhcp_answer a;
    uint8_t len = cursor_u8(c);
    const uint8_t *p;

    len = (uint8_t) MIN((size_t) len, cursor_left(c));
    p = cursor_take(c, len);
    memcpy(frame + UDP4_HEADERS_LEN, p, len);
    if (len > DHCP_OPTIONS_OFS) {
        memcpy(frame + UDP4_HEADERS_LEN, "\1\1\6\0", 4);
        memset(frame + UDP4_HEADERS_LEN + 28, 0, 6);
        memcpy(frame + UDP4_HEADERS_LEN + DHCP_HEADER_LEN, cookie, 4);
    }
    udp.payload_len = len;
    q.len = udp4_encode(frame, &udp);
    if (len % 8 == 1) {
        frame[p[0] % UDP4_HEADERS_LEN] ^= 1;
    }
    dhcp_server_handle(w->server, &q, &a);
    for (unsigned int i = 0; i < a.changes.n; i++) {
        store(&a.changes.at[i], w);
    }
}

static void
plan(struct world *w, unsigned int client, uint8_t byte)
{
    struct lease_reservation r = {
        .addr = htobe32(NETWORK + 2 + byte % (N_ADDRESSES - 3)),
        .mac = { { 2, 0, 0, 0, 0, (uint8_t) client } },
    };

    if (byte & 128 && lease_unreserve(w->leases, r.addr) != -ENOENT) {
        return;
    }
    if (byte & 64) {
        strcpy(r.port, ports[client % N_PORTS]);
    }
    if (!lease_reserve(w->leases, &r, store, w)) {
        /* The plan wins: who had it is cut off. */
        for (unsigned int i = 0; i < N_CLIENTS; i++) {
            if (w->belief[i].addr == r.addr) {
                w->belief[i].addr = 0;
            }
        }
    }
}

static void
kill_port(struct world *w, unsigned int port)
{
    lease_release_port(w->leases, ports[port], store, w);
    for (unsigned int i = port; i < N_CLIENTS; i += N_PORTS) {
        w->belief[i].addr = 0;
    }
}

static void
fuzz_server(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_init(data, size);
    struct world *w = calloc(1, sizeof *w);

    w->now = 1000;
    start(w);
    for (unsigned int i = 0; i < MAX_EVENTS && cursor_left(&c); i++) {
        uint8_t event = cursor_u8(&c);
        unsigned int client = (event >> 4) % N_CLIENTS;

        switch (event & 15) {
        case 10:
            if (event & 128) {
                fail(w, &w->pending);
            } else if (event & 64) {
                w->store_is_slow = !w->store_is_slow;
            } else {
                w->store_fails = !w->store_fails;
            }
            break;
        case 11:
            w->now += cursor_u8(&c);
            break;
        case 12:
            kill_port(w, client % N_PORTS);
            break;
        case 13:
            plan(w, client, cursor_u8(&c));
            break;
        case 14:
            send_bytes(w, &c);
            break;
        case 15:
            lease_sweep(w->leases, w->now, client, store, w);
            if (event & 64) {
                configure(w, client & 1);
            } else if (event & 128) {
                stop(w);
                start(w);
            }
            break;
        default:
            send_message(w, client, &c);
        }
        check(w);
    }
    stop(w);
    free(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size) {
        if (data[0] & 1) {
            fuzz_server(data + 1, size - 1);
        } else if (data[0] & 2) {
            fuzz_record(data + 1, size - 1);
        } else if (data[0] & 4) {
            check_message(data + 1, size - 1);
        } else {
            fuzz_options(data + 1, size - 1, data[0] & 8);
        }
    }
    return 0;
}
