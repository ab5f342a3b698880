#include "packet/tunnel.h"

#include <inttypes.h>

#include "lib/str.h"
#include "packet/address.h"
#include "packet/flow_key.h"

/* Words tun_id to tun_tos. */
enum {
    FIRST_WORD = FLOW_WORD(tun_id),
    N_TUNNEL_WORDS = FLOW_WORD(tun_tos) - FLOW_WORD(tun_id) + 1,
};
static_assert((int) N_TUNNEL_WORDS == 6, "tunnel_key_extract() writes them all");

void
tunnel_key_extract(const struct tunnel_key *tun, struct flow_key *key)
{
    key->f.tun_id = tun->id;
    key->f.tun_src = tun->src;
    key->f.tun_dst = tun->dst;
    key->f.tun_tos = tun->tos;
    key->f.tun_ttl = tun->ttl;
    key->f.tun_flags = tun->flags;
    key->f.tun_gbp_id = tun->gbp_id;
    key->f.tun_gbp_flags = tun->gbp_flags;
    key->f.tun_family = tun->family == TUNNEL_NO_ADDRESS ? 0 : tun->family;
    key->map |= ((UINT64_C(1) << N_TUNNEL_WORDS) - 1) << FIRST_WORD;
}

/* ---- Options ---- */

/* The one at `at`, or NULL where the rest is none. */
static const uint8_t *
option_at(const struct tunnel_key *tun, unsigned int at, unsigned int *len)
{
    const uint8_t *option = &tun->options[at];

    if (at + TUNNEL_OPTION_HEADER > tun->n_options) {
        return NULL;
    }
    *len = 4u * (option[3] & TUNNEL_OPTION_LEN_MASK);
    return at + TUNNEL_OPTION_HEADER + *len <= tun->n_options ? option : NULL;
}

static const struct tunnel_option *
find_option(const struct tunnel_option_map *map, const uint8_t *option,
            unsigned int len)
{
    uint16_t class = (uint16_t) (option[0] << 8 | option[1]);

    for (uint32_t left = map ? map->mapped : 0; left; left &= left - 1) {
        const struct tunnel_option *o
            = &map->options[__builtin_ctz(left)];

        if (o->class == class && o->type == option[2] && o->len == len) {
            return o;
        }
    }
    return NULL;
}

static void
write_metadata(struct flow_key *key, unsigned int ofs, const uint8_t *value,
               unsigned int len)
{
    unsigned int first = FLOW_WORD(tun_metadata) + ofs / 8;
    unsigned int last = FLOW_WORD(tun_metadata) + (ofs + len - 1) / 8;

    for (unsigned int i = first; i <= last; i++) {
        key->w[i] &= -(key->map >> i & 1);
        key->map |= UINT64_C(1) << i;
    }
    memcpy(&key->f.tun_metadata[ofs], value, len);
}

bool
tunnel_key_extract_options(const struct tunnel_key *tun,
                           const struct tunnel_option_map *map,
                           struct flow_key *key)
{
    const uint8_t *option;
    unsigned int len;

    for (unsigned int at = 0; (option = option_at(tun, at, &len));
         at += TUNNEL_OPTION_HEADER + len) {
        const struct tunnel_option *o = find_option(map, option, len);

        if (o && len) {
            write_metadata(key, o->ofs, option + TUNNEL_OPTION_HEADER, len);
        } else if (!o && option[2] & TUNNEL_OPTION_CRITICAL) {
            return false;
        }
    }
    return true;
}

static void
add_option(struct tunnel_key *tun, const struct tunnel_option *o,
           const uint8_t *value)
{
    uint8_t *option = &tun->options[tun->n_options];

    if (tun->n_options + TUNNEL_OPTION_HEADER + o->len
        > TUNNEL_MAX_OPTIONS) {
        return;
    }
    option[0] = (uint8_t) (o->class >> 8);
    option[1] = (uint8_t) o->class;
    option[2] = o->type;
    option[3] = o->len / 4;
    memcpy(option + TUNNEL_OPTION_HEADER, value, o->len);
    tun->n_options = (uint8_t) (tun->n_options + TUNNEL_OPTION_HEADER
                                + o->len);
}

void
tunnel_key_from_fields(const struct flow_key_fields *fields,
                       const struct tunnel_option_map *map, uint32_t present,
                       struct tunnel_key *tun)
{
    *tun = (struct tunnel_key) {
        .family = fields->tun_family ? fields->tun_family
                                     : TUNNEL_NO_ADDRESS,
        .tos = fields->tun_tos, .ttl = fields->tun_ttl,
        .flags = fields->tun_flags, .gbp_id = fields->tun_gbp_id,
        .gbp_flags = fields->tun_gbp_flags, .id = fields->tun_id,
        .src = fields->tun_src, .dst = fields->tun_dst,
    };
    for (present &= map ? map->mapped : 0; present; present &= present - 1) {
        const struct tunnel_option *o
            = &map->options[__builtin_ctz(present)];

        add_option(tun, o, &fields->tun_metadata[o->ofs]);
    }
}

/* ---- Text ---- */

static void
format_address(struct ip6_addr address, struct str *s)
{
    char text[ADDRESS_TEXT_SIZE];

    if (!ip6_addr_is_set(address)) {
        str_add(s, "-");
    } else if (ip6_is_mapped4(&address)) {
        str_add(s, ip4_format(get_be32(&address.b[12]), text));
    } else {
        str_add(s, ip6_format(address, text));
    }
}

void
tunnel_key_format(const struct tunnel_key *tun, struct str *s)
{
    static const char *const names[] = { "oam", "df", "csum", "key" };
    uint16_t flags = be16toh(tun->flags);

    format_address(tun->src, s);
    str_add(s, "->");
    format_address(tun->dst, s);
    str_addf(s, ",id=%" PRIu64 ",tos=%u,ttl=%u", be64toh(tun->id), tun->tos,
             tun->ttl);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (flags >> i & 1) {
            str_addf(s, ",%s", names[i]);
        }
    }
    if (tun->n_options) {
        str_addf(s, ",options=%u bytes", tun->n_options);
    }
}
