#include "packet/dns.h"

/* What an rdata of a type looks like, if there are names in it. */
static const struct layout {
    uint16_t type;
    uint8_t n_before;             /* bytes */
    uint8_t n_names;
    uint8_t n_after;              /* bytes */
    bool may_compress;
} layouts[] = {
    { DNS_NS, 0, 1, 0, true },
    { DNS_CNAME, 0, 1, 0, true },
    { DNS_PTR, 0, 1, 0, true },
    { DNS_SOA, 0, 2, 20, true },
    { DNS_MX, 2, 1, 0, true },
    { 14, 0, 2, 0, true },        /* MINFO */
    { 17, 0, 2, 0, false },       /* RP */
    { 18, 2, 1, 0, false },       /* AFSDB */
    { 21, 2, 1, 0, false },       /* RT */
    { DNS_SRV, 6, 1, 0, false },
    { 36, 2, 1, 0, false },       /* KX */
    { DNS_DNAME, 0, 1, 0, false },
};

enum { LAYOUT_MAX_NAMES = 2 };

static const struct layout *
layout_of(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
        if (layouts[i].type == type) {
            return &layouts[i];
        }
    }
    return NULL;
}

/* --- Reading ------------------------------------------------------------ */

int
dns_header_decode(struct cursor *c, struct dns_header *header)
{
    struct dns_header h;

    h.id = cursor_u16(c);
    h.flags = cursor_u16(c);
    h.n_questions = cursor_u16(c);
    for (int i = 0; i < N_DNS_SECTIONS; i++) {
        h.n_records[i] = cursor_u16(c);
    }
    if (cursor_overrun(c)) {
        return -EBADMSG;
    }
    *header = h;
    return 0;
}

int
dns_reader_init(struct dns_reader *r, const void *data, size_t len)
{
    memset(r, 0, sizeof *r);
    r->message = r->at = cursor_init(data, len);
    if (dns_header_decode(&r->at, &r->header)) {
        return -EBADMSG;
    }
    if (r->header.n_questions != 1
        || dns_name_decode(r->message, &r->at, &r->question.name)) {
        return -EPROTO;
    }
    r->question.type = cursor_u16(&r->at);
    r->question.class = cursor_u16(&r->at);
    return cursor_overrun(&r->at) ? -EPROTO : 0;
}

int
dns_reader_next(struct dns_reader *r, struct dns_record *record)
{
    struct dns_record rec;
    int section = 0;

    while (section < N_DNS_SECTIONS
           && r->n_read[section] == r->header.n_records[section]) {
        section++;
    }
    if (section == N_DNS_SECTIONS) {
        return 0;
    }
    if (dns_name_decode(r->message, &r->at, &rec.name)) {
        return -EBADMSG;
    }
    rec.type = cursor_u16(&r->at);
    rec.class = cursor_u16(&r->at);
    rec.ttl = cursor_u32(&r->at);
    rec.rdata_len = cursor_u16(&r->at);
    rec.rdata = cursor_take(&r->at, rec.rdata_len);
    rec.section = (enum dns_section) section;
    if (cursor_overrun(&r->at)) {
        return -EBADMSG;
    }
    r->n_read[section]++;
    *record = rec;
    return 1;
}

/* Splits an rdata by its layout; `*after` is what lies behind the names. */
static int
read_names(const struct dns_reader *r, const struct dns_record *rec,
           const struct layout *layout, struct dns_name *names,
           unsigned int n, const uint8_t **after)
{
    struct cursor c = cursor_init(rec->rdata, rec->rdata_len);

    cursor_skip(&c, layout->n_before);
    for (unsigned int i = 0; i < n; i++) {
        if (cursor_overrun(&c) || dns_name_decode(r->message, &c, &names[i])) {
            return -EBADMSG;
        }
    }
    *after = c.p;
    return n == layout->n_names && cursor_left(&c) != layout->n_after
           ? -EBADMSG : 0;
}

int
dns_record_names(const struct dns_reader *r, const struct dns_record *rec,
                 struct dns_name *names, unsigned int n)
{
    const struct layout *layout = layout_of(rec->type);
    const uint8_t *after;

    if (!layout || n > layout->n_names) {
        return -EBADMSG;
    }
    return read_names(r, rec, layout, names, n, &after);
}

int
dns_soa_negative_ttl(const struct dns_reader *r,
                     const struct dns_record *rec, uint32_t *ttl)
{
    struct dns_name names[LAYOUT_MAX_NAMES];

    if (rec->type != DNS_SOA || dns_record_names(r, rec, names, 2)) {
        return -EBADMSG;
    }
    *ttl = MIN(rec->ttl, be32toh(get_be32(rec->rdata + rec->rdata_len - 4)));
    return 0;
}

struct dns_edns
dns_record_edns(const struct dns_record *rec)
{
    return (struct dns_edns) {
        .is_there = true,
        .udp_size = rec->class,
        .version = (uint8_t) (rec->ttl >> 16),
        .dnssec_ok = (rec->ttl & 0x8000) != 0,
    };
}

int
dns_query_decode(const void *data, size_t len, struct dns_query *query)
{
    struct dns_reader r;
    struct dns_record rec;
    int err = dns_reader_init(&r, data, len);

    if (err == -EBADMSG) {
        return err;
    }
    *query = (struct dns_query) {
        .id = r.header.id,
        .flags = r.header.flags,
        .question = r.question,
    };
    while (!err && (err = dns_reader_next(&r, &rec)) == 1) {
        err = 0;
        if (rec.type != DNS_OPT) {
            continue;
        }
        if (query->edns.is_there || rec.name.len != 1
            || rec.section != DNS_ADDITIONAL) {
            return -EPROTO;
        }
        query->edns = dns_record_edns(&rec);
    }
    return err ? -EPROTO : 0;
}

/* --- Writing ------------------------------------------------------------ */

void
dns_put_bytes(struct dns_writer *w, const void *bytes, size_t len)
{
    if (len > w->size - w->len) {
        w->overrun = true;
        return;
    }
    if (len) {
        memcpy(w->data + w->len, bytes, len);
    }
    w->len += len;
}

void
dns_put_u16(struct dns_writer *w, uint16_t value)
{
    be16 wire = htobe16(value);

    dns_put_bytes(w, &wire, sizeof wire);
}

void
dns_put_u32(struct dns_writer *w, uint32_t value)
{
    be32 wire = htobe32(value);

    dns_put_bytes(w, &wire, sizeof wire);
}

/* Where `name` was written already; 0: nowhere. */
static uint16_t
find_target(const struct dns_writer *w, const struct dns_name *name)
{
    struct cursor message = cursor_init(w->data, w->len);

    for (unsigned int i = 0; i < w->n_targets; i++) {
        struct cursor at = message;
        struct dns_name written;

        cursor_skip(&at, w->targets[i]);
        if (!dns_name_decode(message, &at, &written)
            && dns_name_eq(&written, name)) {
            return w->targets[i];
        }
    }
    return 0;
}

void
dns_put_name(struct dns_writer *w, const struct dns_name *name,
             bool compress)
{
    unsigned int first_new = w->n_targets;

    for (unsigned int at = 0; name->wire[at]; at += 1u + name->wire[at]) {
        struct dns_name rest = { .len = (uint8_t) (name->len - at) };
        uint16_t target = 0;

        memcpy(rest.wire, name->wire + at, rest.len);
        if (compress) {
            /* Those of this very name are not whole yet. */
            unsigned int n = w->n_targets;

            w->n_targets = first_new;
            target = find_target(w, &rest);
            w->n_targets = n;
        }
        if (target) {
            dns_put_u16(w, 0xc000 | target);
            return;
        }
        if (w->n_targets < DNS_MAX_TARGETS && w->len < 0x4000) {
            w->targets[w->n_targets++] = (uint16_t) w->len;
        }
        dns_put_bytes(w, name->wire + at, 1u + name->wire[at]);
    }
    dns_put_bytes(w, "", 1);
}

void
dns_begin(struct dns_writer *w, void *data, size_t size, uint16_t id,
          uint16_t flags)
{
    memset(w, 0, sizeof *w);
    w->data = data;
    w->size = size;
    dns_put_u16(w, id);
    dns_put_u16(w, flags);
    w->len = DNS_HEADER_LEN;
    memset(w->data + 4, 0, DNS_HEADER_LEN - 4);
}

void
dns_put_question(struct dns_writer *w, const struct dns_question *question)
{
    dns_put_name(w, &question->name, false);
    dns_put_u16(w, question->type);
    dns_put_u16(w, question->class);
    w->counts[0]++;
}

static void
open_record(struct dns_writer *w, enum dns_section section,
            const struct dns_name *name, uint16_t type, uint16_t class,
            uint32_t ttl)
{
    w->record = w->len;
    w->section = section;
    w->overrun = false;
    dns_put_name(w, name, true);
    dns_put_u16(w, type);
    dns_put_u16(w, class);
    dns_put_u32(w, ttl);
    dns_put_u16(w, 0);
    w->rdata = w->len;
}

void
dns_begin_record(struct dns_writer *w, enum dns_section section,
                 const struct dns_name *name, uint16_t type, uint32_t ttl)
{
    open_record(w, section, name, type, DNS_IN, ttl);
}

/* As if it had never been begun. */
static void
take_back(struct dns_writer *w)
{
    w->len = w->record;
    w->overrun = false;
    while (w->n_targets && w->targets[w->n_targets - 1] >= w->len) {
        w->n_targets--;
    }
}

bool
dns_end_record(struct dns_writer *w)
{
    if (w->overrun) {
        take_back(w);
        w->truncated = true;
        return false;
    }
    put_be16(w->data + w->rdata - 2, htobe16((uint16_t) (w->len - w->rdata)));
    w->counts[1 + w->section]++;
    return true;
}

bool
dns_put_soa(struct dns_writer *w, enum dns_section section,
            const struct dns_name *zone, const struct dns_name *server,
            const struct dns_name *mailbox, uint32_t serial, uint32_t ttl)
{
    enum { REFRESH = 3600, RETRY = 600, EXPIRE = 86400 };

    dns_begin_record(w, section, zone, DNS_SOA, ttl);
    dns_put_name(w, server, true);
    dns_put_name(w, mailbox, true);
    dns_put_u32(w, serial);
    dns_put_u32(w, REFRESH);
    dns_put_u32(w, RETRY);
    dns_put_u32(w, EXPIRE);
    dns_put_u32(w, ttl);
    return dns_end_record(w);
}

bool
dns_put_copy(struct dns_writer *w, const struct dns_reader *r,
             const struct dns_record *rec, uint32_t ttl)
{
    const struct layout *layout = layout_of(rec->type);
    struct dns_name names[LAYOUT_MAX_NAMES];
    const uint8_t *after;

    if (layout && read_names(r, rec, layout, names, layout->n_names,
                             &after)) {
        return false;
    }
    open_record(w, rec->section, &rec->name, rec->type, rec->class, ttl);
    if (layout) {
        dns_put_bytes(w, rec->rdata, layout->n_before);
        for (unsigned int i = 0; i < layout->n_names; i++) {
            dns_put_name(w, &names[i], layout->may_compress);
        }
        dns_put_bytes(w, after, layout->n_after);
    } else {
        dns_put_bytes(w, rec->rdata, rec->rdata_len);
    }
    return dns_end_record(w);
}

void
dns_put_opt(struct dns_writer *w, uint16_t udp_size, unsigned int rcode,
            bool dnssec_ok)
{
    static const struct dns_name root = { .len = 1 };

    open_record(w, DNS_ADDITIONAL, &root, DNS_OPT, udp_size,
                rcode >> 4 << 24 | (dnssec_ok ? 0x8000u : 0));
    dns_end_record(w);
}

size_t
dns_end(struct dns_writer *w)
{
    uint16_t flags = be16toh(get_be16(w->data + 2));

    if (w->truncated) {
        put_be16(w->data + 2, htobe16(flags | DNS_TC));
    }
    for (size_t i = 0; i < ARRAY_SIZE(w->counts); i++) {
        put_be16(w->data + 4 + 2 * i, htobe16(w->counts[i]));
    }
    return w->len;
}

size_t
dns_query_encode(const struct dns_query *query, void *data, size_t size)
{
    struct dns_writer w;

    dns_begin(&w, data, size, query->id, query->flags);
    dns_put_question(&w, &query->question);
    if (query->edns.is_there) {
        dns_put_opt(&w, query->edns.udp_size, DNS_NOERROR,
                    query->edns.dnssec_ok);
    }
    return dns_end(&w);
}
