#include "packet/dns.h"

#include "lib/rng.h"
#include "unit.h"

static struct dns_name
name(const char *text)
{
    struct dns_name n;

    CHECK_MSG(!dns_name_parse(text, &n), "%s", text);
    return n;
}

static bool
reads(const struct dns_name *n, const char *text)
{
    struct str s = STR_INIT;
    bool same;

    dns_name_format(n, &s);
    same = !strcmp(str_text(&s), text);
    str_fini(&s);
    return same;
}

TEST(a_name_reads_as_it_was_written)
{
    static const char *const texts[] = { ".", "weft", "web.blue.weft",
                                         "a.b.c.d.e.f" };
    struct dns_name n, odd = { 8, "\6a. \\\1b" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        n = name(texts[i]);
        CHECK(reads(&n, texts[i]));
    }
    n = name("web.blue.weft.");
    CHECK(n.len == 15 && reads(&n, "web.blue.weft"));
    CHECK(reads(&odd, "a\\046\\032\\092\\001b"));
}

TEST(what_is_no_name_is_refused)
{
    char label[65], text[300] = { 0 };
    struct dns_name n;

    CHECK(dns_name_parse("", &n) == -EINVAL);
    CHECK(dns_name_parse("a..b", &n) == -EINVAL);
    CHECK(dns_name_parse("..", &n) == -EINVAL);
    memset(label, 'x', 64);
    label[64] = '\0';
    CHECK(dns_name_parse(label, &n) == -EINVAL);
    label[63] = '\0';
    CHECK(!dns_name_parse(label, &n));
    /* 3 * 64 + 62 + 1 is 255, the longest that may be. */
    snprintf(text, sizeof text, "%s.%s.%s.%.61s", label, label, label, label);
    CHECK(!dns_name_parse(text, &n) && n.len == 255);
    CHECK(dns_name_prepend(&n, "a", 1) == -EINVAL);
    snprintf(text, sizeof text, "%s.%s.%s.%.62s", label, label, label, label);
    CHECK(dns_name_parse(text, &n) == -EINVAL);
}

TEST(case_does_not_matter_and_labels_do)
{
    struct dns_name a = name("Web.BLUE.weft"), b = name("wEB.blue.WEFT");
    struct dns_name zone = name("blue.weft"), other = name("eblue.weft");

    CHECK(dns_name_eq(&a, &b));
    CHECK(reads(&a, "Web.BLUE.weft"));
    CHECK(dns_name_is_in(&a, &zone) && dns_name_is_in(&zone, &zone));
    CHECK(!dns_name_is_in(&zone, &a) && !dns_name_is_in(&a, &other));
    b = name("xblue.weft");
    CHECK(!dns_name_is_in(&b, &zone));
    b = name(".");
    CHECK(dns_name_is_in(&a, &b));
    CHECK(dns_name_n_labels(&a) == 3 && dns_name_n_labels(&b) == 0);
    b = dns_name_parent(&a, 1);
    CHECK(dns_name_eq(&b, &zone));
    CHECK(!dns_name_prepend(&b, "web", 3) && dns_name_eq(&a, &b));
    CHECK(dns_name_prepend(&b, "", 0) == -EINVAL);
    dns_name_fold(&a);
    CHECK(reads(&a, "web.blue.weft"));
}

static int
decode_at(const void *data, size_t len, size_t at, struct dns_name *n,
          size_t *end)
{
    struct cursor message = cursor_init(data, len), c = message;
    int err;

    cursor_skip(&c, at);
    err = dns_name_decode(message, &c, n);
    *end = (size_t) (c.p - message.p);
    return err;
}

TEST(compressed_names_are_unfolded)
{
    static const uint8_t message[] = "\1b\1c\0" "\1a\xc0\0" "\xc0\5";
    struct dns_name n;
    size_t end;

    CHECK(!decode_at(message, 11, 0, &n, &end) && reads(&n, "b.c"));
    CHECK(end == 5);
    CHECK(!decode_at(message, 11, 5, &n, &end) && reads(&n, "a.b.c"));
    CHECK(end == 9);
    CHECK(!decode_at(message, 11, 9, &n, &end) && reads(&n, "a.b.c"));
    CHECK(end == 11);
}

TEST(names_that_lead_nowhere_are_refused)
{
    static const struct {
        uint8_t bytes[8];
        size_t len, at;
    } cases[] = {
        { { 0xc0, 0 }, 2, 0 },                    /* to itself */
        { { 0xc0, 2, 0xc0, 0 }, 4, 0 },           /* forwards */
        { { 1, 'a', 0xc0, 0 }, 4, 2 },            /* round and round */
        { { 1, 'a', 0xc0, 0 }, 4, 0 },
        { { 0xc0 }, 1, 0 },
        { { 3, 'a', 'b' }, 3, 0 },
        { { 1, 'a' }, 2, 0 },
        { { 0x40, 'a', 0 }, 3, 0 },               /* a label type of old */
        { { 0x80, 'a', 0 }, 3, 0 },
        { { 0 }, 0, 0 },
    };
    uint8_t chain[1000] = { 0 };
    struct dns_name n;
    size_t end;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_MSG(decode_at(cases[i].bytes, cases[i].len, cases[i].at, &n,
                            &end) == -EBADMSG, "case %zu", i);
    }
    /* Backwards all the way, and longer than a name may be. */
    for (size_t i = 0; i < 200; i++) {
        uint8_t *p = chain + 1 + 4 * i;

        p[0] = 1;
        p[1] = 'a';
        put_be16(p + 2, htobe16((uint16_t) (0xc000 | (i ? 4 * i - 3 : 0))));
    }
    CHECK(!decode_at(chain, sizeof chain, 1 + 4 * 126, &n, &end));
    CHECK(n.len == 255);
    CHECK(decode_at(chain, sizeof chain, 1 + 4 * 127, &n, &end));
}

static struct dns_query
query(const char *text, uint16_t type)
{
    return (struct dns_query) {
        .id = 0x1234, .flags = DNS_RD,
        .question = { .name = name(text), .type = type, .class = DNS_IN },
    };
}

TEST(a_query_is_read_as_it_was_written)
{
    struct dns_query q = query("Web.blue.weft", DNS_AAAA), got;
    uint8_t data[512];
    size_t len;

    for (int edns = 0; edns < 2; edns++) {
        q.edns = edns ? (struct dns_edns) { true, 4096, 0, true }
                      : (struct dns_edns) { .is_there = false };
        len = dns_query_encode(&q, data, sizeof data);
        CHECK(!dns_query_decode(data, len, &got));
        CHECK(got.id == q.id && got.flags == q.flags);
        CHECK(reads(&got.question.name, "Web.blue.weft"));
        CHECK(got.question.type == DNS_AAAA && got.question.class == DNS_IN);
        CHECK(got.edns.is_there == (edns == 1));
        CHECK(!edns || (got.edns.udp_size == 4096 && got.edns.dnssec_ok));
        for (size_t cut = 0; cut < len; cut++) {
            int err = dns_query_decode(data, cut, &got);

            CHECK(err == (cut < DNS_HEADER_LEN ? -EBADMSG : -EPROTO));
        }
    }
}

TEST(two_opt_records_or_two_questions_are_malformed)
{
    struct dns_query q = query("a.weft", DNS_A), got;
    struct dns_writer w;
    uint8_t data[512];
    size_t len;

    dns_begin(&w, data, sizeof data, 1, 0);
    dns_put_question(&w, &q.question);
    dns_put_opt(&w, 512, 0, false);
    dns_put_opt(&w, 512, 0, false);
    len = dns_end(&w);
    CHECK(dns_query_decode(data, len, &got) == -EPROTO);

    dns_begin(&w, data, sizeof data, 1, 0);
    dns_put_question(&w, &q.question);
    dns_put_question(&w, &q.question);
    len = dns_end(&w);
    CHECK(dns_query_decode(data, len, &got) == -EPROTO);
    dns_begin(&w, data, sizeof data, 1, 0);
    len = dns_end(&w);
    CHECK(dns_query_decode(data, len, &got) == -EPROTO);
}

/* An answer with one of each kind of rdata. */
static size_t
write_answer(void *data, size_t size, struct dns_writer *w)
{
    struct dns_query q = query("web.blue.weft", DNS_ANY);
    struct dns_name zone = name("blue.weft"), server = name("ns.blue.weft"),
                    mailbox = name("hostmaster.blue.weft");

    dns_begin(w, data, size, 7, DNS_QR);
    dns_put_question(w, &q.question);
    dns_begin_record(w, DNS_ANSWER, &q.question.name, DNS_A, 60);
    dns_put_bytes(w, "\12\1\0\5", 4);
    dns_end_record(w);
    dns_begin_record(w, DNS_ANSWER, &q.question.name, DNS_MX, 60);
    dns_put_u16(w, 10);
    dns_put_name(w, &server, true);
    dns_end_record(w);
    dns_begin_record(w, DNS_ANSWER, &q.question.name, DNS_SRV, 60);
    dns_put_bytes(w, "\0\1\0\2\0\3", 6);
    dns_put_name(w, &server, false);
    dns_end_record(w);
    dns_begin_record(w, DNS_ANSWER, &q.question.name, DNS_TXT, 60);
    dns_put_bytes(w, "\4text", 5);
    dns_end_record(w);
    dns_put_soa(w, DNS_AUTHORITY, &zone, &server, &mailbox, 77, 10);
    return dns_end(w);
}

static bool
same_record(const struct dns_reader *ra, const struct dns_record *a,
            const struct dns_reader *rb, const struct dns_record *b)
{
    struct dns_name na[2], nb[2];
    unsigned int n = a->type == DNS_SOA ? 2
                     : a->type == DNS_MX || a->type == DNS_SRV ? 1 : 0;

    if (a->type != b->type || a->class != b->class || a->ttl != b->ttl
        || a->section != b->section || !dns_name_eq(&a->name, &b->name)) {
        return false;
    }
    if (!n) {
        return a->rdata_len == b->rdata_len
               && !memcmp(a->rdata, b->rdata, a->rdata_len);
    }
    CHECK(!dns_record_names(ra, a, na, n) && !dns_record_names(rb, b, nb, n));
    for (unsigned int i = 0; i < n; i++) {
        if (!dns_name_eq(&na[i], &nb[i])) {
            return false;
        }
    }
    return true;
}

TEST(records_are_copied_whole)
{
    uint8_t data[512], copy[512];
    struct dns_record a, b;
    struct dns_reader r, c;
    struct dns_writer w;
    size_t len = write_answer(data, sizeof data, &w);
    uint32_t ttl;
    int n = 0;

    CHECK(!w.truncated);
    CHECK(!dns_reader_init(&r, data, len));
    dns_begin(&w, copy, sizeof copy, 8, DNS_QR);
    dns_put_question(&w, &r.question);
    while (dns_reader_next(&r, &a) == 1) {
        CHECK(dns_put_copy(&w, &r, &a, a.ttl));
        n++;
    }
    CHECK(n == 5 && !cursor_left(&r.at));
    CHECK(dns_end(&w) == len);

    CHECK(!dns_reader_init(&r, data, len));
    CHECK(!dns_reader_init(&c, copy, len));
    while (dns_reader_next(&r, &a) == 1) {
        CHECK(dns_reader_next(&c, &b) == 1);
        CHECK(same_record(&r, &a, &c, &b));
        CHECK((a.type == DNS_SOA) == !dns_soa_negative_ttl(&r, &a, &ttl));
    }
    CHECK(ttl == 10);
    CHECK(a.type == DNS_SOA && dns_record_names(&r, &a, NULL, 3) == -EBADMSG);
}

TEST(a_message_cut_anywhere_is_refused)
{
    uint8_t data[512], copy[512];
    struct dns_record rec;
    struct dns_reader r;
    struct dns_writer w;
    size_t len = write_answer(data, sizeof data, &w);

    for (size_t cut = 0; cut < len; cut++) {
        int more = dns_reader_init(&r, data, cut);

        if (!more) {
            while ((more = dns_reader_next(&r, &rec)) == 1) {
            }
        }
        CHECK(more < 0);
    }
    /* An rdata whose layout does not fit. */
    CHECK(!dns_reader_init(&r, data, len));
    dns_begin(&w, copy, sizeof copy, 8, DNS_QR);
    while (dns_reader_next(&r, &rec) == 1) {
        rec.rdata_len--;
        CHECK(dns_put_copy(&w, &r, &rec, 0)
              == (rec.type == DNS_A || rec.type == DNS_TXT));
    }
}

TEST(what_does_not_fit_is_left_out_and_said)
{
    uint8_t data[512];
    struct dns_writer w;
    size_t whole = write_answer(data, sizeof data, &w);

    for (size_t size = 40; size < whole; size++) {
        struct dns_reader r;
        struct dns_record rec;
        size_t len = write_answer(data, size, &w);
        int n = 0, more;

        CHECK(len <= size && w.truncated);
        CHECK(!dns_reader_init(&r, data, len));
        CHECK(r.header.flags & DNS_TC);
        while ((more = dns_reader_next(&r, &rec)) == 1) {
            n++;
        }
        CHECK(!more && n < 5 && !cursor_left(&r.at));
    }
}

TEST(random_bytes_are_no_danger)
{
    struct rng rng = { 9 };
    struct dns_writer w;

    for (int i = 0; i < 20000; i++) {
        uint8_t data[512], copy[512];
        size_t len = write_answer(data, sizeof data, &w);
        struct dns_record rec;
        struct dns_reader r;

        for (unsigned int n = 1 + rng_below(&rng, 4); n; n--) {
            data[rng_below(&rng, (uint32_t) len)] = (uint8_t) rng_u32(&rng);
        }
        if (dns_reader_init(&r, data, len)) {
            continue;
        }
        dns_begin(&w, copy, sizeof copy, 8, DNS_QR);
        while (dns_reader_next(&r, &rec) == 1) {
            dns_put_copy(&w, &r, &rec, 0);
        }
        CHECK(dns_end(&w) <= sizeof copy);
    }
}

TESTS(
    RUN(a_name_reads_as_it_was_written),
    RUN(what_is_no_name_is_refused),
    RUN(case_does_not_matter_and_labels_do),
    RUN(compressed_names_are_unfolded),
    RUN(names_that_lead_nowhere_are_refused),
    RUN(a_query_is_read_as_it_was_written),
    RUN(two_opt_records_or_two_questions_are_malformed),
    RUN(records_are_copied_whole),
    RUN(a_message_cut_anywhere_is_refused),
    RUN(what_does_not_fit_is_left_out_and_said),
    RUN(random_bytes_are_no_danger),
)
