/* Conversations of clients, a gateway's DNS and its upstreams.
 *
 * The input is a program: each step a byte of what, one of how and one that
 * says how many bytes follow for it (see step() below).  Whatever is said:
 *   - every reply can be read, has the id of a query, and is no longer than its
 *     client takes;
 *   - every query that was not dropped is answered exactly once, at the latest
 *     when all has timed out.
 *
 * Covers: src/service/dns.c src/service/dns_zone.c src/service/dns_cache.c
 * Covers: src/service/dns_relay.c src/service/dns_forward.c */
#include <stdio.h>
#include <stdlib.h>

#include "lib/rng.h"
#include "service/dns.h"
#include "service/dns_forward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_SOURCES = 2, N_ASKED = 8, MAX_STEPS = 200 };

struct asked {
    unsigned int upstream, source;
    struct dns_query query;
};

struct scene {
    struct dns_zone *zone;
    const struct dns_zone *zones[1];
    struct dns_view view;
    struct dns_forward *f;
    struct dns_counters counters;
    struct rng rng;
    msec now;
    struct asked asked[N_ASKED];  /* the newest ones, in a circle */
    unsigned int n_asked;
    uint64_t n_taken, n_replied;
};

static const char *const names[] = {
    "web.blue.weft", "x.blue.weft", "blue.weft", "5.0.1.10.in-addr.arpa",
    "example.org", "www.example.org", "a.b.c.d.example.net", "weft",
};

static void
require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void
check_reply(const struct dns_reply *reply)
{
    struct dns_reader r;
    struct dns_record rec;
    bool has_opt = false;
    int more;

    require(reply->len >= DNS_HEADER_LEN && reply->len <= DNS_UDP_MAX,
            "a reply has a size");
    if (dns_reader_init(&r, reply->data, reply->len) == -EPROTO) {
        require((r.header.flags & DNS_RCODE_MASK) == DNS_FORMERR
                || (r.header.flags & DNS_RCODE_MASK) == DNS_NOTIMP,
                "only the malformed get no question back");
        return;
    }
    require(r.header.flags & DNS_QR, "a reply is one");
    while ((more = dns_reader_next(&r, &rec)) == 1) {
        has_opt |= rec.type == DNS_OPT;
    }
    require(!more && !cursor_left(&r.at), "a reply can be read");
    require(has_opt || reply->len <= DNS_UDP_MIN, "a client can take it");
}

static uint32_t
draw(void *aux)
{
    return rng_u32(&((struct scene *) aux)->rng);
}

static void
on_reply(const struct dns_client *client, const struct dns_reply *reply,
         void *aux)
{
    struct scene *s = aux;

    require(client->network < 2 && client->udp_port == 9, "it is a client");
    check_reply(reply);
    s->n_replied++;
}

static void
on_ask(unsigned int upstream, unsigned int source, const void *data,
       size_t len, void *aux)
{
    struct scene *s = aux;
    struct asked *a = &s->asked[s->n_asked++ % N_ASKED];

    a->upstream = upstream;
    a->source = source;
    require(!dns_query_decode(data, len, &a->query), "what is asked is whole");
}

static void
send_query(struct scene *s, const void *data, size_t len, uint8_t how)
{
    struct dns_client client = { .network = how & 1, .port = how >> 1 & 3,
                                 .udp_port = 9 };
    struct dns_query query;
    struct dns_reply reply;
    enum dns_event event = dns_answer(&s->view, data, len, &query, &reply);

    if (event == DNS_FORWARD) {
        event = dns_forward_query(s->f, &query, &client, s->now);
        s->n_taken += event != DNS_DROP_REPEATED;
    } else if (reply.len) {
        check_reply(&reply);
    }
}

/* A query that is well-formed: byte 0 its name, 1 type, 2 flags, 3 id. */
static void
send_good_query(struct scene *s, const uint8_t *p, size_t len, uint8_t how)
{
    struct dns_query query = { .flags = DNS_RD };
    uint8_t data[DNS_UDP_MIN];

    if (len < 4) {
        return;
    }
    dns_name_parse(names[p[0] % ARRAY_SIZE(names)], &query.question.name);
    query.question.type = p[1];
    query.question.class = p[2] & 1 ? 3 : DNS_IN;
    query.flags |= p[2] & 2 ? DNS_CD : 0;
    query.flags |= p[2] & 4 ? DNS_AD : 0;
    query.edns.is_there = p[2] & 8;
    query.edns.dnssec_ok = p[2] & 16;
    query.edns.udp_size = (uint16_t) (p[3] << 3);
    query.id = p[3] & 3;
    send_query(s, data, dns_query_encode(&query, data, sizeof data), how);
}

static const struct asked *
pick(const struct scene *s, uint8_t how)
{
    return &s->asked[(s->n_asked - 1 - how % N_ASKED) % N_ASKED];
}

/* An answer to what was asked: bytes 0 and 1 its flags, 2 to 4 the sections'
 * counts, then the records' bytes. */
static void
send_good_answer(struct scene *s, const uint8_t *p, size_t len, uint8_t how)
{
    const struct asked *a = pick(s, how);
    uint8_t data[1024];
    struct dns_writer w;
    size_t n;

    if (len < 5 || !s->n_asked) {
        return;
    }
    dns_begin(&w, data, sizeof data, a->query.id,
              (uint16_t) (DNS_QR | p[0] << 8 | p[1]));
    dns_put_question(&w, &a->query.question);
    dns_put_bytes(&w, p + 5, len - 5);
    for (int i = 0; i < N_DNS_SECTIONS; i++) {
        w.counts[1 + i] = p[2 + i];
    }
    n = dns_end(&w);
    dns_forward_answer(s->f, a->upstream, a->source, data, n, s->now);
}

static void
send_answer(struct scene *s, const uint8_t *p, size_t len, uint8_t how)
{
    uint8_t *data = xmemdup(p, len);

    dns_forward_answer(s->f, how & 3, how >> 2 & 1, data, len, s->now);
    free(data);
}

static void
change_zone(struct scene *s, const uint8_t *p, size_t len, uint8_t how)
{
    struct dns_host host = { .n_ip4 = how & 3, .n_ip6 = how >> 2 & 3 };

    if (len < 4) {
        return;
    }
    memcpy(host.name, p + 2, MIN(len - 2, sizeof host.name - 1));
    for (unsigned int i = 0; i < 3; i++) {
        host.ip4[i] = htobe32(0x0a010000 + p[0] + i);
        host.ip6[i] = (struct ip6_addr) { .b = { 0xfd, [15] = p[1] } };
    }
    if (how & 16) {
        dns_zone_remove(s->zone, host.name);
    } else {
        dns_zone_set(s->zone, &host);
    }
}

static void
step(struct scene *s, uint8_t what, uint8_t how, const uint8_t *p, size_t len)
{
    uint8_t *copy;

    switch (what % 7) {
    case 0:
        copy = xmemdup(p, len);
        send_query(s, copy, len, how);
        free(copy);
        break;
    case 1:
        send_good_query(s, p, len, how);
        break;
    case 2:
        send_answer(s, p, len, how);
        break;
    case 3:
        send_good_answer(s, p, len, how);
        break;
    case 4:
        s->now += how * 50;
        dns_forward_expire(s->f, s->now);
        break;
    case 5:
        dns_forward_set_upstreams(s->f, how % 4, s->now);
        break;
    case 6:
        change_zone(s, p, len, how);
        break;
    }
}

static void
begin(struct scene *s)
{
    const struct dns_zone_options zone = {
        .domain = "blue.weft",
        .subnet = { htobe32(0x0a010000), 24 },
        .subnet6 = { { .b = { 0xfd } }, 64 },
    };
    const struct dns_forward_options options = {
        .n_upstreams = 2, .n_sources = N_SOURCES, .max_pending = 4,
        .max_per_port = 6, .cache_size = 8, .random = draw,
        .reply = on_reply, .ask = on_ask, .aux = s,
        .counters = &s->counters,
    };
    const struct dns_host web = { .name = "web", .n_ip4 = 1,
                                  .ip4 = { htobe32(0x0a010005) } };

    memset(s, 0, sizeof *s);
    s->rng.state = 1;
    dns_zone_create(&zone, &s->zone);
    dns_zone_set(s->zone, &web);
    s->zones[0] = s->zone;
    s->view.zones = s->zones;
    s->view.n_zones = 1;
    dns_name_parse("weft", &s->view.top);
    s->f = dns_forward_create(&options);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_init(data, size);
    struct scene s;

    begin(&s);
    for (int i = 0; i < MAX_STEPS && cursor_left(&c) >= 3; i++) {
        uint8_t what = cursor_u8(&c), how = cursor_u8(&c);
        size_t len = cursor_u8(&c);

        len = MIN(len, cursor_left(&c));
        step(&s, what, how, cursor_take(&c, len), len);
    }
    for (int i = 0; i < DNS_FORWARD_TRIES; i++) {
        s.now += DNS_FORWARD_TIMEOUT;
        dns_forward_expire(s.f, s.now);
    }
    require(!dns_forward_n_pending(s.f), "nothing waits for ever");
    require(s.n_replied == s.n_taken, "each query is answered once");
    dns_forward_destroy(s.f);
    dns_zone_destroy(s.zone);
    return 0;
}
