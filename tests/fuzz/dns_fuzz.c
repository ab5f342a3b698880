/* DNS messages: any bytes are read, or refused; what is read is written again.
 *
 * The first byte says how large the copy may be, the rest is the message, which
 * ends where its memory ends.
 *   - A query that is read is the same query when it was encoded and decoded.
 *   - A message that is read to its end is the same, record by record, when its
 *     records were copied; cut to any size, the copy can be read.
 *   - A name that has a text is what its text says.
 *
 * Covers: src/packet/dns.c src/packet/dns_name.c */
#include <stdio.h>
#include <stdlib.h>

#include "packet/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COPY_MAX = 1 << 17 };

static void
require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void
try_name(const struct dns_name *name)
{
    struct dns_name other = dns_name_parent(name, 1), folded = *name;
    struct str text = STR_INIT;

    require(dns_name_is_in(name, &other), "a name is in its parent");
    require(dns_name_n_labels(name) == dns_name_n_labels(&other)
            + (name->len > 1), "a parent has a label less");
    dns_name_fold(&folded);
    require(dns_name_eq(name, &folded), "case does not matter");
    if (name->len > 1) {
        require(!dns_name_prepend(&other, (const char *) name->wire + 1,
                                  name->wire[0])
                && dns_name_eq(&other, name), "a name is label and parent");
    }
    dns_name_format(name, &text);
    if (!strchr(str_text(&text), '\\')) {
        require(!dns_name_parse(str_text(&text), &other)
                && !memcmp(name->wire, other.wire, name->len),
                "a name is what its text says");
    } else {
        dns_name_parse(str_text(&text), &other);
    }
    str_fini(&text);
}

static void
try_query(const void *data, size_t size)
{
    uint8_t copy[DNS_UDP_MIN];
    struct dns_query a, b;

    if (dns_query_decode(data, size, &a)) {
        return;
    }
    try_name(&a.question.name);
    require(!dns_query_decode(copy, dns_query_encode(&a, copy, sizeof copy),
                              &b), "what we encode can be decoded");
    require(a.id == b.id && a.flags == b.flags
            && a.question.type == b.question.type
            && a.question.class == b.question.class
            && dns_name_eq(&a.question.name, &b.question.name)
            && a.edns.is_there == b.edns.is_there
            && a.edns.dnssec_ok == b.edns.dnssec_ok
            && a.edns.udp_size == b.edns.udp_size, "it is the same query");
}

/* Copies what can be; false: some record could not. */
static bool
copy_all(const void *data, size_t size, struct dns_writer *w, void *copy,
         size_t copy_size, unsigned int *n)
{
    struct dns_reader r;
    struct dns_record rec;
    bool all = true;
    uint32_t ttl;
    int more;

    *n = 0;
    if (dns_reader_init(&r, data, size)) {
        return false;
    }
    dns_begin(w, copy, copy_size, r.header.id, r.header.flags);
    dns_put_question(w, &r.question);
    while ((more = dns_reader_next(&r, &rec)) == 1) {
        bool copied = dns_put_copy(w, &r, &rec, rec.ttl);

        dns_soa_negative_ttl(&r, &rec, &ttl);
        all = all && copied;
        *n += copied;
    }
    *n += dns_put_soa(w, DNS_AUTHORITY, &r.question.name, &r.question.name,
                      &r.question.name, 1, 2);
    return all && !more;
}

static void
require_readable(const void *data, size_t size, unsigned int n)
{
    struct dns_reader r;
    struct dns_record rec;
    int more;

    require(!dns_reader_init(&r, data, size), "a copy can be read");
    while ((more = dns_reader_next(&r, &rec)) == 1) {
        n--;
    }
    require(!more && !cursor_left(&r.at), "... to its end");
    require(!n, "and has the records that were put");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t copy[COPY_MAX], again[COPY_MAX];
    struct dns_writer w;
    unsigned int n, n_again;
    size_t len, small;
    uint8_t *message;

    if (!size) {
        return 0;
    }
    small = 300u + data[0];
    message = xmemdup(data + 1, size - 1);
    try_query(message, size - 1);
    if (copy_all(message, size - 1, &w, copy, sizeof copy, &n)) {
        len = dns_end(&w);
        require_readable(copy, len, n);
        require(copy_all(copy, len, &w, again, sizeof again, &n_again)
                && n_again == n + 1, "a copy can be copied");
    }
    if (copy_all(message, size - 1, &w, copy, small, &n) || n) {
        len = dns_end(&w);
        require(len <= small, "it is as small as it must be");
        require_readable(copy, len, n);
    }
    free(message);
    return 0;
}
