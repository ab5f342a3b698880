#include "switch/balance.h"

/* ---- Hashes ---- */

struct hasher {
    const struct flow_view *view;
    struct flow_looks *looks;
    struct hash_key key;
    uint64_t h;
};

static void
add(struct hasher *x, u128 value)
{
    x->h = hash_step(x->key, x->h, (uint64_t) value);
    x->h = hash_step(x->key, x->h, (uint64_t) (value >> 64));
}

static void
add_field(struct hasher *x, enum field_id id)
{
    add(x, flow_view_get(x->view, x->looks, id));
}

/* Both directions of a connection are one. */
static void
add_pair(struct hasher *x, enum field_id a, enum field_id b)
{
    add(x, flow_view_get(x->view, x->looks, a)
           ^ flow_view_get(x->view, x->looks, b));
}

static bool
has(struct hasher *x, enum field_id id)
{
    return flow_view_has(x->view, x->looks, id);
}

static void
add_addresses(struct hasher *x)
{
    if (has(x, FIELD_IPV4_SRC)) {
        add_pair(x, FIELD_IPV4_SRC, FIELD_IPV4_DST);
    } else if (has(x, FIELD_IPV6_SRC)) {
        add_pair(x, FIELD_IPV6_SRC, FIELD_IPV6_DST);
    }
}

static void
add_ports(struct hasher *x, bool with_udp)
{
    if (!has(x, FIELD_IP_PROTO)) {
        return;
    }
    add_field(x, FIELD_IP_PROTO);
    if (has(x, FIELD_TCP_SRC)) {
        add_pair(x, FIELD_TCP_SRC, FIELD_TCP_DST);
    } else if (has(x, FIELD_SCTP_SRC)) {
        add_pair(x, FIELD_SCTP_SRC, FIELD_SCTP_DST);
    } else if (with_udp && has(x, FIELD_UDP_SRC)) {
        add_pair(x, FIELD_UDP_SRC, FIELD_UDP_DST);
    }
}

static void
add_one_address(struct hasher *x, enum field_id ip4, enum field_id ip6)
{
    if (has(x, ip4)) {
        add_field(x, ip4);
    } else if (has(x, ip6)) {
        add_field(x, ip6);
    }
}

uint32_t
balance_hash(struct hash_key key, enum hash_fields fields, uint16_t basis,
             const struct flow_view *view, struct flow_looks *looks)
{
    struct hasher x = { view, looks, key, hash_u64(key, basis) };

    switch (fields) {
    case HASH_ETH_SRC:
        add_field(&x, FIELD_ETH_SRC);
        break;
    case HASH_SYMMETRIC_L4:
        add_pair(&x, FIELD_ETH_SRC, FIELD_ETH_DST);
        add_field(&x, FIELD_VLAN_TCI);
        add_field(&x, FIELD_ETH_TYPE);
        add_addresses(&x);
        add_ports(&x, false);
        break;
    case HASH_SYMMETRIC_L3L4:
        add_addresses(&x);
        add_ports(&x, false);
        break;
    case HASH_SYMMETRIC_L3L4_UDP:
        add_addresses(&x);
        add_ports(&x, true);
        break;
    case HASH_NW_SRC:
        add_one_address(&x, FIELD_IPV4_SRC, FIELD_IPV6_SRC);
        break;
    case HASH_NW_DST:
        add_one_address(&x, FIELD_IPV4_DST, FIELD_IPV6_DST);
        break;
    case HASH_SYMMETRIC_L3:
        add_addresses(&x);
        break;
    case N_HASH_FIELDS:
        break;
    }
    return (uint32_t) (x.h >> 32);
}

/* ---- Choices ---- */

/* Rendezvous: each link draws a number from (flow, link); the highest wins, and
 * when a link comes or goes only its own flows move. */
static uint64_t
draw(uint32_t hash, uint32_t link)
{
    return hash_u64((struct hash_key) { hash }, link);
}

static uint32_t
highest(uint32_t hash, uint32_t n_links)
{
    uint64_t best = draw(hash, 0);
    uint32_t link = 0;

    for (uint32_t i = 1; i < n_links; i++) {
        uint64_t weight = draw(hash, i);

        if (weight > best) {
            best = weight;
            link = i;
        }
    }
    return link;
}

/* Draws from `modulo` until it is a link. */
static uint32_t
iterate(uint32_t hash, uint32_t n_links, uint32_t modulo)
{
    uint32_t link;

    /* What is drawn from at least has the links, and at most so many times
     * more that drawing ends. */
    modulo = MIN(MAX(modulo, n_links), 64 * n_links);
    for (uint32_t i = 0; (link = hash % modulo) >= n_links; i++) {
        hash = (uint32_t) draw(hash, i);
    }
    return link;
}

uint32_t
balance_link(const struct action_multipath *a, uint32_t hash)
{
    uint32_t n_links = a->max_link + 1u;

    switch ((enum multipath_algorithm) a->algorithm) {
    case MULTIPATH_HASH_THRESHOLD:
        return (uint32_t) ((uint64_t) hash * n_links >> 32);
    case MULTIPATH_HRW:
        return highest(hash, n_links);
    case MULTIPATH_ITER_HASH:
        return iterate(hash, n_links, a->arg);
    case MULTIPATH_MODULO_N: default:
        return hash % n_links;
    }
}

uint32_t
balance_member(const struct action_bundle *a, uint32_t hash,
               bool (*is_live)(const void *aux, uint32_t port),
               const void *aux)
{
    uint32_t best_port = OFPP_ANY;
    uint64_t best = 0;

    for (unsigned int i = 0; i < a->n_members; i++) {
        uint64_t weight = draw(hash, i);

        if (!is_live(aux, a->members[i])
            || (best_port != OFPP_ANY && weight <= best)) {
            continue;
        }
        if (a->algorithm == BUNDLE_ACTIVE_BACKUP) {
            return a->members[i];
        }
        best = weight;
        best_port = a->members[i];
    }
    return best_port;
}
