#include "switch/flow_view.h"

#include "packet/eth.h"
#include "packet/ip.h"
#include "switch/mutant.h"

/* Words of a packet's layers 2.5 and up: what hides behind an MPLS label. */
enum {
    FIRST_L3_WORD = FLOW_WORD(nw_src),
    LAST_L3_WORD = FLOW_WORD(nd_reserved),
    MPLS_WORD = FLOW_WORD(mpls_lse[0]),
};
/* And what a connection tracker writes. */
enum {
    FIRST_CT_WORD = FLOW_WORD(ct_state), LAST_CT_WORD = FLOW_WORD(ct_dst4),
};
static_assert(FIRST_CT_WORD == 24 && LAST_CT_WORD == 31,
              "flow key layout changed: revisit flow_view_clear_ct()");
static_assert(FLOW_WORD(vlan_tci) == FLOW_WORD(eth_type) &&
              FLOW_WORD(nw_proto) == FLOW_WORD(tp_dst) &&
              FLOW_WORD(nw_frag) == FLOW_WORD(tp_dst),
              "flow key layout changed: revisit flow_view_has()");
static_assert(FIRST_L3_WORD == 4 && LAST_L3_WORD == 15 && MPLS_WORD == 16,
              "flow key layout changed: revisit forget_l3()");

/* Marks the bits of `look`, which lie in words `first` to `last`, that still are
 * the packet's.  Of the many words few are looked at. */
static void
look_at_words(const struct flow_view *v, struct flow_looks *looks,
              const struct flow_mask *look, unsigned int first,
              unsigned int last)
{
    struct flow_key_fields *mask = &looks->mask->bits.key;

    for (unsigned int i = first; i <= last; i++) {
        if (look->bits.w[i]) {
            looks->mask->bits.w[i] |= look->bits.w[i] & ~v->known.bits.w[i];
        }
    }
    if (v->ttl_derived && look->bits.key.nw_ttl) {
        mask->nw_ttl = 0xff;
    }
    if (v->mpls_ttl_derived && look->bits.key.mpls_lse[0] & htobe32(0xff)) {
        mask->mpls_lse[0] |= htobe32(0xff);
    }
}

static void
look_at(const struct flow_view *v, struct flow_looks *looks,
        const struct flow_mask *look)
{
    look_at_words(v, looks, look, 0, FLOW_KEY_WORDS - 1);
}

static bool
lies_in_parsed_part(enum field_id id)
{
    const struct field *f = field_by_id(id);
    unsigned int word = field_word(f);

    return f->prereq != PREREQ_NONE
           || (word >= FLOW_WORD(eth_type) && word <= LAST_L3_WORD)
           || (word >= MPLS_WORD && id != FIELD_PKT_MARK
               && word <= FLOW_WORD(mpls_lse[2]));
}

bool
flow_view_can(const struct flow_view *v, enum field_id id)
{
    if (id == FIELD_ETH_DST || id == FIELD_ETH_SRC) {
        return !v->unparsed_addresses;
    }
    return !v->unparsed || !lies_in_parsed_part(id);
}

void
flow_view_init(struct flow_view *v, const struct flow *flow,
               struct flow_looks *looks)
{
    struct flow_key_fields *mask = &looks->mask->bits.key;

    memset(v, 0, sizeof *v);
    memset(&looks->changed, 0, sizeof looks->changed);
    v->flow = *flow;
    for (unsigned int i = FLOW_KEY_WORDS; i < FLOW_WORDS; i++) {
        v->known.bits.w[i] = UINT64_MAX;
    }

    /* Every answer depends on these. */
    mask->in_port = UINT32_MAX;
    mask->recirc_id = UINT32_MAX;
    mask->eth_type = UINT16_MAX;

    /* The data path has another number for it. */
    if (flow_in_port(flow) == OFPP_LOCAL) {
        looks->changed.bits.key.in_port = UINT32_MAX;
    }
}

u128
flow_view_get_bits(const struct flow_view *v, struct flow_looks *looks,
                   enum field_id id, u128 mask)
{
    const struct field *field = field_by_id(id);
    struct flow_mask look;

    assert(flow_view_can(v, id));
    memset(&look, 0, sizeof look);
    field_set(field, &look.bits, mask, mask);
    if (!(MUTANT(FORGOTTEN_FIELD) && id == FIELD_IPV4_DST)) {
        look_at_words(v, looks, &look, field_words[id][0],
                      field_words[id][1]);
    }
    return field_get(field, &v->flow) & mask;
}

u128
flow_view_get(const struct flow_view *v, struct flow_looks *looks,
              enum field_id id)
{
    return flow_view_get_bits(v, looks, id, field_ones(field_by_id(id)));
}

u128
flow_view_get_subfield(const struct flow_view *v, struct flow_looks *looks,
                       const struct subfield *sub)
{
    u128 ones = sub->n_bits == 128 ? ~(u128) 0
                                   : ((u128) 1 << sub->n_bits) - 1;

    return flow_view_get_bits(v, looks, sub->field, ones << sub->ofs)
           >> sub->ofs;
}

uint32_t
flow_view_in_port(const struct flow_view *v)
{
    /* Marked from the start. */
    return flow_in_port(&v->flow);
}

bool
flow_view_has(const struct flow_view *v, struct flow_looks *looks,
              enum field_id id)
{
    const struct field *field = field_by_id(id);
    struct flow_mask look;

    if (field->prereq == PREREQ_NONE) {
        return true;
    }
    assert(!v->unparsed);
    memset(&look, 0, sizeof look);
    field_prereq_mask(field, &look);
    if (!MUTANT(PREREQ_NOT_LOOKED_AT)) {
        look_at_words(v, looks, &look, FLOW_WORD(eth_type), FLOW_WORD(tp_dst));
    }
    return field_prereq_met(field, &v->flow);
}

void
flow_view_asked(const struct flow_view *v, struct flow_looks *looks)
{
    struct flow_key_fields *changed = &looks->changed.bits.key;

    for (unsigned int i = 0; i < FLOW_KEY_WORDS; i++) {
        looks->changed.bits.w[i] |= v->known.bits.w[i];
    }
    if (v->ttl_derived) {
        changed->nw_ttl = 0xff;
    }
    if (v->mpls_ttl_derived) {
        changed->mpls_lse[0] |= htobe32(0xff);
    }
}

static bool
is_ip(const struct flow_view *v)
{
    return v->flow.key.eth_type == htobe16(ETH_TYPE_IP)
           || v->flow.key.eth_type == htobe16(ETH_TYPE_IPV6);
}

/* Of a fragment with its ports out of sight nobody saw them; of others it counts
 * that they are none. */
static void
look_at_fragments(struct flow_looks *looks, struct flow_mask *look,
                  bool is_hidden)
{
    struct flow_key_fields *bits = &look->bits.key;

    if (bits->tp_src | bits->tp_dst) {
        bits->nw_frag |= FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    }
    if (is_hidden) {
        bits->tp_src = bits->tp_dst = 0;
        looks->changed.bits.key.tp_src = UINT16_MAX;
        looks->changed.bits.key.tp_dst = UINT16_MAX;
    }
}

const struct flow_entry *
flow_view_lookup(const struct flow_view *v, struct flow_looks *looks,
                 const struct tables *tables, uint8_t table,
                 uint64_t version, uint32_t in_port,
                 struct conjunction *found)
{
    bool is_hidden = v->hides_ports && v->flow.key.nw_frag & FLOW_FRAG_ANY;
    const struct flow_entry *entry;
    struct flow_mask look;

    assert(!v->unparsed);
    memset(&look, 0, sizeof look);
    if (in_port != flow_view_in_port(v) || is_hidden) {
        struct flow flow = v->flow;

        if (in_port != flow_view_in_port(v)) {
            flow.key.in_port = htobe32(in_port);
            looks->changed.bits.key.in_port = UINT32_MAX;
        }
        if (is_hidden) {
            flow.key.tp_src = flow.key.tp_dst = 0;
        }
        entry = tables_lookup_conjunction(tables, table, version, &flow,
                                          &look, found);
    } else {
        entry = tables_lookup_conjunction(tables, table, version, &v->flow,
                                          &look, found);
    }
    flow_view_asked(v, looks);
    if (v->hides_ports && is_ip(v)) {
        look_at_fragments(looks, &look, is_hidden);
    }
    if (!(MUTANT(LOOKUP_NOT_LOOKED_AT) && table > 1)) {
        look_at(v, looks, &look);
    }
    return entry;
}

/* Puts the original addresses, protocol and ports where the packet's own are. */
static void
swap_original(struct flow *flow)
{
    struct flow_key_fields *key = &flow->key;

    key->nw_proto = key->ct_nw_proto;
    key->tp_src = key->ct_tp_src;
    key->tp_dst = key->ct_tp_dst;
    if (key->eth_type == htobe16(ETH_TYPE_IPV6)) {
        key->ipv6_src = key->ct_src;
        key->ipv6_dst = key->ct_dst;
    } else {
        key->nw_src = key->ct_src4;
        key->nw_dst = key->ct_dst4;
    }
}

/* What was looked at there was read from here. */
static void
look_at_original(struct flow_mask *look)
{
    struct flow_key_fields *bits = &look->bits.key;

    bits->ct_nw_proto |= bits->nw_proto;
    bits->ct_tp_src |= bits->tp_src;
    bits->ct_tp_dst |= bits->tp_dst;
    bits->ct_src4 |= bits->nw_src;
    bits->ct_dst4 |= bits->nw_dst;
    for (unsigned int i = 0; i < sizeof bits->ct_src.b; i++) {
        bits->ct_src.b[i] |= bits->ipv6_src.b[i];
        bits->ct_dst.b[i] |= bits->ipv6_dst.b[i];
    }
    bits->nw_proto = 0;
    bits->tp_src = bits->tp_dst = 0;
    bits->nw_src = bits->nw_dst = 0;
    memset(&bits->ipv6_src, 0, sizeof bits->ipv6_src);
    memset(&bits->ipv6_dst, 0, sizeof bits->ipv6_dst);
}

static void
saw_original(struct flow_looks *looks)
{
    struct flow_key_fields *changed = &looks->changed.bits.key;

    changed->nw_proto = UINT8_MAX;
    changed->tp_src = changed->tp_dst = UINT16_MAX;
    changed->nw_src = changed->nw_dst = UINT32_MAX;
    memset(&changed->ipv6_src, 0xff, sizeof changed->ipv6_src);
    memset(&changed->ipv6_dst, 0xff, sizeof changed->ipv6_dst);
}

const struct flow_entry *
flow_view_lookup_original(const struct flow_view *v, struct flow_looks *looks,
                          const struct tables *tables, uint8_t table,
                          uint64_t version, uint32_t in_port,
                          struct conjunction *found)
{
    struct flow flow = v->flow;
    const struct flow_entry *entry;
    struct flow_mask look;

    assert(!v->unparsed);
    memset(&look, 0, sizeof look);
    swap_original(&flow);
    if (in_port != flow_view_in_port(v)) {
        flow.key.in_port = htobe32(in_port);
        looks->changed.bits.key.in_port = UINT32_MAX;
    }
    entry = tables_lookup_conjunction(tables, table, version, &flow, &look,
                                      found);
    flow_view_asked(v, looks);
    saw_original(looks);
    look_at_original(&look);
    look_at(v, looks, &look);
    return entry;
}

uint64_t
flow_looks_rewritten(const struct flow_looks *looks)
{
    uint64_t words = 0;

    for (unsigned int i = 0; i < FLOW_KEY_WORDS; i++) {
        if (looks->changed.bits.w[i] & looks->mask->bits.w[i]) {
            words |= UINT64_C(1) << i;
        }
    }
    return words;
}

uint32_t
flow_view_tunnel(const struct flow_view *v, struct flow_looks *looks,
                 const struct tunnel_option_map *map,
                 struct flow_key_fields *fields)
{
    struct flow_mask look;
    uint32_t present = 0;

    memset(&look, 0, sizeof look);
    memset(fields, 0, sizeof *fields);
    for (size_t i = FLOW_WORD(tun_id); i <= FLOW_WORD(tun_tos); i++) {
        look.bits.w[i] = UINT64_MAX;
    }
    for (uint32_t left = map ? map->mapped : 0; left; left &= left - 1) {
        unsigned int n = (unsigned int) __builtin_ctz(left);
        const struct tunnel_option *o = &map->options[n];
        static const uint8_t zeros[TUNNEL_MAX_OPTIONS];
        const uint8_t *value = &v->flow.key.tun_metadata[o->ofs];

        memset(&look.bits.key.tun_metadata[o->ofs], 0xff, o->len);
        memcpy(&fields->tun_metadata[o->ofs], value, o->len);
        if (memcmp(value, zeros, o->len)
            || memcmp(&v->known.bits.key.tun_metadata[o->ofs], zeros,
                      o->len)) {
            present |= UINT32_C(1) << n;
        }
    }
    look_at(v, looks, &look);
    memcpy(&fields->tun_id, &v->flow.key.tun_id,
           offsetof(struct flow_key_fields, ct_state)
           - offsetof(struct flow_key_fields, tun_id));
    return present;
}

/* ---- Writing ---- */

/* Is this the type and code of a neighbour message, whose body is in the key? */
static bool
is_nd(u128 type, u128 code)
{
    return (type == ND_SOLICIT || type == ND_ADVERT) && !code;
}

void
flow_view_set(struct flow_view *v, struct flow_looks *looks, enum field_id id,
              u128 value, u128 mask)
{
    const struct field *field = field_by_id(id);
    bool is_icmp6 = id == FIELD_ICMPV6_TYPE || id == FIELD_ICMPV6_CODE;
    bool was_nd = is_icmp6
                  && is_nd(flow_view_get(v, looks, FIELD_ICMPV6_TYPE),
                           flow_view_get(v, looks, FIELD_ICMPV6_CODE));

    assert(flow_view_can(v, id));
    if (MUTANT(PARTLY_SET_IS_KNOWN)) {
        field_set(field, &v->known.bits, ~(u128) 0, ~(u128) 0);
    }
    field_set(field, &v->flow, value, mask);
    field_set(field, &v->known.bits, mask, mask);
    if (field_tun_family(field)) {
        v->flow.key.tun_family = field_tun_family(field);
        v->known.bits.key.tun_family = UINT8_MAX;
    }
    if (v->known.bits.key.nw_ttl == 0xff) {
        v->ttl_derived = false;
    }
    if ((v->known.bits.key.mpls_lse[0] & htobe32(0xff)) == htobe32(0xff)) {
        v->mpls_ttl_derived = false;
    }
    if (is_icmp6
        && (was_nd || is_nd(field_get(field_by_id(FIELD_ICMPV6_TYPE),
                                      &v->flow),
                            field_get(field_by_id(FIELD_ICMPV6_CODE),
                                      &v->flow)))) {
        /* A body of another kind: read it again. */
        v->unparsed = true;
    }
}

/* Both tags move: what they are counts from now on. */
static void
look_at_tags(const struct flow_view *v, struct flow_looks *looks)
{
    struct flow_mask look;

    memset(&look, 0, sizeof look);
    look.bits.key.vlan_tci = UINT16_MAX;
    look.bits.key.vlan_tpid = UINT16_MAX;
    if (!MUTANT(POP_KEEPS_INNER)) {
        look.bits.key.vlan_inner.tpid = UINT16_MAX;
        look.bits.key.vlan_inner.tci = UINT16_MAX;
    }
    look_at(v, looks, &look);
}

static void
know_tags(struct flow_view *v)
{
    v->known.bits.key.vlan_tci = UINT16_MAX;
    v->known.bits.key.vlan_tpid = UINT16_MAX;
    v->known.bits.key.vlan_inner.tpid = UINT16_MAX;
    v->known.bits.key.vlan_inner.tci = UINT16_MAX;
}

static void
set_eth_type(struct flow_view *v, uint16_t eth_type)
{
    v->flow.key.eth_type = htobe16(eth_type);
    v->known.bits.key.eth_type = UINT16_MAX;
}

/* Whatever was above layer 2 is not shown by the key any more. */
static void
forget_l3(struct flow_view *v)
{
    struct flow_key_fields *key = &v->flow.key;
    struct flow_key_fields *known = &v->known.bits.key;

    for (unsigned int i = FIRST_L3_WORD; i <= MPLS_WORD; i++) {
        v->flow.w[i] = 0;
        v->known.bits.w[i] = UINT64_MAX;
    }
    key->mpls_lse[2] = 0;
    known->mpls_lse[2] = UINT32_MAX;
    v->ttl_derived = v->mpls_ttl_derived = false;
}

void
flow_view_push_vlan(struct flow_view *v, struct flow_looks *looks,
                    uint16_t tpid, uint16_t tci)
{
    struct flow_key_fields *key = &v->flow.key;

    look_at_tags(v, looks);
    if (key->vlan_inner.tci) {
        /* Two tags are shown: the third becomes just an Ethertype. */
        uint16_t inner = be16toh(key->vlan_inner.tpid);

        forget_l3(v);
        set_eth_type(v, inner);
    }
    key->vlan_inner.tpid = key->vlan_tpid;
    key->vlan_inner.tci = key->vlan_tci;
    key->vlan_tpid = htobe16(tpid);
    key->vlan_tci = htobe16(tci | FLOW_VLAN_PRESENT);
    know_tags(v);
}

void
flow_view_pop_vlan(struct flow_view *v, struct flow_looks *looks)
{
    struct flow_key_fields *key = &v->flow.key;

    look_at_tags(v, looks);
    if (key->vlan_inner.tci && eth_type_is_vlan(be16toh(key->eth_type))) {
        v->unparsed = true;
    }
    key->vlan_tpid = key->vlan_inner.tpid;
    key->vlan_tci = key->vlan_inner.tci;
    key->vlan_inner.tpid = 0;
    key->vlan_inner.tci = 0;
    know_tags(v);
}

/* All labels shown move. */
static void
look_at_labels(const struct flow_view *v, struct flow_looks *looks)
{
    struct flow_mask look;

    memset(&look, 0, sizeof look);
    for (unsigned int i = 0; i < FLOW_MAX_MPLS; i++) {
        look.bits.key.mpls_lse[i] = UINT32_MAX;
    }
    look_at(v, looks, &look);
}

static void
know_labels(struct flow_view *v)
{
    for (unsigned int i = 0; i < FLOW_MAX_MPLS; i++) {
        v->known.bits.key.mpls_lse[i] = UINT32_MAX;
    }
    v->mpls_ttl_derived = false;
}

void
flow_view_push_mpls(struct flow_view *v, struct flow_looks *looks,
                    uint16_t eth_type, uint32_t lse)
{
    struct flow_key_fields *key = &v->flow.key;

    if (eth_type_is_mpls(be16toh(key->eth_type))) {
        look_at_labels(v, looks);
        key->mpls_lse[2] = key->mpls_lse[1];
        key->mpls_lse[1] = key->mpls_lse[0];
    } else {
        forget_l3(v);
    }
    key->mpls_lse[0] = htobe32(lse);
    know_labels(v);
    set_eth_type(v, eth_type);
}

void
flow_view_pop_mpls(struct flow_view *v, struct flow_looks *looks,
                   uint16_t eth_type)
{
    struct flow_key_fields *key = &v->flow.key;

    if (flow_view_get(v, looks, FIELD_MPLS_BOS)) {
        forget_l3(v);
        set_eth_type(v, eth_type);
        v->unparsed = true;
        return;
    }
    look_at_labels(v, looks);
    if (!((key->mpls_lse[1] | key->mpls_lse[2]) & htobe32(MPLS_BOS))) {
        v->unparsed = true;       /* a fourth label may surface */
    }
    key->mpls_lse[0] = key->mpls_lse[1];
    key->mpls_lse[1] = key->mpls_lse[2];
    key->mpls_lse[2] = 0;
    know_labels(v);
}

/* The tags of the frame that is wrapped up are out of sight. */
void
flow_view_push_pbb(struct flow_view *v, uint32_t tci)
{
    struct flow_key_fields *key = &v->flow.key;

    forget_l3(v);
    key->vlan_tpid = key->vlan_tci = 0;
    key->vlan_inner.tpid = key->vlan_inner.tci = 0;
    know_tags(v);
    key->pbb_itag = htobe32(tci);
    set_eth_type(v, ETH_TYPE_PBB);
}

void
flow_view_pop_pbb(struct flow_view *v)
{
    forget_l3(v);
    set_eth_type(v, FLOW_ETH_TYPE_NONE);
    v->unparsed = v->unparsed_addresses = true;
}

void
flow_view_clear_ct(struct flow_view *v)
{
    for (unsigned int i = FIRST_CT_WORD; i <= LAST_CT_WORD; i++) {
        v->flow.w[i] = 0;
        v->known.bits.w[i] = UINT64_MAX;
    }
}

void
flow_view_track(struct flow_view *v)
{
    for (unsigned int i = FIRST_CT_WORD; i <= LAST_CT_WORD; i++) {
        v->known.bits.w[i] = 0;
    }
}

void
flow_view_dec_ttl(struct flow_view *v)
{
    /* A TTL that is used up ends the packet in the data path, for each packet
     * by itself; what is derived here then is never used. */
    v->flow.key.nw_ttl--;
    if (v->known.bits.key.nw_ttl != 0xff) {
        v->known.bits.key.nw_ttl = 0;
        v->ttl_derived = true;
    }
    if (MUTANT(TTL_NOT_DERIVED)) {
        v->known.bits.key.nw_ttl = 0xff;
        v->ttl_derived = false;
    }
}

void
flow_view_dec_mpls_ttl(struct flow_view *v)
{
    struct flow_key_fields *key = &v->flow.key;
    uint32_t lse = be32toh(key->mpls_lse[0]);

    lse = (lse & ~UINT32_C(0xff)) | ((lse - 1) & 0xff);
    key->mpls_lse[0] = htobe32(lse);
    if ((v->known.bits.key.mpls_lse[0] & htobe32(0xff)) != htobe32(0xff)) {
        v->known.bits.key.mpls_lse[0] &= ~htobe32(0xff);
        v->mpls_ttl_derived = true;
    }
}

void
flow_view_copy_ttl_out(struct flow_view *v, struct flow_looks *looks)
{
    struct flow_key_fields *key = &v->flow.key;

    if (flow_view_get(v, looks, FIELD_MPLS_BOS)) {
        v->unparsed = true;       /* from an IP header that is not shown */
        return;
    }
    look_at_labels(v, looks);
    key->mpls_lse[0] = (key->mpls_lse[0] & ~htobe32(0xff))
                       | (key->mpls_lse[1] & htobe32(0xff));
    know_labels(v);
}

void
flow_view_copy_ttl_in(struct flow_view *v, struct flow_looks *looks)
{
    struct flow_key_fields *key = &v->flow.key;

    if (flow_view_get(v, looks, FIELD_MPLS_BOS)) {
        return;                   /* into an IP header that is not shown */
    }
    look_at_labels(v, looks);
    key->mpls_lse[1] = (key->mpls_lse[1] & ~htobe32(0xff))
                       | (key->mpls_lse[0] & htobe32(0xff));
    know_labels(v);
}

/* ---- Another pass ---- */

/* Known bits that the packet's bytes do not carry. */
static void
mask_of_carried(const struct flow_view *v, struct flow_mask *known)
{
    *known = v->known;
    known->bits.key.recirc_id = 0;
    for (unsigned int i = FLOW_WORD(eth_dst); i <= MPLS_WORD; i++) {
        known->bits.w[i] = 0;
    }
    known->bits.key.mpls_lse[2] = 0;
}

void
flow_view_save(const struct flow_view *v, struct flow *value,
               struct flow_mask *known)
{
    mask_of_carried(v, known);
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        value->w[i] = v->flow.w[i] & known->bits.w[i];
    }
}

void
flow_view_restore(struct flow_view *v, const struct flow *value,
                  const struct flow_mask *known)
{
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        v->flow.w[i] = (v->flow.w[i] & ~known->bits.w[i]) | value->w[i];
        v->known.bits.w[i] |= known->bits.w[i];
    }
}

void
flow_view_resume(struct flow_view *v, const struct flow *value)
{
    v->flow.conj_id = value->conj_id;
    v->flow.skb_priority = value->skb_priority;
    memset(&v->known, 0xff, sizeof v->known);
}
