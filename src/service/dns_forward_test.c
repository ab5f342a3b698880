/* Clients and upstreams, played by the test: every message is seen. */
#include "service/dns_forward.h"

#include <stdlib.h>

#include "lib/rng.h"
#include "service/dns_cache.h"
#include "unit.h"

enum { N_SOURCES = 8, MAX_NOTES = 5000 };

struct asked {
    unsigned int upstream, source;
    struct dns_query query;
};

struct replied {
    struct dns_client client;
    struct dns_reply reply;
};

struct scene {
    struct dns_forward *f;
    struct dns_counters counters;
    struct rng rng;
    msec now;
    unsigned int n_asked, n_replied;
    struct asked asked;           /* the newest */
    struct replied *replied;      /* the newest */
};

static uint32_t
draw(void *aux)
{
    struct scene *s = aux;

    return rng_u32(&s->rng);
}

static void
note_reply(const struct dns_client *client, const struct dns_reply *reply,
           void *aux)
{
    struct scene *s = aux;

    CHECK(s->n_replied < MAX_NOTES);
    s->replied[s->n_replied++] = (struct replied) { *client, *reply };
}

static void
note_ask(unsigned int upstream, unsigned int source, const void *data,
         size_t len, void *aux)
{
    struct scene *s = aux;

    s->asked.upstream = upstream;
    s->asked.source = source;
    CHECK(!dns_query_decode(data, len, &s->asked.query));
    s->n_asked++;
}

static void
begin(struct scene *s, unsigned int n_upstreams, unsigned int max_pending)
{
    struct dns_forward_options options = {
        .n_upstreams = n_upstreams,
        .n_sources = N_SOURCES,
        .max_pending = max_pending,
        .cache_size = 64,
        .random = draw,
        .reply = note_reply,
        .ask = note_ask,
        .aux = s,
        .counters = &s->counters,
    };

    memset(s, 0, sizeof *s);
    s->rng.state = 11;
    s->now = 1000000;
    s->replied = xcalloc(MAX_NOTES, sizeof *s->replied);
    s->f = dns_forward_create(&options);
}

static void
end(struct scene *s)
{
    dns_forward_destroy(s->f);
    free(s->replied);
}

static struct dns_client
client(uint64_t network, uint64_t port)
{
    return (struct dns_client) { .network = network, .port = port,
                                 .udp_port = 40000 };
}

static struct dns_query
query(const char *name, uint16_t id)
{
    struct dns_query q = { .id = id, .flags = DNS_RD,
                           .question = { .type = DNS_A, .class = DNS_IN } };

    CHECK(!dns_name_parse(name, &q.question.name));
    return q;
}

static enum dns_event
ask(struct scene *s, const char *name, uint16_t id, uint64_t network,
    uint64_t port)
{
    struct dns_query q = query(name, id);
    struct dns_client c = client(network, port);

    return dns_forward_query(s->f, &q, &c, s->now);
}

/* An upstream's answer to the newest question, to be changed before it goes. */
struct answer {
    struct dns_writer w;
    uint8_t data[DNS_UDP_MAX];
};

static void
begin_answer(struct answer *a, const struct scene *s, unsigned int flags)
{
    dns_begin(&a->w, a->data, sizeof a->data, s->asked.query.id,
              (uint16_t) (DNS_QR | flags));
    dns_put_question(&a->w, &s->asked.query.question);
}

static void
put_a(struct answer *a, const struct dns_name *name, uint32_t ttl)
{
    dns_begin_record(&a->w, DNS_ANSWER, name, DNS_A, ttl);
    dns_put_bytes(&a->w, "\300\0\2\1", 4);
    dns_end_record(&a->w);
}

static void
put_name(struct answer *a, uint16_t type, const struct dns_name *name,
         const char *target)
{
    struct dns_name n;

    CHECK(!dns_name_parse(target, &n));
    dns_begin_record(&a->w, DNS_ANSWER, name, type, 30);
    dns_put_name(&a->w, &n, type == DNS_CNAME);
    dns_end_record(&a->w);
}

static void
put_soa(struct answer *a, const char *zone, uint32_t ttl)
{
    struct dns_name n;

    CHECK(!dns_name_parse(zone, &n));
    dns_put_soa(&a->w, DNS_AUTHORITY, &n, &n, &n, 1, ttl);
}

static enum dns_event
send_answer(struct scene *s, struct answer *a)
{
    size_t len = dns_end(&a->w);

    return dns_forward_answer(s->f, s->asked.upstream, s->asked.source,
                              a->data, len, s->now);
}

/* The plain answer. */
static enum dns_event
answer(struct scene *s, uint32_t ttl)
{
    struct answer a;

    begin_answer(&a, s, DNS_RA);
    put_a(&a, &s->asked.query.question.name, ttl);
    return send_answer(s, &a);
}

static enum dns_event
answer_rcode(struct scene *s, enum dns_rcode rcode)
{
    struct answer a;

    begin_answer(&a, s, rcode);
    return send_answer(s, &a);
}

/* Of the newest reply. */
static struct dns_reader
read_reply(const struct scene *s)
{
    const struct dns_reply *reply = &s->replied[s->n_replied - 1].reply;
    struct dns_reader r;

    CHECK(s->n_replied);
    CHECK(!dns_reader_init(&r, reply->data, reply->len));
    return r;
}

static unsigned int
reply_rcode(const struct scene *s)
{
    return read_reply(s).header.flags & DNS_RCODE_MASK;
}

static unsigned int
reply_n_answers(const struct scene *s)
{
    return read_reply(s).header.n_records[DNS_ANSWER];
}

static uint32_t
reply_ttl(const struct scene *s)
{
    struct dns_reader r = read_reply(s);
    struct dns_record rec;

    CHECK(dns_reader_next(&r, &rec) == 1);
    return rec.ttl;
}

TEST(a_question_is_asked_and_its_answer_relayed)
{
    struct scene s;
    struct dns_reader r;

    begin(&s, 2, 0);
    CHECK(ask(&s, "Example.ORG", 7, 1, 1) == DNS_ASKED);
    CHECK(s.n_asked == 1 && s.asked.upstream == 0);
    CHECK(s.asked.query.flags == DNS_RD);
    CHECK(s.asked.query.edns.is_there
          && s.asked.query.edns.udp_size == DNS_UDP_MAX);
    CHECK(answer(&s, 60) == DNS_RELAYED);
    CHECK(s.n_replied == 1 && s.replied[0].client.port == 1);
    r = read_reply(&s);
    CHECK(r.header.id == 7);
    CHECK(r.header.flags == (DNS_QR | DNS_RD | DNS_RA));
    CHECK(!memcmp(r.question.name.wire, "\7Example\3ORG", 13));
    CHECK(reply_n_answers(&s) == 1 && reply_ttl(&s) == 60);
    CHECK(r.header.n_records[DNS_ADDITIONAL] == 0);
    CHECK(dns_forward_n_pending(s.f) == 0);
    CHECK(dns_forward_expire(s.f, s.now) == INT64_MAX);
    end(&s);
}

TEST(ids_and_sources_are_drawn_anew_for_each_question)
{
    unsigned int sources = 0, n_same = 0;
    uint16_t last = 0;
    struct scene s;

    begin(&s, 1, 0);
    for (int i = 0; i < 200; i++) {
        char name[32];

        snprintf(name, sizeof name, "n%d.org", i);
        CHECK(ask(&s, name, 7, 1, (uint64_t) i) == DNS_ASKED);
        sources |= 1u << s.asked.source;
        n_same += (uint16_t) (s.asked.query.id - last) < 16;
        last = s.asked.query.id;
    }
    CHECK(sources == (1u << N_SOURCES) - 1 && n_same < 5);
    end(&s);
}

TEST(only_who_was_asked_may_answer_and_only_what_was_asked)
{
    struct scene s;
    struct answer a;
    struct asked was;

    begin(&s, 2, 0);
    ask(&s, "example.org", 7, 1, 1);
    was = s.asked;
    s.asked.upstream = 1;
    CHECK(answer(&s, 60) == DNS_DROP_SENDER);
    s.asked = was;
    s.asked.source = (was.source + 1) % N_SOURCES;
    CHECK(answer(&s, 60) == DNS_DROP_SENDER);
    s.asked = was;
    s.asked.query.id++;
    CHECK(answer(&s, 60) == DNS_DROP_STRAY);
    s.asked = was;
    s.asked.query.question.type = DNS_AAAA;
    CHECK(answer(&s, 60) == DNS_DROP_QUESTION);
    s.asked = was;
    CHECK(!dns_name_parse("example.com", &s.asked.query.question.name));
    CHECK(answer(&s, 60) == DNS_DROP_QUESTION);
    s.asked = was;
    begin_answer(&a, &s, 0);
    a.data[2] &= 0x7f;
    CHECK(send_answer(&s, &a) == DNS_DROP_QUESTION);
    begin_answer(&a, &s, 0);
    put_a(&a, &s.asked.query.question.name, 60);
    a.w.counts[1]++;
    CHECK(send_answer(&s, &a) == DNS_DROP_BAD_ANSWER);
    CHECK(dns_forward_answer(s.f, 0, 0, a.data, 11, s.now)
          == DNS_DROP_SHORT);
    CHECK(s.n_replied == 0);

    CHECK(answer(&s, 60) == DNS_RELAYED);
    CHECK(answer(&s, 60) == DNS_DROP_STRAY);
    CHECK(s.n_replied == 1);
    end(&s);
}

TEST(what_nobody_asked_for_is_left_out)
{
    struct scene s;
    struct answer a;
    struct dns_name other, alias;

    begin(&s, 1, 0);
    CHECK(!dns_name_parse("bank.example", &other));
    CHECK(!dns_name_parse("real.example.net", &alias));
    ask(&s, "www.example.org", 7, 1, 1);
    begin_answer(&a, &s, 0);
    put_a(&a, &other, 60);
    put_name(&a, DNS_CNAME, &s.asked.query.question.name, "REAL.example.net");
    put_a(&a, &alias, 20);
    put_name(&a, DNS_NS, &s.asked.query.question.name, "ns.evil.example");
    put_soa(&a, "evil.example", 5);
    dns_begin_record(&a.w, DNS_ADDITIONAL, &other, DNS_A, 60);
    dns_put_bytes(&a.w, "\300\0\2\1", 4);
    dns_end_record(&a.w);
    CHECK(send_answer(&s, &a) == DNS_RELAYED);
    CHECK(reply_n_answers(&s) == 2);
    CHECK(read_reply(&s).header.n_records[DNS_AUTHORITY] == 0);
    CHECK(read_reply(&s).header.n_records[DNS_ADDITIONAL] == 0);
    CHECK(s.counters.n[DNS_RECORD_IGNORED] == 4);
    /* As long as the shortest of the chain. */
    s.now += 19 * 1000;
    CHECK(ask(&s, "www.example.org", 8, 1, 1) == DNS_CACHED);
    s.now += 1000;
    CHECK(ask(&s, "www.example.org", 9, 1, 1) == DNS_ASKED);
    end(&s);
}

TEST(a_dname_above_comes_along)
{
    struct scene s;
    struct answer a;
    struct dns_name above, other, real;

    begin(&s, 1, 0);
    CHECK(!dns_name_parse("example.org", &above));
    CHECK(!dns_name_parse("example.com", &other));
    CHECK(!dns_name_parse("www.example.net", &real));
    ask(&s, "www.example.org", 7, 1, 1);
    begin_answer(&a, &s, 0);
    put_name(&a, DNS_DNAME, &above, "example.net");
    put_name(&a, DNS_DNAME, &other, "example.net");
    put_name(&a, DNS_CNAME, &s.asked.query.question.name, "www.example.net");
    put_a(&a, &real, 60);
    CHECK(send_answer(&s, &a) == DNS_RELAYED);
    CHECK(reply_n_answers(&s) == 3);
    end(&s);
}

TEST(a_chain_that_is_too_long_is_bad)
{
    struct scene s;
    struct answer a;
    struct dns_name name;

    begin(&s, 1, 0);
    ask(&s, "n0.org", 7, 1, 1);
    begin_answer(&a, &s, 0);
    for (int i = 0; i < 17; i++) {
        char from[16], to[16];

        snprintf(from, sizeof from, "n%d.org", i);
        snprintf(to, sizeof to, "n%d.org", i + 1);
        CHECK(!dns_name_parse(from, &name));
        put_name(&a, DNS_CNAME, &name, to);
    }
    CHECK(send_answer(&s, &a) == DNS_DROP_BAD_ANSWER);
    end(&s);
}

TEST(one_question_is_asked_once_for_all_who_wait)
{
    struct scene s;
    struct dns_query q = query("example.org", 20);
    struct dns_client c = client(1, 1);

    begin(&s, 1, 0);
    CHECK(ask(&s, "example.org", 7, 1, 1) == DNS_ASKED);
    CHECK(ask(&s, "EXAMPLE.org", 8, 1, 2) == DNS_JOINED);
    CHECK(ask(&s, "example.org", 7, 1, 1) == DNS_DROP_REPEATED);
    CHECK(ask(&s, "example.org", 9, 1, 1) == DNS_JOINED);
    /* What differs is another question. */
    q.edns = (struct dns_edns) { true, 512, 0, true };
    CHECK(dns_forward_query(s.f, &q, &c, s.now) == DNS_ASKED);
    CHECK(s.asked.query.edns.dnssec_ok);
    CHECK(answer(&s, 60) == DNS_RELAYED && s.n_replied == 1);
    CHECK(read_reply(&s).header.n_records[DNS_ADDITIONAL] == 1);
    q.edns.is_there = q.edns.dnssec_ok = false;
    q.flags |= DNS_CD;
    CHECK(dns_forward_query(s.f, &q, &c, s.now) == DNS_ASKED);
    CHECK(s.asked.query.flags == (DNS_RD | DNS_CD));
    CHECK(ask(&s, "example.org", 7, 2, 3) == DNS_ASKED);
    CHECK(s.n_asked == 4 && dns_forward_n_pending(s.f) == 3);
    end(&s);
}

TEST(all_who_wait_get_the_answer_with_their_own_id_and_capitals)
{
    struct scene s;
    unsigned int ids = 0;

    begin(&s, 1, 0);
    ask(&s, "example.org", 1, 1, 1);
    ask(&s, "EXAMPLE.org", 2, 1, 2);
    ask(&s, "example.ORG", 3, 1, 3);
    CHECK(answer(&s, 60) == DNS_RELAYED);
    CHECK(s.n_replied == 3);
    for (unsigned int i = 0; i < 3; i++) {
        const struct dns_reply *reply = &s.replied[i].reply;
        struct dns_reader r;

        CHECK(!dns_reader_init(&r, reply->data, reply->len));
        CHECK(s.replied[i].client.port == r.header.id);
        CHECK((r.question.name.wire[1] == 'E') == (r.header.id == 2));
        CHECK((r.question.name.wire[9] == 'O') == (r.header.id == 3));
        ids |= 1u << r.header.id;
    }
    CHECK(ids == 0xe);
    end(&s);
}

TEST(a_silent_upstream_is_followed_by_the_next)
{
    struct scene s;
    struct asked first;

    begin(&s, 2, 0);
    ask(&s, "example.org", 7, 1, 1);
    first = s.asked;
    CHECK(dns_forward_expire(s.f, s.now) == s.now + DNS_FORWARD_TIMEOUT);
    s.now += DNS_FORWARD_TIMEOUT;
    CHECK(dns_forward_expire(s.f, s.now) == s.now + DNS_FORWARD_TIMEOUT);
    CHECK(s.n_asked == 2 && s.asked.upstream == 1);
    CHECK(s.asked.query.id != first.query.id);
    /* Too late, the first one. */
    {
        struct asked second = s.asked;

        s.asked = first;
        CHECK(answer(&s, 60) == DNS_DROP_STRAY);
        s.asked = second;
    }
    CHECK(answer(&s, 60) == DNS_RELAYED);
    /* Who answered is asked first from now on. */
    ask(&s, "example.com", 8, 1, 1);
    CHECK(s.asked.upstream == 1);
    end(&s);
}

TEST(after_the_last_try_the_client_is_told)
{
    struct scene s;

    begin(&s, 1, 0);
    ask(&s, "example.org", 7, 1, 1);
    ask(&s, "example.org", 8, 1, 2);
    for (int i = 0; i < DNS_FORWARD_TRIES; i++) {
        CHECK(s.n_replied == 0);
        s.now += DNS_FORWARD_TIMEOUT;
        dns_forward_expire(s.f, s.now);
    }
    CHECK(s.n_asked == DNS_FORWARD_TRIES);
    CHECK(s.n_replied == 2 && reply_rcode(&s) == DNS_SERVFAIL);
    CHECK(s.counters.n[DNS_CLIENT_TIMEOUT] == 1);
    CHECK(dns_forward_n_pending(s.f) == 0);
    end(&s);
}

TEST(a_failing_upstream_is_followed_by_the_next)
{
    struct scene s;
    struct answer a;

    begin(&s, 2, 0);
    ask(&s, "example.org", 7, 1, 1);
    CHECK(answer_rcode(&s, DNS_SERVFAIL) == DNS_RETRIED);
    CHECK(s.asked.upstream == 1 && s.n_replied == 0);
    CHECK(answer_rcode(&s, DNS_REFUSED) == DNS_RETRIED);
    CHECK(s.asked.upstream == 0);
    CHECK(answer_rcode(&s, DNS_REFUSED) == DNS_RELAYED);
    CHECK(reply_rcode(&s) == DNS_REFUSED);
    /* An extended code is between the upstream and us. */
    dns_forward_set_upstreams(s.f, 1, s.now);
    ask(&s, "example.org", 8, 1, 1);
    begin_answer(&a, &s, 0);
    dns_put_opt(&a.w, 512, DNS_BADVERS, false);
    CHECK(send_answer(&s, &a) == DNS_RELAYED);
    CHECK(reply_rcode(&s) == DNS_SERVFAIL);
    CHECK(ask(&s, "example.org", 9, 1, 1) == DNS_ASKED);
    end(&s);
}

TEST(without_upstreams_the_answer_is_servfail)
{
    struct scene s;

    begin(&s, 0, 0);
    CHECK(ask(&s, "example.org", 7, 1, 1) == DNS_NO_UPSTREAM);
    CHECK(reply_rcode(&s) == DNS_SERVFAIL && read_reply(&s).header.id == 7);
    dns_forward_set_upstreams(s.f, 1, s.now);
    CHECK(ask(&s, "example.org", 7, 1, 1) == DNS_ASKED);
    /* Whoever waits gives up in time though they are gone again. */
    dns_forward_set_upstreams(s.f, 0, s.now);
    s.now += DNS_FORWARD_TIMEOUT;
    CHECK(dns_forward_expire(s.f, s.now) == INT64_MAX);
    CHECK(s.n_replied == 2 && reply_rcode(&s) == DNS_SERVFAIL);
    end(&s);
}

TEST(new_upstreams_are_asked_what_the_old_ones_were)
{
    struct scene s;
    struct asked old;

    begin(&s, 2, 0);
    ask(&s, "a.org", 1, 1, 1);
    CHECK(answer(&s, 60) == DNS_RELAYED);
    ask(&s, "b.org", 2, 1, 1);
    s.now += DNS_FORWARD_TIMEOUT;
    dns_forward_expire(s.f, s.now);
    old = s.asked;
    CHECK(s.n_asked == 3 && old.upstream == 1);
    dns_forward_set_upstreams(s.f, 1, s.now);
    CHECK(s.n_asked == 4 && s.asked.upstream == 0);
    CHECK(s.asked.query.id != old.query.id);
    CHECK(answer(&s, 60) == DNS_RELAYED);
    CHECK(ask(&s, "a.org", 3, 1, 1) == DNS_ASKED);
    end(&s);
}

TEST(the_table_is_bounded_and_says_so)
{
    struct scene s;
    enum dns_event event = DNS_ASKED;
    unsigned int n;

    begin(&s, 1, 16);
    for (n = 0; event == DNS_ASKED; n++) {
        char name[32];

        snprintf(name, sizeof name, "n%u.org", n);
        event = ask(&s, name, 7, 1, n);
    }
    CHECK(event == DNS_TABLE_FULL && n == 17);
    CHECK(s.n_replied == 1 && reply_rcode(&s) == DNS_SERVFAIL);
    /* To join is possible, until there are 64 who wait. */
    for (n = 16; (event = ask(&s, "n0.org", 7, 1, 1000 + n)) == DNS_JOINED;
         n++) {
    }
    CHECK(event == DNS_TABLE_FULL && n == 64);
    s.now += DNS_FORWARD_TIMEOUT * DNS_FORWARD_TRIES;
    for (int i = 0; i < DNS_FORWARD_TRIES; i++) {
        dns_forward_expire(s.f, s.now);
        s.now += DNS_FORWARD_TIMEOUT;
    }
    CHECK(s.n_replied == 2 + 64 && dns_forward_n_pending(s.f) == 0);
    CHECK(ask(&s, "n0.org", 7, 1, 1) == DNS_ASKED);
    end(&s);
}

TEST(one_port_cannot_fill_the_table)
{
    struct scene s;
    enum dns_event event;
    unsigned int n = 0;
    char name[32];

    begin(&s, 1, 0);
    do {
        snprintf(name, sizeof name, "n%u.org", n++);
        event = ask(&s, name, 7, 1, 1);
    } while (event == DNS_ASKED);
    CHECK(event == DNS_CLIENT_QUOTA && n == 65);
    CHECK(reply_rcode(&s) == DNS_SERVFAIL);
    CHECK(ask(&s, "other.org", 7, 1, 2) == DNS_ASKED);
    CHECK(ask(&s, "n0.org", 7, 1, 2) == DNS_JOINED);
    snprintf(name, sizeof name, "n%u.org", n);
    s.now += DNS_FORWARD_TIMEOUT;
    for (int i = 0; i < DNS_FORWARD_TRIES; i++) {
        dns_forward_expire(s.f, s.now);
        s.now += DNS_FORWARD_TIMEOUT;
    }
    CHECK(ask(&s, name, 7, 1, 1) == DNS_ASKED);
    end(&s);
}

TEST(what_was_answered_is_remembered_as_long_as_it_says)
{
    struct scene s;

    begin(&s, 1, 0);
    ask(&s, "example.org", 1, 1, 1);
    CHECK(answer(&s, 100) == DNS_RELAYED);
    s.now += 40500;
    CHECK(ask(&s, "EXAMPLE.org", 2, 1, 2) == DNS_CACHED);
    CHECK(reply_ttl(&s) == 60 && read_reply(&s).header.id == 2);
    CHECK(read_reply(&s).question.name.wire[1] == 'E');
    CHECK(ask(&s, "example.org", 3, 2, 1) == DNS_ASKED);
    s.now += 59500;
    CHECK(ask(&s, "example.org", 4, 1, 1) == DNS_ASKED);
    CHECK(answer(&s, 0) == DNS_RELAYED);
    CHECK(ask(&s, "example.org", 5, 1, 1) == DNS_ASKED);
    CHECK(answer(&s, UINT32_MAX) == DNS_RELAYED);
    CHECK(reply_ttl(&s) == 0);
    CHECK(ask(&s, "example.org", 6, 1, 1) == DNS_ASKED);
    CHECK(answer(&s, 1000000) == DNS_RELAYED);
    s.now += DNS_CACHE_MAX_TTL * 1000 - 1;
    CHECK(ask(&s, "example.org", 7, 1, 1) == DNS_CACHED);
    s.now += 1;
    CHECK(ask(&s, "example.org", 8, 1, 1) == DNS_ASKED);
    end(&s);
}

TEST(negative_answers_are_remembered_by_their_soa)
{
    struct scene s;
    struct answer a;

    begin(&s, 1, 0);
    ask(&s, "none.example.org", 1, 1, 1);
    begin_answer(&a, &s, DNS_NXDOMAIN);
    put_soa(&a, "example.org", 50);
    CHECK(send_answer(&s, &a) == DNS_RELAYED);
    CHECK(reply_rcode(&s) == DNS_NXDOMAIN);
    CHECK(read_reply(&s).header.n_records[DNS_AUTHORITY] == 1);
    s.now += 49999;
    CHECK(ask(&s, "none.example.org", 2, 1, 1) == DNS_CACHED);
    CHECK(reply_rcode(&s) == DNS_NXDOMAIN);
    s.now += 1;
    CHECK(ask(&s, "none.example.org", 3, 1, 1) == DNS_ASKED);
    CHECK(answer_rcode(&s, DNS_NXDOMAIN) == DNS_RELAYED);
    CHECK(ask(&s, "none.example.org", 4, 1, 1) == DNS_ASKED);
    end(&s);
}

TEST(what_was_truncated_says_so_and_is_not_remembered)
{
    struct scene s;
    struct answer a;
    struct dns_query q;
    struct dns_client c = client(1, 1);

    begin(&s, 1, 0);
    ask(&s, "example.org", 1, 1, 1);
    begin_answer(&a, &s, DNS_TC);
    put_a(&a, &s.asked.query.question.name, 60);
    CHECK(send_answer(&s, &a) == DNS_RELAYED);
    CHECK(read_reply(&s).header.flags & DNS_TC);
    CHECK(ask(&s, "example.org", 2, 1, 1) == DNS_ASKED);

    /* 60 addresses: too much for one client, not for the other. */
    begin_answer(&a, &s, 0);
    for (int i = 0; i < 60; i++) {
        put_a(&a, &s.asked.query.question.name, 60);
    }
    CHECK(send_answer(&s, &a) == DNS_RELAYED);
    CHECK(read_reply(&s).header.flags & DNS_TC);
    CHECK(s.replied[s.n_replied - 1].reply.len <= DNS_UDP_MIN);
    q = query("example.org", 3);
    q.edns = (struct dns_edns) { .is_there = true, .udp_size = 1232 };
    CHECK(dns_forward_query(s.f, &q, &c, s.now) == DNS_CACHED);
    CHECK(!(read_reply(&s).header.flags & DNS_TC));
    CHECK(reply_n_answers(&s) == 60);
    end(&s);
}

TEST(authentic_data_is_said_to_those_who_ask)
{
    struct scene s;
    struct answer a;
    struct dns_query q = query("example.org", 2);
    struct dns_client c = client(1, 1);

    begin(&s, 1, 0);
    ask(&s, "example.org", 1, 1, 1);
    begin_answer(&a, &s, DNS_AD);
    put_a(&a, &s.asked.query.question.name, 60);
    CHECK(send_answer(&s, &a) == DNS_RELAYED);
    CHECK(!(read_reply(&s).header.flags & DNS_AD));
    q.flags |= DNS_AD;
    CHECK(dns_forward_query(s.f, &q, &c, s.now) == DNS_CACHED);
    CHECK(read_reply(&s).header.flags & DNS_AD);
    end(&s);
}

TEST(a_full_cache_forgets_what_ends_first)
{
    struct dns_cache *cache = dns_cache_create(4);
    struct dns_cache *none = dns_cache_create(0);
    struct dns_cache_key key = { .network = 1, .type = DNS_A };
    size_t len;
    uint32_t age;

    for (int i = 0; i < 5; i++) {
        char name[8];

        snprintf(name, sizeof name, "n%d", i);
        CHECK(!dns_name_parse(name, &key.name));
        dns_cache_put(cache, &key, name, 2, 0, i == 1 ? 5 : 100);
        dns_cache_put(none, &key, name, 2, 0, 100);
        CHECK(!dns_cache_get(none, &key, 0, &len, &age));
    }
    for (int i = 0; i < 5; i++) {
        char name[8];

        snprintf(name, sizeof name, "N%d", i);
        CHECK(!dns_name_parse(name, &key.name));
        CHECK((dns_cache_get(cache, &key, 0, &len, &age) != NULL)
              == (i != 1));
    }
    dns_cache_destroy(cache);
    dns_cache_destroy(none);
    dns_cache_destroy(NULL);
}

/* Whatever happens: one reply for each query that was not dropped. */
TEST(every_query_is_answered_exactly_once)
{
    struct rng rng = { 42 };
    struct scene s;
    unsigned int n_taken = 0;

    begin(&s, 3, 32);
    for (int step = 0; step < 4000; step++) {
        char name[16];

        s.now += rng_below(&rng, 100);
        dns_forward_expire(s.f, s.now);
        snprintf(name, sizeof name, "n%u.org", rng_below(&rng, 200));
        n_taken += ask(&s, name, (uint16_t) rng_below(&rng, 4), 1,
                       rng_below(&rng, 50)) != DNS_DROP_REPEATED;
        if (rng_one_in(&rng, 4)) {
            answer(&s, rng_below(&rng, 3));
        } else if (rng_one_in(&rng, 4)) {
            answer_rcode(&s, DNS_SERVFAIL);
        }
    }
    s.now += 10 * DNS_FORWARD_TIMEOUT;
    for (int i = 0; i < DNS_FORWARD_TRIES; i++) {
        dns_forward_expire(s.f, s.now);
        s.now += DNS_FORWARD_TIMEOUT;
    }
    CHECK(dns_forward_n_pending(s.f) == 0);
    CHECK(s.n_replied == n_taken);
    end(&s);
}

TESTS(
    RUN(a_question_is_asked_and_its_answer_relayed),
    RUN(ids_and_sources_are_drawn_anew_for_each_question),
    RUN(only_who_was_asked_may_answer_and_only_what_was_asked),
    RUN(what_nobody_asked_for_is_left_out),
    RUN(a_dname_above_comes_along),
    RUN(a_chain_that_is_too_long_is_bad),
    RUN(one_question_is_asked_once_for_all_who_wait),
    RUN(all_who_wait_get_the_answer_with_their_own_id_and_capitals),
    RUN(a_silent_upstream_is_followed_by_the_next),
    RUN(after_the_last_try_the_client_is_told),
    RUN(a_failing_upstream_is_followed_by_the_next),
    RUN(without_upstreams_the_answer_is_servfail),
    RUN(new_upstreams_are_asked_what_the_old_ones_were),
    RUN(the_table_is_bounded_and_says_so),
    RUN(one_port_cannot_fill_the_table),
    RUN(what_was_answered_is_remembered_as_long_as_it_says),
    RUN(negative_answers_are_remembered_by_their_soa),
    RUN(what_was_truncated_says_so_and_is_not_remembered),
    RUN(authentic_data_is_said_to_those_who_ask),
    RUN(a_full_cache_forgets_what_ends_first),
    RUN(every_query_is_answered_exactly_once),
)
