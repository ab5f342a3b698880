#include "service/dns.h"

/* --- Replies ------------------------------------------------------------ */

static size_t
reply_size(const struct dns_query *query)
{
    size_t size = query->edns.is_there
                  ? MAX(query->edns.udp_size, (size_t) DNS_UDP_MIN)
                  : (size_t) DNS_UDP_MIN;

    return MIN(size, (size_t) DNS_UDP_MAX);
}

void
dns_reply_begin(struct dns_writer *w, struct dns_reply *reply,
                const struct dns_query *query, unsigned int flags)
{
    size_t size = reply_size(query) - (query->edns.is_there ? DNS_OPT_LEN : 0);

    flags |= DNS_QR | DNS_RA
             | (query->flags & (DNS_OPCODE_MASK | DNS_RD | DNS_CD));
    dns_begin(w, reply->data, size, query->id, (uint16_t) flags);
    if (query->question.name.len) {
        dns_put_question(w, &query->question);
    }
}

void
dns_reply_end(struct dns_writer *w, struct dns_reply *reply,
              const struct dns_query *query, unsigned int rcode)
{
    reply->data[3] |= rcode & DNS_RCODE_MASK;
    if (query->edns.is_there) {
        w->size += DNS_OPT_LEN;
        dns_put_opt(w, DNS_UDP_MAX, rcode, query->edns.dnssec_ok);
    }
    reply->len = dns_end(w);
}

void
dns_reply_error(struct dns_reply *reply, const struct dns_query *query,
                unsigned int rcode)
{
    struct dns_writer w;

    dns_reply_begin(&w, reply, query, 0);
    dns_reply_end(&w, reply, query, rcode);
}

/* --- Names of ours ------------------------------------------------------ */

/* What a question is about, once it is known to be ours. */
struct subject {
    const struct dns_zone *zone;  /* NULL: none, or the top domain itself */
    struct dns_name apex;         /* of the zone that answers */
    bool exists;
    const struct dns_host *host;  /* if it is a host's name */
    bool is_reverse;
    struct dns_reverse reverse;
};

static void
look_at_name(const struct dns_zone *zone, const struct dns_name *name,
             struct subject *s)
{
    unsigned int depth = dns_name_n_labels(name)
                         - dns_name_n_labels(dns_zone_domain(zone));

    s->zone = zone;
    s->apex = *dns_zone_domain(zone);
    s->exists = !depth;
    if (depth == 1) {
        s->host = dns_zone_find(zone, name->wire + 1, name->wire[0]);
        s->exists = s->host != NULL;
    }
}

static void
ignore_host(const struct dns_host *host UNUSED, void *aux UNUSED)
{
}

/* The apex of a reverse zone is a name whose every part lies in the subnet: of
 * 10.1.4.0/22 those of four /24. */
static void
look_at_reverse(const struct dns_zone *zone, const struct dns_name *name,
                const struct dns_reverse *r, struct subject *s)
{
    unsigned int n = dns_name_n_labels(name);

    s->zone = zone;
    s->is_reverse = true;
    s->reverse = *r;
    s->apex = *name;
    for (unsigned int i = 1; i < n; i++) {
        struct dns_name parent = dns_name_parent(name, i);
        struct dns_reverse above;

        if (!dns_reverse_parse(&parent, &above)
            || !dns_zone_has_reverse(zone, &above)) {
            break;
        }
        s->apex = parent;
    }
    s->exists = r->len < 128
                || dns_zone_find_addr(zone, &r->addr, ignore_host, NULL);
}

/* False: it is not ours. */
static bool
find_subject(const struct dns_view *view, const struct dns_name *name,
             struct subject *s)
{
    struct dns_reverse r;

    *s = (struct subject) { .zone = NULL };
    if (dns_name_is_in(name, &view->top)) {
        s->apex = view->top;
        s->exists = dns_name_eq(name, &view->top);
        for (unsigned int i = 0; i < view->n_zones && !s->zone; i++) {
            if (dns_name_is_in(name, dns_zone_domain(view->zones[i]))) {
                look_at_name(view->zones[i], name, s);
            }
        }
        return true;
    }
    if (!dns_reverse_parse(name, &r)) {
        return false;
    }
    for (unsigned int i = 0; i < view->n_zones && !s->exists; i++) {
        if (dns_zone_has_reverse(view->zones[i], &r)) {
            look_at_reverse(view->zones[i], name, &r, s);
        }
    }
    return s->zone != NULL;
}

/* --- Answers ------------------------------------------------------------ */

struct answer {
    struct dns_writer w;
    const struct dns_view *view;
    const struct dns_question *question;
    const struct subject *subject;
};

static bool
put_soa(struct answer *a, enum dns_section section, uint32_t ttl)
{
    const struct dns_zone *zone = a->subject->zone;
    struct dns_name server, mailbox;

    server = mailbox = zone ? *dns_zone_domain(zone) : a->view->top;
    if (dns_name_prepend(&server, "gateway", 7)
        || dns_name_prepend(&mailbox, "hostmaster", 10)) {
        server = mailbox = a->subject->apex;
    }
    return dns_put_soa(&a->w, section, &a->subject->apex, &server, &mailbox,
                       zone ? dns_zone_serial(zone) : 1, ttl);
}

static void
put_addresses(struct answer *a)
{
    const struct dns_host *host = a->subject->host;
    const struct dns_question *q = a->question;
    bool is_ip4 = q->type == DNS_A;

    for (unsigned int i = 0; i < (is_ip4 ? host->n_ip4 : host->n_ip6); i++) {
        dns_begin_record(&a->w, DNS_ANSWER, &q->name, q->type, DNS_TTL);
        if (is_ip4) {
            dns_put_bytes(&a->w, &host->ip4[i], sizeof host->ip4[i]);
        } else {
            dns_put_bytes(&a->w, &host->ip6[i], sizeof host->ip6[i]);
        }
        dns_end_record(&a->w);
    }
}

static void
put_ptr(const struct dns_host *host, void *a_)
{
    struct answer *a = a_;
    struct dns_name name = *dns_zone_domain(a->subject->zone);

    dns_name_prepend(&name, host->name, strlen(host->name));
    dns_begin_record(&a->w, DNS_ANSWER, &a->question->name, DNS_PTR, DNS_TTL);
    dns_put_name(&a->w, &name, true);
    dns_end_record(&a->w);
}

static void
put_ns(struct answer *a)
{
    struct dns_name server = *dns_zone_domain(a->subject->zone);

    if (!dns_name_prepend(&server, "gateway", 7)) {
        dns_begin_record(&a->w, DNS_ANSWER, &a->subject->apex, DNS_NS,
                         DNS_TTL);
        dns_put_name(&a->w, &server, true);
        dns_end_record(&a->w);
    }
}

/* RFC 8482: something small that says why there is not more. */
static void
put_hinfo(struct answer *a)
{
    static const char hinfo[] = "\7RFC8482\0";

    dns_begin_record(&a->w, DNS_ANSWER, &a->question->name, DNS_HINFO,
                     DNS_TTL);
    dns_put_bytes(&a->w, hinfo, sizeof hinfo - 1);
    dns_end_record(&a->w);
}

/* Puts what there is of the type. */
static void
put_answers(struct answer *a)
{
    const struct subject *s = a->subject;
    bool at_apex = dns_name_eq(&a->question->name, &s->apex);

    switch (a->question->type) {
    case DNS_A:
    case DNS_AAAA:
        if (s->host) {
            put_addresses(a);
        }
        break;
    case DNS_PTR:
        if (s->is_reverse && s->reverse.len == 128) {
            dns_zone_find_addr(s->zone, &s->reverse.addr, put_ptr, a);
        }
        break;
    case DNS_SOA:
        if (at_apex) {
            put_soa(a, DNS_ANSWER, DNS_TTL);
        }
        break;
    case DNS_NS:
        if (at_apex && s->zone) {
            put_ns(a);
        }
        break;
    case DNS_ANY:
        put_hinfo(a);
        break;
    default:
        break;
    }
}

static enum dns_event
answer_ours(const struct dns_view *view, const struct dns_query *query,
            const struct subject *subject, struct dns_reply *reply)
{
    struct answer a = { .view = view, .question = &query->question,
                        .subject = subject };
    bool any;

    dns_reply_begin(&a.w, reply, query, DNS_AA);
    if (subject->exists) {
        put_answers(&a);
    }
    any = a.w.counts[1 + DNS_ANSWER] || a.w.truncated;
    if (!any) {
        put_soa(&a, DNS_AUTHORITY, DNS_NEGATIVE_TTL);
    }
    dns_reply_end(&a.w, reply, query,
                  subject->exists ? DNS_NOERROR : DNS_NXDOMAIN);
    return any ? DNS_ANSWERED : subject->exists ? DNS_NO_DATA : DNS_NO_NAME;
}

/* What is wrong with a query, before it is looked at what it asks;
 * DNS_ANSWERED: nothing. */
static enum dns_event
find_fault(const struct dns_query *query, int err, unsigned int *rcode)
{
    const struct dns_question *q = &query->question;

    if (query->flags & DNS_OPCODE_MASK) {
        *rcode = DNS_NOTIMP;
        return DNS_NO_QUERY;
    }
    if (err) {
        *rcode = DNS_FORMERR;
        return DNS_MALFORMED;
    }
    if (query->edns.is_there && query->edns.version) {
        *rcode = DNS_BADVERS;
        return DNS_EDNS_VERSION;
    }
    *rcode = DNS_REFUSED;
    return q->class != DNS_IN ? DNS_BAD_CLASS
           : q->type == DNS_AXFR || q->type == DNS_IXFR ? DNS_TRANSFER
           : DNS_ANSWERED;
}

enum dns_event
dns_answer(const struct dns_view *view, const void *data, size_t len,
           struct dns_query *query, struct dns_reply *reply)
{
    struct subject subject;
    enum dns_event fault;
    unsigned int rcode;
    int err = dns_query_decode(data, len, query);

    reply->len = 0;
    if (err == -EBADMSG) {
        return DNS_DROP_SHORT;
    }
    if (query->flags & DNS_QR) {
        return DNS_DROP_RESPONSE;
    }
    fault = find_fault(query, err, &rcode);
    if (fault != DNS_ANSWERED) {
        if (err) {
            /* What was read of it may be anything. */
            query->question.name.len = 0;
            query->edns.is_there = false;
        }
        dns_reply_error(reply, query, rcode);
        return fault;
    }
    if (!find_subject(view, &query->question.name, &subject)) {
        return DNS_FORWARD;
    }
    return answer_ours(view, query, &subject, reply);
}
