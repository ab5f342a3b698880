/* DHCPv6: any bytes to the decoder, and whole lives of clients to the server.
 *
 * The first byte chooses.  Bit 0: the rest is a program, see below.  Bit 1: it
 * is a record of the store.  None: it is a message as it comes.
 *
 * A program is events for a server with 14 addresses and three ports, each a
 * byte (its low half says what, the high half which client) and what it needs:
 *
 *     0-9  a message: type, what is in it, the addresses (1 byte each)
 *     10   the store fails from now on, or not
 *     11   time passes
 *     12   a port dies
 *     13   a sweep
 *     14   the rest of the program, up to 255 bytes, as a datagram
 *     15   the daemon starts anew from its store
 *
 * After each: no address has two holders, no two clients that were told so
 * believe in one address, and each answer reads well.
 *
 * Covers: src/packet/dhcp6.c
 * Covers: src/service/dhcp6_server.c src/service/dhcp6_ia.c
 * Covers: src/service/lease6.c src/service/lease6_record.c */
#include <stdlib.h>

#include "packet/address.h"
#include "service/dhcp6_server.h"
#include "service/lease6_record.h"

enum { N_CLIENTS = 8, N_PORTS = 3, MAX_EVENTS = 200, N_ADDRESSES = 16,
       TIME = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ports[N_PORTS + 1] = { "p0", "p1", "p2", "bytes" };
static const struct ip6_addr prefix = { { 0xfd } };

struct world {
    struct dhcp6_server server;
    struct lease6_table *leases;
    unix_sec now;
    struct {
        struct ip6_addr addr;     /* all zero: none */
        unix_sec until;
    } belief[N_CLIENTS][2];       /* of both IAs */
    struct {
        size_t len;               /* 0: no record */
        uint8_t bytes[LEASE6_RECORD_MAX];
    } store[N_ADDRESSES];         /* by the address's last byte */
    bool store_fails;
};

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* --- Bytes -------------------------------------------------------------- */

static void
check_options(struct dhcp6_options options, unsigned int depth)
{
    struct dhcp6_option option;
    struct dhcp6_address a;
    struct dhcp6_relay relay;
    struct dhcp6_message m;
    struct dhcp6_ia ia;

    require(dhcp6_options_are_sound(options));
    while (depth && dhcp6_options_next(&options, &option)) {
        dhcp6_is_wanted(option.value, DHCP6_OPT_NTP);
        if (dhcp6_ia_decode(option.value, &ia)) {
            check_options(ia.options, depth - 1);
        }
        if (dhcp6_address_decode(option.value, &a)) {
            check_options(a.options, depth - 1);
        }
        if (!dhcp6_decode(option.value.p, option.value.len, &m)) {
            check_options(m.options, depth - 1);
        }
        if (!dhcp6_relay_decode(option.value.p, option.value.len, &relay)) {
            check_options(relay.options, depth - 1);
        }
    }
}

static void
fuzz_record(const uint8_t *data, size_t size)
{
    struct lease6_options options = { { 1 }, 9, 9 };
    struct lease6_table *t = lease6_table_create(&options);
    uint8_t bytes[LEASE6_RECORD_MAX];
    struct lease6_record r;

    if (!lease6_record_decode(data, size, &r)) {
        require(lease6_record_encode(&r, bytes) == size);
        require(!memcmp(bytes, data, size));
        if (!lease6_import(t, &r)) {
            require(lease6_import(t, &r) == -EEXIST);
        }
    }
    lease6_table_destroy(t);
}

/* --- The server --------------------------------------------------------- */

static bool
is_planned(void *aux UNUSED, const struct ip6_addr *addr)
{
    return addr->b[15] >= 2 && addr->b[15] < 2 + N_PORTS;
}

static void
start(struct world *w)
{
    struct lease6_options options = { { 1 }, 8, 4 };
    struct dhcp6_config config = {
        .mac = { { 2, 0, 0, 0, 0, 0xfe } }, .prefix = prefix,
        .prefix_len = 124, .gateway = { { 0xfd, [15] = 1 } },
        .is_stateful = true, .lease_time = TIME, .seed = 5, .n_dns = 1,
        .n_ntp = 1, .domain = "blue.weft", .boot_file = "tftp://[::]/x",
        .refresh_time = 9999, .is_planned = is_planned,
    };

    w->leases = lease6_table_create(&options);
    config.leases = w->leases;
    dhcp6_server_init(&w->server, &config);
    for (unsigned int i = 0; i < N_ADDRESSES; i++) {
        struct lease6_record r;

        if (w->store[i].len) {
            require(!lease6_record_decode(w->store[i].bytes, w->store[i].len,
                                          &r));
            require(!lease6_import(w->leases, &r));
        }
    }
}

static void
store(const struct lease6_change *c, void *w_)
{
    struct world *w = w_;
    unsigned int i = c->record.addr.b[15];

    require(i < N_ADDRESSES);
    w->store[i].len = c->is_removal
                      ? 0 : lease6_record_encode(&c->record,
                                                 w->store[i].bytes);
}

/* Who is told that an address is no more, or is given another, believes it;
 * who loses one to the plan is cut off. */
static void
forget(struct world *w, const struct ip6_addr *addr)
{
    for (unsigned int i = 0; i < 2 * N_CLIENTS; i++) {
        if (ip6_addr_eq(w->belief[i / 2][i % 2].addr, *addr)) {
            w->belief[i / 2][i % 2].addr = (struct ip6_addr) { { 0 } };
        }
    }
}

static void
hear(struct world *w, unsigned int client, const struct dhcp6_answer *answer)
{
    struct dhcp6_option option;
    struct dhcp6_message m;

    if (dhcp6_decode(answer->data, answer->len, &m)) {
        return;                   /* It went to a relay. */
    }
    check_options(m.options, 3);
    while (m.type == DHCP6_REPLY && dhcp6_options_next(&m.options, &option)) {
        struct dhcp6_address a;
        struct dhcp6_ia ia;

        if (option.code != DHCP6_OPT_IA_NA) {
            continue;
        }
        require(dhcp6_ia_decode(option.value, &ia));
        while (dhcp6_options_next(&ia.options, &option)) {
            if (option.code == DHCP6_OPT_ADDRESS
                && dhcp6_address_decode(option.value, &a) && a.valid) {
                forget(w, &a.addr);
                w->belief[client][ia.iaid % 2].addr = a.addr;
                w->belief[client][ia.iaid % 2].until = w->now + a.valid;
            }
        }
    }
}

static void
ask(struct world *w, unsigned int client, const struct dhcp6_question *q)
{
    struct dhcp6_answer a;
    enum dhcp6_verdict verdict = dhcp6_server_handle(&w->server, q, &a);

    require(*dhcp6_verdict_name(verdict) && *dhcp6_verdict_text(verdict));
    require(a.len == 0 || verdict < DHCP6_NOT_DHCP);
    require(a.len <= DHCP6_REPLY_MAX && a.changes.n <= LEASE6_MAX_CHANGES);
    if (w->store_fails) {
        while (a.changes.n) {
            lease6_undo(w->leases, &a.changes.at[--a.changes.n]);
        }
        return;
    }
    for (unsigned int i = 0; i < a.changes.n; i++) {
        store(&a.changes.at[i], w);
        if (a.changes.at[i].is_removal
            || a.changes.at[i].record.state == LEASE_DECLINED) {
            forget(w, &a.changes.at[i].record.addr);
        }
    }
    if (client < N_CLIENTS) {
        hear(w, client, &a);
    }
}

static void
send_message(struct world *w, unsigned int client, struct cursor *c)
{
    uint8_t type = cursor_u8(c) % 14, what = cursor_u8(c);
    uint8_t where = cursor_u8(c);
    uint8_t duid[] = { 0, 3, 0, 1, 2, 0, 0, 0, 0, (uint8_t) (client / 2) };
    static const uint8_t server[] = { 0, 3, 0, 1, 2, 0, 0, 0, 0, 0xfe };
    uint8_t bytes[512];
    struct dhcp6_question q = {
        .data = bytes, .is_unicast = what & 128, .now = w->now,
        .mac = { { 2, 0, 0, 0, 0, (uint8_t) client } },
        .port = ports[client % N_PORTS], .planned = prefix,
    };
    struct dhcp6_writer out;

    q.planned.b[15] = (uint8_t) (2 + client % N_PORTS);
    dhcp6_writer_init(&out, bytes, sizeof bytes);
    if (where & 128) {
        dhcp6_put_u8(&out, DHCP6_RELAY_FORW);
        dhcp6_put_u8(&out, where & 15);
        dhcp6_put(&out, &prefix, sizeof prefix);
        dhcp6_put(&out, &prefix, sizeof prefix);
        dhcp6_put_u16(&out, DHCP6_OPT_RELAY_MSG);
        dhcp6_put_u16(&out, 0);
    }
    dhcp6_put_u32(&out, (uint32_t) type << 24);
    if (what & 1) {
        dhcp6_put_option(&out, DHCP6_OPT_CLIENT_ID, duid, sizeof duid);
    }
    if (what & 2) {
        dhcp6_put_option(&out, DHCP6_OPT_SERVER_ID, server, sizeof server);
    }
    if (what & 4) {
        dhcp6_put_option(&out, DHCP6_OPT_RAPID_COMMIT, NULL, 0);
    }
    if (where & 32) {
        dhcp6_put_option(&out, DHCP6_OPT_FQDN,
                         what & 8 ? "\0\5Ab-c1" : "\0\5Ab c1", 7);
    }
    if (what & 8) {
        dhcp6_put_option(&out, DHCP6_OPT_ORO, "\0\x17\0\x18\0\x38\0\x3b", 8);
    }
    for (uint32_t iaid = 0; iaid < (what & 16 ? 2u : 1u); iaid++) {
        static const uint16_t codes[] = { DHCP6_OPT_IA_NA, DHCP6_OPT_IA_NA,
                                          DHCP6_OPT_IA_TA, DHCP6_OPT_IA_PD };
        size_t ia = dhcp6_begin(&out, codes[what >> 5 & 3]);
        struct ip6_addr addr = prefix;

        /* Two clients share a DUID, as clones do. */
        dhcp6_put_u32(&out, iaid);
        dhcp6_put_u32(&out, 0);
        dhcp6_put_u32(&out, 0);
        addr.b[14] = where >> 6 & 1;
        addr.b[15] = where & 15;
        dhcp6_put_u16(&out, DHCP6_OPT_ADDRESS);
        dhcp6_put_u16(&out, DHCP6_ADDRESS_HEADER_LEN);
        dhcp6_put(&out, where & 16 && client < N_CLIENTS
                        ? &w->belief[client][iaid].addr : &addr, sizeof addr);
        dhcp6_put_u32(&out, 0);
        dhcp6_put_u32(&out, 0);
        dhcp6_end(&out, ia);
    }
    if (where & 128) {
        size_t len = out.len - DHCP6_RELAY_HEADER_LEN
                     - DHCP6_OPTION_HEADER_LEN;

        put_be16(bytes + DHCP6_RELAY_HEADER_LEN + 2,
                 htobe16((uint16_t) len));
    }
    q.len = out.len;
    ask(w, where & 128 ? N_CLIENTS : client, &q);
}

/* By a port of their own, where nobody believes in anything. */
static void
send_bytes(struct world *w, struct cursor *c)
{
    struct dhcp6_question q = { .port = ports[N_PORTS], .now = w->now };
    size_t len = cursor_u8(c);

    q.len = MIN(len, cursor_left(c));
    q.data = cursor_take(c, q.len);
    ask(w, N_CLIENTS, &q);
}

static void
count(const struct lease6_record *r, void *n)
{
    require(r->port[0] != '\0');
    ++*(unsigned int *) n;
}

static void
check(const struct world *w)
{
    unsigned int n = 0, n_by_port = 0;

    lease6_for_each(w->leases, w->now, count, &n);
    require(n <= lease6_count(w->leases));
    for (unsigned int i = 0; i <= N_PORTS; i++) {
        lease6_for_port(w->leases, ports[i], w->now, count, &n_by_port);
    }
    require(n == n_by_port);
    for (unsigned int i = 0; i < 2 * N_CLIENTS; i++) {
        for (unsigned int j = 0; j < i; j++) {
            require(!ip6_addr_is_set(w->belief[i / 2][i % 2].addr)
                    || !ip6_addr_eq(w->belief[i / 2][i % 2].addr,
                                    w->belief[j / 2][j % 2].addr)
                    || w->belief[i / 2][i % 2].until <= w->now
                    || w->belief[j / 2][j % 2].until <= w->now);
        }
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
            w->store_fails = !w->store_fails;
            break;
        case 11:
            w->now += cursor_u8(&c);
            break;
        case 12:
            lease6_release_port(w->leases, ports[client % N_PORTS], store,
                                w);
            for (unsigned int j = client % N_PORTS; j < N_CLIENTS;
                 j += N_PORTS) {
                memset(w->belief[j], 0, sizeof w->belief[j]);
            }
            break;
        case 13:
            lease6_sweep(w->leases, w->now, store, w);
            break;
        case 14:
            send_bytes(w, &c);
            break;
        case 15:
            lease6_table_destroy(w->leases);
            start(w);
            break;
        default:
            send_message(w, client, &c);
        }
        check(w);
    }
    lease6_table_destroy(w->leases);
    free(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dhcp6_message m;
    struct dhcp6_relay relay;

    if (!size) {
        return 0;
    }
    if (data[0] & 1) {
        fuzz_server(data + 1, size - 1);
    } else if (data[0] & 2) {
        fuzz_record(data + 1, size - 1);
    } else if (!dhcp6_decode(data + 1, size - 1, &m)) {
        check_options(m.options, 4);
    } else if (!dhcp6_relay_decode(data + 1, size - 1, &relay)) {
        check_options(relay.options, 4);
    }
    return 0;
}
