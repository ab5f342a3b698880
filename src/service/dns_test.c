/* What a network's gateway answers, question by question. */
#include "service/dns.h"

#include <arpa/inet.h>

#include "unit.h"

struct scene {
    struct dns_zone *blue, *red;
    const struct dns_zone *zones[2];
    struct dns_view view;
    struct dns_query query;
    struct dns_reply reply;
    enum dns_event event;
    struct str text;              /* the reply, in words */
};

static void
add(struct dns_zone *zone, const char *name, const char *ip4,
    const char *ip6)
{
    struct dns_host host = { .n_ip4 = 0 };

    snprintf(host.name, sizeof host.name, "%s", name);
    if (ip4) {
        CHECK(inet_pton(AF_INET, ip4, &host.ip4[host.n_ip4++]) == 1);
    }
    if (ip6) {
        CHECK(inet_pton(AF_INET6, ip6, &host.ip6[host.n_ip6++]) == 1);
    }
    CHECK(!dns_zone_set(zone, &host));
}

/* Two tenants with the same subnet. */
static void
begin(struct scene *s)
{
    struct dns_zone_options options = { .domain = "blue.weft",
                                        .subnet = { .len = 24 },
                                        .subnet6 = { .len = 64 } };

    memset(s, 0, sizeof *s);
    CHECK(inet_pton(AF_INET, "10.1.0.0", &options.subnet.addr) == 1);
    CHECK(inet_pton(AF_INET6, "fd00:1::", &options.subnet6.addr) == 1);
    CHECK(!dns_zone_create(&options, &s->blue));
    options.domain = "red.weft";
    CHECK(!dns_zone_create(&options, &s->red));
    add(s->blue, "gateway", "10.1.0.1", "fd00:1::1");
    add(s->blue, "web", "10.1.0.5", "fd00:1::5");
    add(s->blue, "db", "10.1.0.20", NULL);
    add(s->red, "spy", "10.1.0.5", NULL);
    add(s->red, "own", "10.1.0.77", NULL);
    s->zones[0] = s->blue;
    s->view.zones = s->zones;
    s->view.n_zones = 1;
    CHECK(!dns_name_parse("weft", &s->view.top));
}

static void
end(struct scene *s)
{
    dns_zone_destroy(s->blue);
    dns_zone_destroy(s->red);
    str_fini(&s->text);
}

static void
format_record(struct str *text, const struct dns_reader *r,
              const struct dns_record *rec)
{
    static const char *const sections[] = { "", "?", "+" };
    struct dns_name names[2];
    char addr[INET6_ADDRSTRLEN];

    str_addf(text, "; %s", sections[rec->section]);
    dns_name_format(&rec->name, text);
    str_addf(text, " %u", (unsigned int) rec->ttl);
    switch (rec->type) {
    case DNS_A:
        str_addf(text, " A %s", inet_ntop(AF_INET, rec->rdata, addr,
                                          sizeof addr));
        break;
    case DNS_AAAA:
        str_addf(text, " AAAA %s", inet_ntop(AF_INET6, rec->rdata, addr,
                                             sizeof addr));
        break;
    case DNS_PTR:
    case DNS_NS:
        CHECK(!dns_record_names(r, rec, names, 1));
        str_add(text, rec->type == DNS_NS ? " NS " : " PTR ");
        dns_name_format(&names[0], text);
        break;
    case DNS_SOA:
        CHECK(!dns_record_names(r, rec, names, 2));
        str_add(text, " SOA ");
        dns_name_format(&names[0], text);
        str_add(text, " ");
        dns_name_format(&names[1], text);
        break;
    case DNS_OPT:
        str_addf(text, " OPT %u %u", rec->class,
                 (unsigned int) (rec->ttl >> 24));
        break;
    default:
        str_addf(text, " TYPE%u %u", rec->type, rec->rdata_len);
        break;
    }
}

/* "flags rcode; record; record ..." */
static void
format_reply(struct scene *s)
{
    static const struct { unsigned int bit; char letter; } letters[] = {
        { DNS_AA, 'a' }, { DNS_TC, 't' }, { DNS_RD, 'd' }, { DNS_RA, 'r' },
        { DNS_CD, 'c' },
    };
    struct dns_reader r;
    struct dns_record rec;
    int more;

    str_clear(&s->text);
    if (!s->reply.len) {
        return;
    }
    CHECK(!dns_reader_init(&r, s->reply.data, s->reply.len));
    CHECK(r.header.flags & DNS_QR && r.header.id == s->query.id);
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        if (r.header.flags & letters[i].bit) {
            str_add_char(&s->text, letters[i].letter);
        }
    }
    str_addf(&s->text, " %u", r.header.flags & DNS_RCODE_MASK);
    while ((more = dns_reader_next(&r, &rec)) == 1) {
        format_record(&s->text, &r, &rec);
    }
    CHECK(!more);
}

static void
send_bytes(struct scene *s, const void *data, size_t len)
{
    s->event = dns_answer(&s->view, data, len, &s->query, &s->reply);
    format_reply(s);
}

static struct dns_query
make_query(const char *name, uint16_t type)
{
    struct dns_query q = { .id = 99, .flags = DNS_RD,
                           .question = { .type = type, .class = DNS_IN } };

    CHECK(!dns_name_parse(name, &q.question.name));
    return q;
}

static void
send_query(struct scene *s, const struct dns_query *q)
{
    uint8_t data[DNS_UDP_MIN];

    send_bytes(s, data, dns_query_encode(q, data, sizeof data));
}

/* Does the question come to this end, with this reply? */
static bool
asked(struct scene *s, const char *name, uint16_t type,
      enum dns_event event, const char *text)
{
    struct dns_query q = make_query(name, type);

    send_query(s, &q);
    if (s->event != event || strcmp(str_text(&s->text), text)) {
        print_error("%s %u: %s:%s\n", name, type, dns_event_name(s->event),
                    str_text(&s->text));
        return false;
    }
    return true;
}

#define SOA " 10 SOA gateway.blue.weft hostmaster.blue.weft"

TEST(names_have_addresses)
{
    struct scene s;

    begin(&s);
    CHECK(asked(&s, "web.blue.weft", DNS_A, DNS_ANSWERED,
                "adr 0; web.blue.weft 60 A 10.1.0.5"));
    CHECK(asked(&s, "web.blue.weft", DNS_AAAA, DNS_ANSWERED,
                "adr 0; web.blue.weft 60 AAAA fd00:1::5"));
    CHECK(asked(&s, "db.blue.weft", DNS_AAAA, DNS_NO_DATA,
                "adr 0; ?blue.weft" SOA));
    CHECK(asked(&s, "web.blue.weft", DNS_TXT, DNS_NO_DATA,
                "adr 0; ?blue.weft" SOA));
    CHECK(asked(&s, "web.blue.weft", DNS_PTR, DNS_NO_DATA,
                "adr 0; ?blue.weft" SOA));
    CHECK(asked(&s, "vm9.blue.weft", DNS_A, DNS_NO_NAME,
                "adr 3; ?blue.weft" SOA));
    CHECK(asked(&s, "a.web.blue.weft", DNS_A, DNS_NO_NAME,
                "adr 3; ?blue.weft" SOA));
    end(&s);
}

TEST(a_reply_has_the_client_s_capitals)
{
    struct scene s;
    struct dns_query q = make_query("wEB.BlUe.wefT", DNS_A);

    begin(&s);
    CHECK(asked(&s, "wEB.BlUe.wefT", DNS_A, DNS_ANSWERED,
                "adr 0; wEB.BlUe.wefT 60 A 10.1.0.5"));
    CHECK(!memcmp(s.reply.data + DNS_HEADER_LEN, q.question.name.wire,
                  q.question.name.len));
    end(&s);
}

TEST(the_apex_has_a_soa_and_a_server)
{
    struct scene s;

    begin(&s);
    CHECK(asked(&s, "blue.weft", DNS_SOA, DNS_ANSWERED, "adr 0; blue.weft 60"
                " SOA gateway.blue.weft hostmaster.blue.weft"));
    CHECK(asked(&s, "blue.weft", DNS_NS, DNS_ANSWERED,
                "adr 0; blue.weft 60 NS gateway.blue.weft"));
    CHECK(asked(&s, "blue.weft", DNS_A, DNS_NO_DATA,
                "adr 0; ?blue.weft" SOA));
    CHECK(asked(&s, "weft", DNS_NS, DNS_NO_DATA, "adr 0; ?weft 10 SOA"
                " gateway.weft hostmaster.weft"));
    CHECK(asked(&s, "web.blue.weft", DNS_NS, DNS_NO_DATA,
                "adr 0; ?blue.weft" SOA));
    end(&s);
}

TEST(addresses_have_names)
{
    struct scene s;

    begin(&s);
    CHECK(asked(&s, "5.0.1.10.in-addr.arpa", DNS_PTR, DNS_ANSWERED,
                "adr 0; 5.0.1.10.in-addr.arpa 60 PTR web.blue.weft"));
    CHECK(asked(&s, "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0."
                "0.0.d.f.ip6.arpa", DNS_PTR, DNS_ANSWERED,
                "adr 0; 5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0."
                "0.0.0.0.d.f.ip6.arpa 60 PTR web.blue.weft"));
    CHECK(asked(&s, "99.0.1.10.in-addr.arpa", DNS_PTR, DNS_NO_NAME,
                "adr 3; ?0.1.10.in-addr.arpa" SOA));
    CHECK(asked(&s, "5.0.1.10.in-addr.arpa", DNS_A, DNS_NO_DATA,
                "adr 0; ?0.1.10.in-addr.arpa" SOA));
    CHECK(asked(&s, "0.1.10.in-addr.arpa", DNS_PTR, DNS_NO_DATA,
                "adr 0; ?0.1.10.in-addr.arpa" SOA));
    CHECK(asked(&s, "0.1.10.in-addr.arpa", DNS_SOA, DNS_ANSWERED,
                "adr 0; 0.1.10.in-addr.arpa 60 SOA gateway.blue.weft"
                " hostmaster.blue.weft"));
    end(&s);
}

TEST(another_network_s_names_do_not_exist)
{
    struct scene s;

    begin(&s);
    CHECK(asked(&s, "own.red.weft", DNS_A, DNS_NO_NAME, "adr 3; ?weft 10 SOA"
                " gateway.weft hostmaster.weft"));
    CHECK(asked(&s, "no.such.net.weft", DNS_A, DNS_NO_NAME, "adr 3; ?weft 10"
                " SOA gateway.weft hostmaster.weft"));
    CHECK(asked(&s, "77.0.1.10.in-addr.arpa", DNS_PTR, DNS_NO_NAME,
                "adr 3; ?0.1.10.in-addr.arpa" SOA));
    end(&s);
}

TEST(joined_networks_see_each_other)
{
    struct scene s;

    begin(&s);
    s.zones[1] = s.red;
    s.view.n_zones = 2;
    CHECK(asked(&s, "own.red.weft", DNS_A, DNS_ANSWERED,
                "adr 0; own.red.weft 60 A 10.1.0.77"));
    CHECK(asked(&s, "77.0.1.10.in-addr.arpa", DNS_PTR, DNS_ANSWERED,
                "adr 0; 77.0.1.10.in-addr.arpa 60 PTR own.red.weft"));
    /* Both have one: its own network's goes first. */
    CHECK(asked(&s, "5.0.1.10.in-addr.arpa", DNS_PTR, DNS_ANSWERED,
                "adr 0; 5.0.1.10.in-addr.arpa 60 PTR web.blue.weft"));
    end(&s);
}

TEST(what_is_not_ours_is_forwarded)
{
    struct scene s;

    begin(&s);
    CHECK(asked(&s, "example.org", DNS_A, DNS_FORWARD, ""));
    CHECK(asked(&s, "web", DNS_A, DNS_FORWARD, ""));
    CHECK(asked(&s, "theweft", DNS_A, DNS_FORWARD, ""));
    CHECK(asked(&s, ".", DNS_NS, DNS_FORWARD, ""));
    CHECK(asked(&s, "5.1.1.10.in-addr.arpa", DNS_PTR, DNS_FORWARD, ""));
    CHECK(asked(&s, "10.in-addr.arpa", DNS_PTR, DNS_FORWARD, ""));
    CHECK(asked(&s, "x.0.1.10.in-addr.arpa", DNS_PTR, DNS_FORWARD, ""));
    CHECK(s.query.question.type == DNS_PTR);
    end(&s);
}

TEST(any_gets_something_small)
{
    struct scene s;

    begin(&s);
    CHECK(asked(&s, "web.blue.weft", DNS_ANY, DNS_ANSWERED,
                "adr 0; web.blue.weft 60 TYPE13 9"));
    CHECK(asked(&s, "none.blue.weft", DNS_ANY, DNS_NO_NAME,
                "adr 3; ?blue.weft" SOA));
    end(&s);
}

TEST(what_we_do_not_do_is_refused_by_name)
{
    struct scene s;
    struct dns_query q;

    begin(&s);
    CHECK(asked(&s, "blue.weft", DNS_AXFR, DNS_TRANSFER, "dr 5"));
    CHECK(asked(&s, "blue.weft", DNS_IXFR, DNS_TRANSFER, "dr 5"));
    q = make_query("version.bind", DNS_TXT);
    q.question.class = 3;
    send_query(&s, &q);
    CHECK(s.event == DNS_BAD_CLASS && !strcmp(str_text(&s.text), "dr 5"));
    q = make_query("web.blue.weft", DNS_A);
    q.flags = 4 << 11;
    send_query(&s, &q);
    CHECK(s.event == DNS_NO_QUERY && !strcmp(str_text(&s.text), "r 4"));
    q.flags = DNS_QR;
    send_query(&s, &q);
    CHECK(s.event == DNS_DROP_RESPONSE && !s.reply.len);
    send_bytes(&s, "\0\1\0\0\0\1\0\0\0\0\0", 11);
    CHECK(s.event == DNS_DROP_SHORT && !s.reply.len);
    end(&s);
}

TEST(the_malformed_is_told_so)
{
    static const uint8_t query[] = "\0\1\1\0\0\1\0\0\0\0\0\0\3web";
    struct scene s;

    begin(&s);
    s.event = dns_answer(&s.view, query, sizeof query - 1, &s.query,
                         &s.reply);
    CHECK(s.event == DNS_MALFORMED);
    CHECK(s.reply.len == DNS_HEADER_LEN);
    CHECK(!memcmp(s.reply.data, "\0\1\x81\x81\0\0\0\0\0\0\0\0", 12));
    end(&s);
}

TEST(edns_is_answered_with_edns)
{
    struct scene s;
    struct dns_query q = make_query("db.blue.weft", DNS_A);

    begin(&s);
    q.edns = (struct dns_edns) { .is_there = true, .udp_size = 4096 };
    send_query(&s, &q);
    CHECK(!strcmp(str_text(&s.text), "adr 0; db.blue.weft 60 A 10.1.0.20;"
                  " +. 0 OPT 1232 0"));
    end(&s);
}

/* One that can not be made by our own encoder. */
TEST(an_edns_version_we_do_not_know_is_said)
{
    uint8_t data[DNS_UDP_MIN];
    struct scene s;
    struct dns_query q = make_query("db.blue.weft", DNS_A);
    size_t len;

    begin(&s);
    q.edns = (struct dns_edns) { .is_there = true, .udp_size = 4096 };
    len = dns_query_encode(&q, data, sizeof data);
    data[len - 5] = 1;
    send_bytes(&s, data, len);
    CHECK(s.event == DNS_EDNS_VERSION);
    CHECK(!strcmp(str_text(&s.text), "dr 0; +. 16777216 OPT 1232 1"));
    end(&s);
}

/* Many names for one address: more than 512 bytes hold. */
TEST(what_does_not_fit_is_truncated)
{
    struct scene s;
    struct dns_query q = make_query("9.0.1.10.in-addr.arpa", DNS_PTR);

    begin(&s);
    for (int i = 0; i < 40; i++) {
        char name[32];

        snprintf(name, sizeof name, "a-rather-long-name-%d", i);
        add(s.blue, name, "10.1.0.9", NULL);
    }
    send_query(&s, &q);
    CHECK(s.event == DNS_ANSWERED && s.reply.len <= DNS_UDP_MIN);
    CHECK(!strncmp(str_text(&s.text), "atdr 0;", 7));
    q.edns = (struct dns_edns) { .is_there = true, .udp_size = 100 };
    send_query(&s, &q);
    CHECK(s.reply.len <= DNS_UDP_MIN && s.reply.len > 400);
    q.edns.udp_size = 65535;
    send_query(&s, &q);
    CHECK(s.reply.len > DNS_UDP_MIN && s.reply.len <= DNS_UDP_MAX);
    end(&s);
}

TEST(every_event_has_a_name_and_a_text)
{
    for (int i = 0; i < N_DNS_EVENTS; i++) {
        CHECK(*dns_event_name(i) && *dns_event_text(i));
        for (int k = 0; k < i; k++) {
            CHECK(strcmp(dns_event_name(i), dns_event_name(k)));
        }
    }
}

TESTS(
    RUN(names_have_addresses),
    RUN(a_reply_has_the_client_s_capitals),
    RUN(the_apex_has_a_soa_and_a_server),
    RUN(addresses_have_names),
    RUN(another_network_s_names_do_not_exist),
    RUN(joined_networks_see_each_other),
    RUN(what_is_not_ours_is_forwarded),
    RUN(any_gets_something_small),
    RUN(what_we_do_not_do_is_refused_by_name),
    RUN(the_malformed_is_told_so),
    RUN(edns_is_answered_with_edns),
    RUN(an_edns_version_we_do_not_know_is_said),
    RUN(what_does_not_fit_is_truncated),
    RUN(every_event_has_a_name_and_a_text),
)
