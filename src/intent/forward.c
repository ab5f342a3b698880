/* What a forward may say. */

#include "intent/forward_value.h"
#include "intent/validate.h"
#include "intent/value.h"
#include "packet/address.h"

#define AT(M) MEMBER_AT(intent_forward, M)

static const struct member members[] = {
    { .name = "listen", .type = &value_listen, AT(listen),
      .effect = EFFECT_CUT, .is_required = true,
      .doc = "outside ports, as in 203.0.113.5:443/tcp; without an address, "
             "at the uplink's own; an address alone is all of it, both ways" },
    { .name = "to", .type = &value_target, AT(to), .effect = EFFECT_CUT,
      .is_required = true,
      .doc = "the port, and which port there: web:8443" },
    { .name = "uplink", .type = &value_name, AT(uplink_name),
      .effect = EFFECT_CUT, .fallback = "where the port's network leads out",
      .doc = "the uplink from which it is reached" },
    { 0 },
};

static unsigned int
references(struct intent_object *object,
           struct reference found[NOUN_MAX_REFERENCES])
{
    struct intent_forward *forward = CONTAINER_OF(object,
                                                  struct intent_forward,
                                                  object);

    found[0] = (struct reference) { INTENT_PORT, forward->to.port_name,
                                    &forward->to.port, "to" };
    found[1] = (struct reference) { INTENT_UPLINK, forward->uplink_name,
                                    &forward->uplink, "uplink" };
    return 2;
}

/* ---- What follows ---- */

static bool
is_way(const struct intent_forward *forward,
       const struct intent_network *network)
{
    return network && network->nat
           && (!forward->uplink || network->nat == forward->uplink);
}

const struct intent_network *
intent_forward_network(const struct intent_forward *forward)
{
    const struct intent_port *port = forward->to.port;

    if (!port) {
        return NULL;
    }
    if (is_way(forward, port->network)) {
        return port->network;
    }
    for (unsigned int i = 0; i < port->n_trunk; i++) {
        if (is_way(forward, port->trunk[i].network)) {
            return port->trunk[i].network;
        }
    }
    return NULL;
}

const struct intent_uplink *
intent_forward_uplink(const struct intent_forward *forward)
{
    const struct intent_network *network = intent_forward_network(forward);

    return network ? network->nat : NULL;
}

struct ip6_addr
intent_forward_address(const struct intent_forward *forward)
{
    const struct intent_uplink *uplink = intent_forward_uplink(forward);

    return ip6_addr_is_set(forward->listen.address) || !uplink
           ? forward->listen.address
           : ip6_of_ip4(intent_uplink_external(uplink));
}

struct ip6_addr
intent_forward_arrival(const struct intent_forward *forward)
{
    const struct intent_uplink *uplink = intent_forward_uplink(forward);
    struct ip6_addr address = intent_forward_address(forward);

    if (!uplink || !uplink->is_host || intent_forward_is_floating(forward)) {
        return address;
    }
    return ip6_is_mapped4(&address)
           ? ip6_of_ip4(intent_uplink_external(uplink))
           : intent_uplink_external6(uplink);
}

uint16_t
intent_forward_port(const struct intent_forward *forward, uint16_t port)
{
    return forward->to.first
           ? (uint16_t) (forward->to.first + (port - forward->listen.first))
           : port;
}

/* ---- Does it hold together? ---- */

static const char *
address_text(struct ip6_addr address, char text[ADDRESS_TEXT_SIZE])
{
    return ip6_is_mapped4(&address)
           ? ip4_format(get_be32(&address.b[12]), text)
           : ip6_format(address, text);
}

static bool
is_station(struct ip6_addr address)
{
    uint8_t first = address.b[12];

    return ip6_is_mapped4(&address)
           ? first && first != 127 && first < 224
           : address.b[0] && address.b[0] != 0xff
             && !(address.b[0] == 0xfe && address.b[1] >= 0x80);
}

/* Each port is claimed: two ranges may meet in one. */
static void
claim_ports(const struct intent_forward *forward, struct validation *v)
{
    const struct forward_listen *listen = &forward->listen;
    char text[ADDRESS_TEXT_SIZE];

    address_text(intent_forward_arrival(forward), text);
    for (uint32_t port = listen->first; port <= listen->last; port++) {
        validation_claim(v, &forward->object, "listen",
                         "port %u/%s of %s", port,
                         forward_protocol_name(listen->protocol), text);
    }
}

static void
check_ports(const struct intent_forward *forward, struct validation *v)
{
    const struct intent_object *object = &forward->object;
    const struct forward_listen *listen = &forward->listen;
    const struct forward_target *to = &forward->to;

    if (intent_forward_is_floating(forward)) {
        if (to->first) {
            validation_error(v, object, "to",
                             "a floating address leads to all ports of '%s'; "
                             "to forward one, say which 'listen' means: "
                             "ADDRESS:PORT/tcp", to->port_name);
        }
    } else if (to->first
               && to->last - to->first != listen->last - listen->first) {
        validation_error(v, object, "to",
                         "%u ports cannot lead to %u",
                         listen->last - listen->first + 1u,
                         to->last - to->first + 1u);
    }
}

static void
check_address(const struct intent_forward *forward,
              const struct intent_network *network, struct validation *v)
{
    const struct intent_object *object = &forward->object;
    const struct intent_uplink *uplink = network->nat;
    struct ip6_addr address = intent_forward_address(forward);
    bool is_ip4 = ip6_is_mapped4(&address);
    be32 ip4 = get_be32(&address.b[12]);
    char text[ADDRESS_TEXT_SIZE];

    address_text(address, text);
    if (!ip6_addr_is_set(forward->listen.address) && !uplink->is_host
        && !uplink->address.is_set) {
        validation_error(v, object, "listen",
                         "uplink '%s' has no address of IPv4: say which "
                         "address", uplink->object.name);
    } else if (!is_station(address)) {
        validation_error(v, object, "listen", "%s is no station's address",
                         text);
    } else if (is_ip4 ? !network->subnet.is_set : !network->subnet6.is_set) {
        validation_error(v, object, "listen",
                         "network '%s' has no %s", network->object.name,
                         is_ip4 ? "subnet" : "subnet6");
    } else if (!is_ip4 && uplink->is_host
               && intent_forward_is_floating(forward)) {
        validation_error(v, object, "listen",
                         "the host's stack routes no floating address of IPv6: "
                         "forward its ports");
    } else if (!is_ip4 && uplink->is_host
               && network->nat6 != NAT6_MASQUERADE) {
        validation_error(v, object, "listen",
                         "IPv6 comes through the host's stack only to a network "
                         "with nat6: masquerade");
    } else if (is_ip4 ? ip4_is_within(ip4, network->subnet.addr,
                                      network->subnet.len)
                      : ip6_is_within(address, network->subnet6.addr,
                                      network->subnet6.len)) {
        validation_error(v, object, "listen",
                         "%s is inside of network '%s', not outside", text,
                         network->object.name);
    } else if (is_ip4 ? uplink->gateway == ip4
                      : ip6_addr_eq(uplink->gateway6, address)) {
        validation_error(v, object, "listen",
                         "%s is the gateway of uplink '%s'", text,
                         uplink->object.name);
    } else if (!intent_forward_is_floating(forward)) {
        claim_ports(forward, v);
    } else {
        /* As uplinks claim theirs. */
        validation_claim(v, object, "listen", "address %s", text);
        validation_claim(v, object, "to", "the floating address (%s) of "
                         "port '%s'", is_ip4 ? "IPv4" : "IPv6",
                         forward->to.port_name);
    }
}

static void
check(const struct intent_object *object, struct validation *v)
{
    const struct intent_forward *forward = intent_forward_cast(object);
    const struct intent_network *network = intent_forward_network(forward);
    const struct intent_port *port = forward->to.port;

    check_ports(forward, v);
    if (network) {
        check_address(forward, network, v);
    } else if (port && (forward->uplink || !*forward->uplink_name)) {
        validation_error(v, object, forward->uplink ? "uplink" : "to",
                         "port '%s' is in no network that leads out%s%s%s: "
                         "'weft network set NETWORK --nat %s'",
                         port->object.name, forward->uplink ? " by '" : "",
                         forward->uplink_name, forward->uplink ? "'" : "",
                         forward->uplink ? forward->uplink_name : "UPLINK");
    }
}

const struct noun forward_noun = {
    .doc = "an outside address, or ports of one, mapped to an inside port",
    .size = sizeof(struct intent_forward),
    .members = members,
    .references = references,
    .check = check,
};
