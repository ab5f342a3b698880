#include "openflow/flow_text.h"

#include "packet/eth.h"
#include "packet/ip.h"

/* One word for an Ethertype and a protocol.  Where several rows say the same,
 * the first is printed. */
static const struct shorthand {
    const char *word;
    uint16_t eth_type;
    uint8_t nw_proto;             /* 0: any */
} shorthands[] = {
    { "ip", ETH_TYPE_IP, 0 },
    { "ipv6", ETH_TYPE_IPV6, 0 },
    { "ip6", ETH_TYPE_IPV6, 0 },
    { "arp", ETH_TYPE_ARP, 0 },
    { "rarp", ETH_TYPE_RARP, 0 },
    { "mpls", ETH_TYPE_MPLS, 0 },
    { "mplsm", ETH_TYPE_MPLS_MCAST, 0 },
    { "pbb", ETH_TYPE_PBB, 0 },
    { "icmp", ETH_TYPE_IP, IP_PROTO_ICMP },
    { "icmp6", ETH_TYPE_IPV6, IP_PROTO_ICMPV6 },
    { "tcp", ETH_TYPE_IP, IP_PROTO_TCP },
    { "tcp6", ETH_TYPE_IPV6, IP_PROTO_TCP },
    { "udp", ETH_TYPE_IP, IP_PROTO_UDP },
    { "udp6", ETH_TYPE_IPV6, IP_PROTO_UDP },
    { "sctp", ETH_TYPE_IP, IP_PROTO_SCTP },
    { "sctp6", ETH_TYPE_IPV6, IP_PROTO_SCTP },
};

/* Words that stand for different fields in different packets (all on the same
 * bits), or whose value is not written as the field's. */
struct match_word {
    const char *word;
    const char *needs;            /* when no field's prerequisites are met */
    enum field_id fields[3];
    unsigned int n_fields;
    int (*parse)(const struct flow_text *, const struct item *,
                 struct match_text *);
};

static int parse_dl_vlan(const struct flow_text *, const struct item *,
                         struct match_text *);
static int parse_vlan_pcp(const struct flow_text *, const struct item *,
                          struct match_text *);
static int parse_nw_tos(const struct flow_text *, const struct item *,
                        struct match_text *);

static const struct match_word match_words[] = {
    { "tp_src", "tcp, udp or sctp (or tcp6, udp6, sctp6), and not later "
      "fragments", { FIELD_TCP_SRC, FIELD_UDP_SRC, FIELD_SCTP_SRC }, 3, NULL },
    { "tp_dst", "tcp, udp or sctp (or tcp6, udp6, sctp6), and not later "
      "fragments", { FIELD_TCP_DST, FIELD_UDP_DST, FIELD_SCTP_DST }, 3, NULL },
    { "icmp_type", "icmp or icmp6, and not later fragments",
      { FIELD_ICMPV4_TYPE, FIELD_ICMPV6_TYPE }, 2, NULL },
    { "icmp_code", "icmp or icmp6, and not later fragments",
      { FIELD_ICMPV4_CODE, FIELD_ICMPV6_CODE }, 2, NULL },
    { "nw_src", "ip or arp", { FIELD_IPV4_SRC, FIELD_ARP_SPA }, 2, NULL },
    { "nw_dst", "ip or arp", { FIELD_IPV4_DST, FIELD_ARP_TPA }, 2, NULL },
    { "nw_proto", "ip, ipv6 or arp", { FIELD_IP_PROTO, FIELD_ARP_OP }, 2,
      NULL },
    { "dl_vlan", "", { FIELD_VLAN_TCI }, 1, parse_dl_vlan },
    { "dl_vlan_pcp", "", { FIELD_VLAN_TCI }, 1, parse_vlan_pcp },
    { "vlan_pcp", "", { FIELD_VLAN_TCI }, 1, parse_vlan_pcp },
    { "nw_tos", "ip or ipv6", { FIELD_IP_DSCP }, 1, parse_nw_tos },
};

/* ---- Parse ---- */

/* Both kinds of tunnel address lie on the same bits; the match remembers which
 * kind it has. */
static bool
is_other_tunnel(enum field_id id, u128 value, const struct match *match)
{
    uint8_t family = match->value.key.tun_family;
    bool is_ipv4 = id == FIELD_TUN_SRC || id == FIELD_TUN_DST;
    bool is_ipv6 = id == FIELD_TUN_IPV6_SRC || id == FIELD_TUN_IPV6_DST;

    return value && ((is_ipv4 && family == 6) || (is_ipv6 && family == 4));
}

/* Sets the field unless the match says otherwise already. */
static int
set(const struct flow_text *ft, struct span word, struct match_text *mt,
    enum field_id id, u128 value, u128 mask)
{
    const struct field *field = field_by_id(id);
    struct match *match = &mt->match;
    u128 both = field_get(field, &match->mask.bits) & mask;

    if ((field_get(field, &match->value) ^ value) & both
        || is_other_tunnel(id, value, match)) {
        return flow_text_fail(ft, word.s, "%.*s contradicts what the match "
                              "says before", (int) word.len, word.s);
    }
    /* Keep the bits that are there. */
    match_set(match, id, value | field_get(field, &match->value),
              mask | field_get(field, &match->mask.bits));
    return 0;
}

static int
parse_dl_vlan(const struct flow_text *ft, const struct item *item,
              struct match_text *mt)
{
    uint64_t vid;
    int err = flow_text_number(ft, item->value, "dl_vlan", 0xffff, &vid);

    if (err) {
        return err;
    }
    if (vid == 0xffff) {
        return set(ft, item->word, mt, FIELD_VLAN_TCI, 0, 0xffff);
    }
    if (vid > VLAN_VID_MASK) {
        return flow_text_fail(ft, item->value.s, "dl_vlan is 0 to 4095, or "
                              "0xffff for packets without a tag");
    }
    return set(ft, item->word, mt, FIELD_VLAN_VID, FLOW_VLAN_PRESENT | vid,
               FLOW_VLAN_PRESENT | VLAN_VID_MASK);
}

static int
parse_vlan_pcp(const struct flow_text *ft, const struct item *item,
               struct match_text *mt)
{
    uint64_t pcp;
    int err = flow_text_number(ft, item->value, "vlan_pcp", 7, &pcp);

    if (err) {
        return err;
    }
    return set(ft, item->word, mt, FIELD_VLAN_TCI,
               FLOW_VLAN_PRESENT | pcp << VLAN_PCP_SHIFT,
               FLOW_VLAN_PRESENT | 7 << VLAN_PCP_SHIFT);
}

/* The whole octet is written, the two low bits are ECN's and do not count. */
static int
parse_nw_tos(const struct flow_text *ft, const struct item *item,
             struct match_text *mt)
{
    uint64_t tos;
    int err = flow_text_number(ft, item->value, "nw_tos", 0xff, &tos);

    if (err) {
        return err;
    }
    return set(ft, item->word, mt, FIELD_IP_DSCP, tos >> 2, 0x3f);
}

static int
parse_shorthand(const struct flow_text *ft, const struct item *item,
                const struct shorthand *sh, struct match_text *mt)
{
    int err = flow_text_want_none(ft, item);

    err = err ? err : set(ft, item->word, mt, FIELD_ETH_TYPE, sh->eth_type,
                          0xffff);
    if (!err && sh->nw_proto) {
        err = set(ft, item->word, mt, FIELD_IP_PROTO, sh->nw_proto, 0xff);
    }
    return err;
}

static const struct match_word *
find_special(struct span word)
{
    for (size_t i = 0; i < ARRAY_SIZE(match_words); i++) {
        if (span_is(word, match_words[i].word)) {
            return &match_words[i];
        }
    }
    return NULL;
}

static int
parse_field(const struct flow_text *ft, const struct item *item,
            const struct match_word *special, const struct field *field,
            struct match_text *mt)
{
    u128 value, mask;
    int err = flow_text_want_value(ft, item);

    if (err) {
        return err;
    }
    if (item->mark != '=') {
        return flow_text_fail(ft, item->word.s, "write %.*s=VALUE",
                              (int) item->word.len, item->word.s);
    }
    if (mt->n == MATCH_TEXT_MAX) {
        return flow_text_fail(ft, item->word.s, "too many match fields");
    }
    if (span_is(item->value, "*")) {
        return 0;
    }
    mt->seen[mt->n].word = item->word;
    mt->seen[mt->n].special = special;
    mt->seen[mt->n++].field = field;
    if (special && special->parse) {
        return special->parse(ft, item, mt);
    }
    err = flow_text_value(ft, field, item->value, &value, &mask);
    if (err) {
        return err;
    }
    if (mask != field_ones(field) && !(field->flags & FIELD_MASKABLE)) {
        return flow_text_fail(ft, item->value.s, "%.*s cannot be masked",
                              (int) item->word.len, item->word.s);
    }
    return set(ft, item->word, mt, field->id, value, mask);
}

int
match_text_item(const struct flow_text *ft, const struct item *item,
                struct match_text *mt)
{
    const struct match_word *special = find_special(item->word);
    const struct field *field;
    int err;

    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++) {
        if (span_is(item->word, shorthands[i].word)) {
            err = parse_shorthand(ft, item, &shorthands[i], mt);
            return err ? err : 1;
        }
    }
    field = special ? field_by_id(special->fields[0])
                    : flow_text_field(item->word);
    if (!field) {
        return 0;
    }
    err = parse_field(ft, item, special, field, mt);
    return err ? err : 1;
}

static bool
special_prereq_met(const struct match_word *special, const struct flow *flow)
{
    for (unsigned int i = 0; i < special->n_fields; i++) {
        if (field_prereq_met(field_by_id(special->fields[i]), flow)) {
            return true;
        }
    }
    return false;
}

int
match_text_finish(const struct flow_text *ft, struct match_text *mt)
{
    const struct flow *flow = &mt->match.value;
    struct str why = STR_INIT;
    int err = 0;

    if (field_prereq_met(field_by_id(FIELD_ARP_OP), flow)
        && mt->match.mask.bits.key.nw_proto) {
        /* nw_proto is arp_op's low byte, and the other is meant to be 0. */
        mt->match.mask.bits.key.arp_op = UINT16_MAX;
    }
    for (unsigned int i = 0; i < mt->n; i++) {
        const struct match_word *special = mt->seen[i].special;
        struct span word = mt->seen[i].word;

        if (special ? !special_prereq_met(special, flow)
                    : !field_prereq_met(mt->seen[i].field, flow)) {
            return flow_text_fail(ft, word.s, "%.*s needs %s",
                                  (int) word.len, word.s,
                                  special ? special->needs
                                  : field_prereq_text(mt->seen[i].field));
        }
    }
    if (match_check(&mt->match, &why) != OF_OK) {
        err = flow_text_fail(ft, ft->start, "%s", str_text(&why));
    }
    str_fini(&why);
    return err;
}

size_t
match_text_words(const char **words, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(shorthands) && n < max; i++) {
        words[n++] = shorthands[i].word;
    }
    for (size_t i = 0; i < ARRAY_SIZE(match_words) && n < max; i++) {
        words[n++] = match_words[i].word;
    }
    for (unsigned int i = 0; i < N_FIELDS && n + 1 < max; i++) {
        const struct field *field = field_by_id(i);

        words[n++] = field->name;
        if (field->alias) {
            words[n++] = field->alias;
        }
    }
    return n;
}

int
match_parse(const char *text, const struct flow_text_names *names,
            struct match *match, struct str *error)
{
    struct flow_text ft = { text, names, error, 0, NULL };
    struct span rest = { text, strlen(text) };
    struct match_text mt = { .n = 0 };
    struct item item;
    int err;

    while ((err = flow_text_next(&ft, &rest, &item)) > 0) {
        err = match_text_item(&ft, &item, &mt);
        if (!err) {
            const char *words[2 * N_FIELDS + 64];

            words[match_text_words(words, ARRAY_SIZE(words) - 1)] = NULL;
            err = flow_text_unknown(&ft, item.word, "field", words);
        }
        if (err < 0) {
            return err;
        }
    }
    err = err ? err : match_text_finish(&ft, &mt);
    if (!err) {
        *match = mt.match;
    }
    return err;
}

/* ---- Format ---- */

static const struct shorthand *
find_shorthand(const struct match *match)
{
    uint16_t eth_type = be16toh(match->value.key.eth_type);
    uint8_t nw_proto = match->value.key.nw_proto;
    const struct shorthand *found = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++) {
        const struct shorthand *sh = &shorthands[i];

        if (sh->eth_type == eth_type
            && (sh->nw_proto ? sh->nw_proto == nw_proto : !found)) {
            found = sh;
        }
    }
    return match->mask.bits.key.eth_type == 0xffff ? found : NULL;
}

static const char *
match_name(const struct field *field)
{
    switch (field->id) {
    case FIELD_TCP_SRC: case FIELD_UDP_SRC: case FIELD_SCTP_SRC:
        return "tp_src";
    case FIELD_TCP_DST: case FIELD_UDP_DST: case FIELD_SCTP_DST:
        return "tp_dst";
    case FIELD_ICMPV6_TYPE: return "icmp_type";
    case FIELD_ICMPV6_CODE: return "icmp_code";
    case FIELD_IP_FRAG: return "nw_frag";
    case FIELD_VLAN_PCP: return "dl_vlan_pcp";
    default: return field->name;
    }
}

static void
format_vlan_vid(const struct match_field *f, const struct match *match,
                struct str *s)
{
    bool has_pcp = match->mask.bits.key.vlan_tci
                   & htobe16(7 << VLAN_PCP_SHIFT);

    if (f->mask == FLOW_VLAN_PRESENT && f->value && has_pcp) {
        return;                   /* dl_vlan_pcp says so */
    }
    if (f->mask == (FLOW_VLAN_PRESENT | VLAN_VID_MASK)
        && f->value & FLOW_VLAN_PRESENT) {
        str_addf(s, "dl_vlan=%u,", (unsigned int) f->value & VLAN_VID_MASK);
        return;
    }
    str_add(s, "vlan_vid=");
    field_format(f->field, f->value, f->mask, s);
    str_add_char(s, ',');
}

static void
format_value(const struct match_field *f, const struct flow_text_names *names,
             struct str *s)
{
    if (f->field->format == FORMAT_PORT && f->mask == field_ones(f->field)) {
        flow_text_format_port((uint32_t) f->value, names, s);
    } else {
        field_format(f->field, f->value, f->mask, s);
    }
}

static void
format_field(const struct match_field *f, const struct match *match,
             const struct flow_text_names *names, struct str *s)
{
    switch (f->field->id) {
    case FIELD_VLAN_VID:
        format_vlan_vid(f, match, s);
        return;
    case FIELD_IP_DSCP:
        str_addf(s, "nw_tos=%u,", (unsigned int) f->value << 2);
        return;
    default:
        str_addf(s, "%s=", match_name(f->field));
        format_value(f, names, s);
        str_add_char(s, ',');
    }
}

void
match_format_names(const struct match *match,
                   const struct flow_text_names *names, struct str *s)
{
    const struct shorthand *sh = find_shorthand(match);
    struct match_field fields[N_FIELDS];
    unsigned int n = match_fields(match, fields);
    size_t start = s->len;

    if (sh) {
        str_addf(s, "%s,", sh->word);
    }
    for (unsigned int i = 0; i < n; i++) {
        enum field_id id = fields[i].field->id;

        if (!(sh && id == FIELD_ETH_TYPE)
            && !(sh && sh->nw_proto && id == FIELD_IP_PROTO)) {
            format_field(&fields[i], match, names, s);
        }
    }
    if (s->len > start) {
        str_chomp(s, ",");
    }
}

void
match_format(const struct match *match, struct str *s)
{
    match_format_names(match, NULL, s);
}
