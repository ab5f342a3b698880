#include "switch/random_tunnels.h"

#include <stdio.h>
#include <stdlib.h>

#include "packet/address.h"
#include "packet/flow.h"
#include "switch/switch_impl.h"

enum { N_OPTIONS = 3, CLASS = 0x0102 };

static const struct of_tlv options[N_OPTIONS] = {
    { CLASS, 0x03, 4, 0 }, { CLASS, 0x04, 16, 1 }, { CLASS, 0x85, 8, 2 },
};

void
random_tunnel_map(struct rng *rng, struct switch_ *sw,
                  struct tunnel_option_map *map)
{
    struct of_tlv_table table = { .command = TLV_ADD, .n = N_OPTIONS };

    memcpy(table.entries, options, sizeof options);
    if (!rng_one_in(rng, 4) && switch_tlv_mod(sw, &table, NULL) != OF_OK) {
        abort();
    }
    tlv_map_options(switch_tlv_map(sw), map);
}

static struct ip6_addr
random_address(struct rng *rng, uint8_t family)
{
    struct ip6_addr address = { .b = { 0x20, 0x01, 0x0d, 0xb8 } };

    if (family == 4) {
        address = ip6_of_ip4(htobe32(0xc0000200));
    }
    address.b[15] = (uint8_t) (1 + rng_below(rng, 3));
    return address;
}

static void
add_option(struct rng *rng, struct tunnel_key *tun)
{
    const struct of_tlv *known = &options[rng_below(rng, N_OPTIONS)];
    uint8_t *p = &tun->options[tun->n_options];
    bool is_unknown = rng_one_in(rng, 6);

    p[0] = CLASS >> 8;
    p[1] = CLASS & 0xff;
    p[2] = is_unknown ? rng_one_in(rng, 4) ? 0x99 : 0x19 : known->type;
    p[3] = known->len / 4;
    memset(p + TUNNEL_OPTION_HEADER, 0, known->len);
    p[TUNNEL_OPTION_HEADER + known->len - 1] = (uint8_t) rng_below(rng, 3);
    tun->n_options = (uint8_t) (tun->n_options + TUNNEL_OPTION_HEADER
                                + known->len);
}

void
random_tunnel(struct rng *rng, struct tunnel_key *tun)
{
    uint8_t family = rng_one_in(rng, 3) ? 6 : 4;

    *tun = (struct tunnel_key) {
        .family = family, .tos = (uint8_t) rng_below(rng, 3),
        .ttl = (uint8_t) (62 + rng_below(rng, 3)),
        .flags = htobe16((uint16_t) (TUNNEL_F_KEY
                                     | rng_below(rng, 2) * TUNNEL_F_OAM)),
        .id = htobe64(rng_below(rng, 4)),
        .src = random_address(rng, family),
        .dst = random_address(rng, family),
    };
    while (tun->n_options < 60 && rng_one_in(rng, 2)) {
        add_option(rng, tun);
    }
}

void
random_tunnel_vary(struct rng *rng, struct tunnel_key *tun)
{
    struct tunnel_key other;

    random_tunnel(rng, &other);
    switch (rng_below(rng, 6)) {
    case 0: tun->id = other.id; break;
    case 1: tun->tos = other.tos; break;
    case 2: tun->ttl = other.ttl; break;
    case 3: tun->flags = other.flags; break;
    case 4:
        tun->family = other.family;
        tun->src = other.src;
        tun->dst = other.dst;
        break;
    default:
        tun->n_options = other.n_options;
        memcpy(tun->options, other.options, other.n_options);
        break;
    }
}

bool
random_tunnel_is(const struct tunnel_key *tun,
                 const struct tunnel_key *expected, bool is_verbose)
{
    bool is_same = tunnel_key_len(tun) == tunnel_key_len(expected)
                   && !memcmp(tun, expected, tunnel_key_len(tun));
    struct str s = STR_INIT;

    if (!is_same && is_verbose) {
        tunnel_key_format(expected, &s);
        str_add(&s, " expected, is ");
        tunnel_key_format(tun, &s);
        fprintf(stderr, "tunnel: %s\n", str_text(&s));
    }
    str_fini(&s);
    return is_same;
}

const struct field *
random_tunnel_field(struct rng *rng)
{
    static const enum field_id fields[] = {
        FIELD_TUN_ID, FIELD_TUN_SRC, FIELD_TUN_DST, FIELD_TUN_IPV6_SRC,
        FIELD_TUN_IPV6_DST, FIELD_TUN_TOS, FIELD_TUN_TTL, FIELD_TUN_FLAGS,
        FIELD_TUN_METADATA0, FIELD_TUN_METADATA1, FIELD_TUN_METADATA2,
    };

    return field_by_id(fields[rng_below(rng, ARRAY_SIZE(fields))]);
}

bool
random_tunnel_value(struct rng *rng, const struct field *field, u128 *value)
{
    struct flow_key key = { .map = 0 };
    struct tunnel_key tun;
    struct flow flow;

    if (!field_is_of_tunnel(field->id) || rng_one_in(rng, 3)) {
        return false;
    }
    random_tunnel(rng, &tun);
    tunnel_key_extract(&tun, &key);
    flow_from_key(&flow, &key);
    *value = field->id >= FIELD_TUN_METADATA0 ? rng_below(rng, 3)
                                              : field_get(field, &flow);
    return true;
}

/* ---- The port ---- */

/* A ring forgets what its packets were before; this is what it leaves alone. */
void
random_tunnel_arrive(struct packet *pkt, const struct tunnel_key *tun)
{
    tunnel_key_copy(&pkt->tun, tun);
    pkt->tun.unused[0] = tun->family;
}

static int
tunnel_rx(struct port *port, unsigned int queue, struct packet_pool *pool,
          struct batch *batch)
{
    unsigned int first = batch->n;
    int n = ring_class.rx(port, queue, pool, batch);

    for (unsigned int i = first; i < batch->n; i++) {
        struct tunnel_key *tun = &batch->pkts[i]->tun;

        tun->family = tun->unused[0];
        tun->unused[0] = 0;
    }
    return n;
}

static void
tunnel_tx(struct port *port, unsigned int queue, struct batch *batch,
          bool borrow)
{
    ring_class.tx(port, queue, batch, borrow);
}

static void
tunnel_close(struct port *port)
{
    ring_class.close(port);
}

static int
tunnel_rx_fd(const struct port *port, unsigned int queue)
{
    return ring_class.rx_fd(port, queue);
}

static usec
tunnel_next_rx(const struct port *port, unsigned int queue)
{
    return ring_class.next_rx(port, queue);
}

const struct port_class random_tunnel_class = {
    .type = "ring",
    .is_tunnel = true,
    .close = tunnel_close,
    .rx = tunnel_rx,
    .tx = tunnel_tx,
    .rx_fd = tunnel_rx_fd,
    .next_rx = tunnel_next_rx,
};
