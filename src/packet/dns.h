/* DNS messages (RFC 1035), with EDNS (RFC 6891): read, written, copied.
 *
 * A name is kept as on the wire, without compression and in the case in which
 * it came; comparisons ignore ASCII case.  Reading follows compression pointers
 * backwards only, each further than the one before, so that it ends.
 *
 * Writing puts a message together record by record.  A record that does not fit
 * is left out whole and the message says that it is truncated:
 *
 *     dns_begin -> dns_put_question -> dns_put_* ... -> dns_end
 *
 * Records of others are copied by rdata layout (dns_put_copy): names inside are
 * unfolded and written anew, the rest is taken as bytes (RFC 3597). */
#ifndef WEFT_PACKET_DNS_H
#define WEFT_PACKET_DNS_H

#include "lib/str.h"
#include "lib/types.h"
#include "packet/cursor.h"

enum {
    DNS_PORT = 53,
    DNS_HEADER_LEN = 12,
    DNS_NAME_MAX = 255,
    DNS_LABEL_MAX = 63,
    DNS_UDP_MIN = 512,            /* what everybody takes without EDNS */
    DNS_UDP_MAX = 1232,           /* what passes everywhere unfragmented */
    DNS_OPT_LEN = 11,
};

enum dns_flags {
    DNS_QR = 0x8000,              /* it is an answer */
    DNS_OPCODE_MASK = 0x7800,     /* 0: a query */
    DNS_AA = 0x0400,
    DNS_TC = 0x0200,
    DNS_RD = 0x0100,
    DNS_RA = 0x0080,
    DNS_AD = 0x0020,
    DNS_CD = 0x0010,
    DNS_RCODE_MASK = 0x000f,
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_BADVERS = 16,             /* its upper bits are in the OPT record */
};

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_HINFO = 13,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_DNAME = 39,
    DNS_OPT = 41,
    DNS_DS = 43,
    DNS_RRSIG = 46,
    DNS_NSEC = 47,
    DNS_NSEC3 = 50,
    DNS_IXFR = 251,
    DNS_AXFR = 252,
    DNS_ANY = 255,
};

enum { DNS_IN = 1 };

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL,
                   N_DNS_SECTIONS };

/* --- Names -------------------------------------------------------------- */

struct dns_name {
    uint8_t len;                  /* with the root's zero: 1 or more */
    uint8_t wire[DNS_NAME_MAX];
};

/* "web.blue.weft", with or without the last dot; "." is the root.  -EINVAL:
 * no name, or too long. */
int dns_name_parse(const char *text, struct dns_name *);
/* Without a last dot; bytes that are no part of a host name as \DDD. */
void dns_name_format(const struct dns_name *, struct str *);
bool dns_name_eq(const struct dns_name *, const struct dns_name *);
/* Is it `zone`, or below? */
bool dns_name_is_in(const struct dns_name *, const struct dns_name *zone);
unsigned int dns_name_n_labels(const struct dns_name *);
/* The name without its first `n` labels; n <= their number. */
struct dns_name dns_name_parent(const struct dns_name *, unsigned int n);
/* One label before the name.  -EINVAL: too long, or empty. */
int dns_name_prepend(struct dns_name *, const char *label, size_t len);
/* In small letters: for hashes and keys. */
void dns_name_fold(struct dns_name *);

/* Reads at the cursor, which lies in `message`. */
int dns_name_decode(struct cursor message, struct cursor *,
                    struct dns_name *);

/* --- Reading ------------------------------------------------------------ */

struct dns_header {
    uint16_t id;
    uint16_t flags;
    uint16_t n_questions;
    uint16_t n_records[N_DNS_SECTIONS];
};

struct dns_question {
    struct dns_name name;
    uint16_t type;
    uint16_t class;
};

struct dns_record {
    struct dns_name name;
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    const uint8_t *rdata;         /* in the message */
    uint16_t rdata_len;
    enum dns_section section;
};

/* Of an OPT record. */
struct dns_edns {
    bool is_there;
    uint16_t udp_size;
    uint8_t version;
    bool dnssec_ok;
};

/* A message that asks one question. */
struct dns_query {
    uint16_t id;
    uint16_t flags;
    struct dns_question question;
    struct dns_edns edns;
};

/* -EBADMSG: not even a header.  Steps over it. */
int dns_header_decode(struct cursor *, struct dns_header *);
/* 0, or -EPROTO: malformed, to be answered so (id and flags are set); -EBADMSG:
 * too short for an answer. */
int dns_query_decode(const void *data, size_t len, struct dns_query *);

/* A walk through an answer: header, question, then each record. */
struct dns_reader {
    struct cursor message;
    struct cursor at;
    struct dns_header header;
    struct dns_question question; /* if header.n_questions is 1 */
    uint16_t n_read[N_DNS_SECTIONS];
};

/* -EBADMSG; -EPROTO: not exactly one question. */
int dns_reader_init(struct dns_reader *, const void *data, size_t len);
/* 1: a record; 0: no more; -EBADMSG. */
int dns_reader_next(struct dns_reader *, struct dns_record *);
/* The first `n` names within the rdata, by its type's layout.  -EBADMSG also if
 * there are fewer, or bytes missing behind them. */
int dns_record_names(const struct dns_reader *, const struct dns_record *,
                     struct dns_name *names, unsigned int n);
/* What a resolver may remember a negative answer for: RFC 2308. */
int dns_soa_negative_ttl(const struct dns_reader *,
                         const struct dns_record *, uint32_t *ttl);
struct dns_edns dns_record_edns(const struct dns_record *);

/* --- Writing ------------------------------------------------------------ */

enum { DNS_MAX_TARGETS = 64 };

struct dns_writer {
    uint8_t *data;
    size_t size;
    size_t len;
    uint16_t counts[1 + N_DNS_SECTIONS];
    size_t record;                /* where the open record begins */
    size_t rdata;                 /* ... and its rdata */
    enum dns_section section;
    bool overrun;                 /* of the open record */
    bool truncated;
    /* Names that were written, for pointers to them. */
    unsigned int n_targets;
    uint16_t targets[DNS_MAX_TARGETS];
};

/* `size` has room for the header and a question. */
void dns_begin(struct dns_writer *, void *data, size_t size, uint16_t id,
               uint16_t flags);
void dns_put_question(struct dns_writer *, const struct dns_question *);
/* Then dns_put_bytes(), dns_put_name(), dns_put_u16/u32, dns_end_record(). */
void dns_begin_record(struct dns_writer *, enum dns_section,
                      const struct dns_name *, uint16_t type, uint32_t ttl);
void dns_put_bytes(struct dns_writer *, const void *, size_t len);
void dns_put_u16(struct dns_writer *, uint16_t);
void dns_put_u32(struct dns_writer *, uint32_t);
/* With `compress`: RFC 3597 allows that in the oldest types only. */
void dns_put_name(struct dns_writer *, const struct dns_name *,
                  bool compress);
/* False: it did not fit, and is not there. */
bool dns_end_record(struct dns_writer *);

/* Whole records. */
bool dns_put_soa(struct dns_writer *, enum dns_section,
                 const struct dns_name *zone, const struct dns_name *server,
                 const struct dns_name *mailbox, uint32_t serial,
                 uint32_t ttl);
/* Its name and what follows from `ttl` on, rewritten.  False: no room, or the
 * rdata is not what its type says. */
bool dns_put_copy(struct dns_writer *, const struct dns_reader *,
                  const struct dns_record *, uint32_t ttl);
/* Room for it must have been left (DNS_OPT_LEN). */
void dns_put_opt(struct dns_writer *, uint16_t udp_size, unsigned int rcode,
                 bool dnssec_ok);
/* Fills the header in; returns the message's length. */
size_t dns_end(struct dns_writer *);

/* The query that asks `question` of another server, EDNS included. */
size_t dns_query_encode(const struct dns_query *, void *data, size_t size);

#endif
