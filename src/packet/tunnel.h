/* What a tunnel's outer headers say of a packet, both ways.
 *
 * A tunnel port that receives fills it in (src is the far end, dst ours); a flow
 * entry's tun_ fields become it before an output, and the tunnel port that sends
 * reads it: what is not there, or zero, is the port's own.
 *
 * Addresses of IPv4 are in their v4-mapped form.  Options are Geneve's (RFC
 * 8926, 3.5), as on the wire; which of them are tun_metadata fields a struct
 * tunnel_option_map says. */
#ifndef WEFT_PACKET_TUNNEL_H
#define WEFT_PACKET_TUNNEL_H

#include "lib/types.h"

enum {
    TUNNEL_MAX_OPTIONS = 252,     /* bytes */
    TUNNEL_N_FIELDS = 32,         /* tun_metadata0 to 31 */
    TUNNEL_OPTION_HEADER = 4,
};

/* In flags; values are those of Open vSwitch's tun_flags. */
enum tunnel_flags {
    TUNNEL_F_OAM = 0x1,
    TUNNEL_F_DF = 0x2,            /* not to be fragmented on the way */
    TUNNEL_F_CSUM = 0x4,          /* there is a checksum */
    TUNNEL_F_KEY = 0x8,           /* there is a key */
};

/* In family, beside 4 and 6. */
enum {
    TUNNEL_NONE = 0,              /* nothing is known of a tunnel */
    TUNNEL_NO_ADDRESS = 1,        /* only what has no addresses is set */
};

/* Option header: class, type, three reserved bits and the length in words. */
enum { TUNNEL_OPTION_CRITICAL = 0x80, TUNNEL_OPTION_LEN_MASK = 0x1f };

struct tunnel_key {
    uint8_t family;               /* 4, 6 or one of the above; when it is
                                     TUNNEL_NONE nothing else has a meaning */
    uint8_t tos, ttl;
    uint8_t n_options;            /* bytes, a multiple of 4 */
    be16 flags;                   /* enum tunnel_flags */
    be16 gbp_id;
    uint8_t gbp_flags;
    uint8_t unused[7];
    be64 id;                      /* VNI, GRE's key */
    struct ip6_addr src, dst;
    uint8_t options[TUNNEL_MAX_OPTIONS];
};

/* How much of it counts. */
static inline size_t
tunnel_key_len(const struct tunnel_key *key)
{
    return offsetof(struct tunnel_key, options) + key->n_options;
}

static inline void
tunnel_key_copy(struct tunnel_key *to, const struct tunnel_key *from)
{
    memcpy(to, from, offsetof(struct tunnel_key, options));
    if (UNLIKELY(from->n_options)) {
        memcpy(to->options, from->options, from->n_options);
    }
}

/* Which options are fields.  An option's value lies at the end of its field. */
struct tunnel_option_map {
    uint32_t mapped;              /* bit n: tun_metadata<n> */
    struct tunnel_option {
        uint16_t class;
        uint8_t type;             /* with TUNNEL_OPTION_CRITICAL */
        uint8_t len;              /* bytes of the value: a multiple of 4 */
        uint16_t ofs;             /* of the value, in the key's tun_metadata */
    } options[TUNNEL_N_FIELDS];
};

struct flow_key;
struct flow_key_fields;

/* The key's words of the tunnel, without its options. */
void tunnel_key_extract(const struct tunnel_key *, struct flow_key *);
/* And those of its options that are fields.  False: one that is not is critical
 * (RFC 8926, 3.5: the packet is to be dropped). */
bool tunnel_key_extract_options(const struct tunnel_key *,
                                const struct tunnel_option_map *,
                                struct flow_key *);
/* Back: what such fields say, with the options for which `present` has a bit. */
void tunnel_key_from_fields(const struct flow_key_fields *,
                            const struct tunnel_option_map *,
                            uint32_t present, struct tunnel_key *);

/* "192.0.2.1->192.0.2.2,id=5001,ttl=64,tos=0,flags=df|csum,options=8" */
struct str;
void tunnel_key_format(const struct tunnel_key *, struct str *);

#endif
