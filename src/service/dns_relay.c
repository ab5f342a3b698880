#include "service/dns_relay.h"

enum { MAX_CHAIN = 16 };

/* The names that the question led to so far. */
struct chain {
    unsigned int n;
    struct dns_name names[MAX_CHAIN];
};

static bool
is_in_chain(const struct chain *chain, const struct dns_name *name)
{
    for (unsigned int i = 0; i < chain->n; i++) {
        if (dns_name_eq(&chain->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Is one of them below the name, or the name itself? */
static bool
is_above_chain(const struct chain *chain, const struct dns_name *name)
{
    for (unsigned int i = 0; i < chain->n; i++) {
        if (dns_name_is_in(&chain->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* 1: it belongs to the answer; 0: it does not; -EBADMSG. */
static int
judge_answer(struct chain *chain, const struct dns_reader *r,
             const struct dns_query *asked, const struct dns_record *rec)
{
    bool here = is_in_chain(chain, &rec->name);
    uint16_t type = asked->question.type;

    if (rec->type == DNS_DNAME) {
        return is_above_chain(chain, &rec->name);
    }
    if (rec->type == DNS_RRSIG && asked->edns.dnssec_ok) {
        return is_above_chain(chain, &rec->name);
    }
    if (!here) {
        return 0;
    }
    if (rec->type != DNS_CNAME || type == DNS_CNAME) {
        return rec->type == type || type == DNS_ANY;
    }
    if (chain->n == MAX_CHAIN
        || dns_record_names(r, rec, &chain->names[chain->n], 1)) {
        return -EBADMSG;
    }
    chain->n++;
    return 1;
}

static bool
judge_authority(const struct chain *chain, const struct dns_query *asked,
                const struct dns_record *rec)
{
    switch (rec->type) {
    case DNS_SOA:
        return is_above_chain(chain, &rec->name);
    case DNS_NSEC:
    case DNS_NSEC3:
    case DNS_RRSIG:
    case DNS_DS:
        return asked->edns.dnssec_ok;
    default:
        return false;
    }
}

static int
judge(struct chain *chain, const struct dns_reader *r,
      const struct dns_query *asked, const struct dns_record *rec)
{
    if (rec->class != DNS_IN) {
        return 0;
    }
    switch (rec->section) {
    case DNS_ANSWER:
        return judge_answer(chain, r, asked, rec);
    case DNS_AUTHORITY:
        return judge_authority(chain, asked, rec);
    default:
        return 0;
    }
}

/* Notes what a record says about how long the answer is good. */
struct lifetime {
    uint32_t answers;             /* the shortest of them */
    uint32_t negative;            /* the SOA's; UINT32_MAX: there was none */
    bool has_final;               /* more than CNAMEs */
};

/* RFC 2181, section 8. */
static uint32_t
real_ttl(const struct dns_record *rec)
{
    return rec->ttl > INT32_MAX ? 0 : rec->ttl;
}

static int
note_lifetime(struct lifetime *life, const struct dns_reader *r,
              const struct dns_query *asked, const struct dns_record *rec)
{
    if (rec->section == DNS_ANSWER) {
        life->answers = MIN(life->answers, real_ttl(rec));
        life->has_final |= rec->type == asked->question.type
                           || asked->question.type == DNS_ANY;
    } else if (rec->type == DNS_SOA) {
        return dns_soa_negative_ttl(r, rec, &life->negative);
    }
    return 0;
}

static uint32_t
time_to_keep(const struct lifetime *life, unsigned int rcode)
{
    if (rcode == DNS_NOERROR && life->has_final) {
        return MIN(life->answers, (uint32_t) DNS_CACHE_MAX_TTL);
    }
    if ((rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN)
        || life->negative == UINT32_MAX) {
        return 0;
    }
    return MIN(MIN(life->answers, life->negative),
               (uint32_t) DNS_CACHE_MAX_NEGATIVE_TTL);
}

int
dns_clean(struct dns_reader *r, const struct dns_query *asked,
          struct dns_clean *clean)
{
    struct lifetime life = { UINT32_MAX, UINT32_MAX, false };
    struct chain chain = { .n = 1, .names = { asked->question.name } };
    unsigned int keep_flags = DNS_QR | DNS_TC | DNS_RA | DNS_AD;
    struct dns_writer w;
    struct dns_record rec;
    int more, keep;

    clean->n_ignored = 0;
    clean->rcode = r->header.flags & DNS_RCODE_MASK;
    dns_begin(&w, clean->data, sizeof clean->data, 0,
              (uint16_t) (r->header.flags & keep_flags));
    dns_put_question(&w, &asked->question);
    while ((more = dns_reader_next(r, &rec)) == 1) {
        if (rec.section == DNS_ADDITIONAL && rec.type == DNS_OPT) {
            clean->rcode |= rec.ttl >> 24 << 4;
            continue;
        }
        keep = judge(&chain, r, asked, &rec);
        if (keep > 0) {
            keep = note_lifetime(&life, r, asked, &rec);
            keep = keep ? keep
                   : dns_put_copy(&w, r, &rec, real_ttl(&rec)) || w.truncated
                     ? 1 : -EBADMSG;
        } else if (!keep) {
            clean->n_ignored++;
        }
        if (keep < 0) {
            return keep;
        }
    }
    if (more < 0) {
        return more;
    }
    if (clean->rcode > DNS_RCODE_MASK) {
        clean->rcode = DNS_SERVFAIL;      /* between it and us */
    }
    clean->data[3] |= clean->rcode & DNS_RCODE_MASK;
    clean->len = dns_end(&w);
    clean->ttl = w.truncated || r->header.flags & DNS_TC
                 ? 0 : time_to_keep(&life, clean->rcode);
    return 0;
}

/* RFC 4035, 3.2.1: those who did not ask for DNSSEC are told if they know what
 * the bit means. */
static unsigned int
flags_for(const struct dns_query *query, unsigned int flags)
{
    bool knows_ad = query->edns.dnssec_ok || query->flags & DNS_AD;

    return flags & (DNS_TC | (knows_ad ? DNS_AD : 0u));
}

void
dns_relay(const void *message, size_t len, uint32_t age,
          const struct dns_query *query, struct dns_reply *reply)
{
    struct dns_reader r;
    struct dns_writer w;
    struct dns_record rec;

    dns_reader_init(&r, message, len);
    dns_reply_begin(&w, reply, query, flags_for(query, r.header.flags));
    while (dns_reader_next(&r, &rec) == 1) {
        dns_put_copy(&w, &r, &rec, rec.ttl > age ? rec.ttl - age : 0);
    }
    dns_reply_end(&w, reply, query, r.header.flags & DNS_RCODE_MASK);
}
