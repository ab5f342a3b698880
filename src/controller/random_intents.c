#include "controller/random_intents.h"

#include <stdio.h>
#include <stdlib.h>

#include "intent/parse.h"

static int
maybe_network(struct random_intents *r, unsigned int one_in)
{
    int n = (int) rng_below(r->rng, RANDOM_MAX_NETWORKS);

    return rng_one_in(r->rng, one_in) || !r->networks[n].is_there ? -1 : n;
}

/* Bridged networks differ in their tags. */
static void
draw_network(struct random_intents *r, unsigned int i)
{
    struct random_network *n = &r->networks[i];

    *n = (struct random_network) {
        .is_there = true,
        .has_subnet = !rng_one_in(r->rng, 4),
        .has_subnet6 = rng_one_in(r->rng, 2),
        .dhcp_off = rng_one_in(r->rng, 4),
        .vid = rng_one_in(r->rng, 3) ? (int) i : -1,
        .is_service_tag = i && rng_one_in(r->rng, 4),
        .storm_cap = rng_one_in(r->rng, 3) ? rng_below(r->rng, 1000) + 1 : 0,
        .floods = rng_one_in(r->rng, 5),
        .router = rng_one_in(r->rng, 3)
                  ? -1 : (int) rng_below(r->rng, RANDOM_MAX_ROUTERS),
        .has_route = rng_one_in(r->rng, 3),
        .is_small = rng_one_in(r->rng, 4),
        .nat = rng_one_in(r->rng, 2) ? 1 + (int) rng_below(r->rng, 2) : 0,
        .is_masqueraded = rng_one_in(r->rng, 2),
    };
}

static void
draw_group(struct random_intents *r, unsigned int i)
{
    struct random_group *g = &r->groups[i];

    *g = (struct random_group) {
        .is_audit = rng_one_in(r->rng, 5), .has_out = rng_one_in(r->rng, 3),
        .n_rules = rng_below(r->rng, RANDOM_MAX_RULES + 1),
    };
    for (unsigned int k = 0; k < g->n_rules; k++) {
        g->rules[k] = (struct random_rule) {
            .is_out = g->has_out && rng_one_in(r->rng, 2),
            .is_cut = rng_one_in(r->rng, 3),
            /* No two of one group say the same. */
            .kind = k * 8 + rng_below(r->rng, 8),
            .peer = rng_one_in(r->rng, 2)
                    ? (int) rng_below(r->rng, RANDOM_MAX_GROUPS) : -1,
        };
    }
}

static void
draw_port(struct random_intents *r, unsigned int i)
{
    struct random_port *p = &r->ports[i];

    *p = (struct random_port) {
        .is_there = true,
        .is_isolated = rng_one_in(r->rng, 5),
        .is_spoof_ok = rng_one_in(r->rng, 8),
        .has_address = rng_one_in(r->rng, 3),
        .has_allow = rng_one_in(r->rng, 6),
        .network = maybe_network(r, 20),
        .trunk = { -1, -1 }, .mirror = -1,
        .rate = rng_one_in(r->rng, 10) ? 1 + rng_below(r->rng, 1000) : 0,
        .groups = rng_one_in(r->rng, 2)
                  ? 0 : rng_below(r->rng, 1u << RANDOM_MAX_GROUPS),
        .forward = rng_one_in(r->rng, 2) ? 1 + (int) rng_below(r->rng, 3) : 0,
    };
    if (rng_one_in(r->rng, 6)) {
        p->trunk[0] = maybe_network(r, 4);
        p->trunk[1] = maybe_network(r, 4);
    }
    if (p->trunk[0] == p->network) {
        p->trunk[0] = -1;
    }
    if (p->trunk[1] == p->network || p->trunk[1] == p->trunk[0]) {
        p->trunk[1] = -1;
    }
    if (p->network < 0 && p->trunk[0] < 0 && p->trunk[1] < 0) {
        p->is_there = false;
    }
    if (rng_one_in(r->rng, 12)) {
        p->mirror = (int) rng_below(r->rng, r->n_ports);
    }
}

void
random_intents_init(struct random_intents *r, struct rng *rng,
                    unsigned int n_ports)
{
    memset(r, 0, sizeof *r);
    r->rng = rng;
    r->n_ports = n_ports;
    for (unsigned int i = 0; i < RANDOM_MAX_NETWORKS; i++) {
        draw_network(r, i);
    }
    for (unsigned int i = 0; i < n_ports; i++) {
        draw_port(r, i);
    }
    for (unsigned int i = 0; i < RANDOM_MAX_GROUPS; i++) {
        draw_group(r, i);
    }
}

/* What points at a network that goes does not point there any more. */
static void
remove_network(struct random_intents *r, int gone)
{
    r->networks[gone].is_there = false;
    for (unsigned int i = 0; i < r->n_ports; i++) {
        struct random_port *p = &r->ports[i];

        p->network = p->network == gone ? -1 : p->network;
        p->trunk[0] = p->trunk[0] == gone ? -1 : p->trunk[0];
        p->trunk[1] = p->trunk[1] == gone ? -1 : p->trunk[1];
        if (p->network < 0 && p->trunk[0] < 0 && p->trunk[1] < 0) {
            p->is_there = false;
        }
    }
}

void
random_intents_edit(struct random_intents *r)
{
    unsigned int port = rng_below(r->rng, r->n_ports);

    if (r->has_groups && rng_one_in(r->rng, 4)) {
        draw_group(r, rng_below(r->rng, RANDOM_MAX_GROUPS));
        return;
    }
    switch (rng_below(r->rng, 11)) {
    case 9:
        r->ports[port].forward = (int) rng_below(r->rng, 4);
        break;
    case 10:
        r->networks[port % RANDOM_MAX_NETWORKS].nat
            = (int) rng_below(r->rng, 3);
        break;
    case 8:
        r->networks[port % RANDOM_MAX_NETWORKS].router
            = (int) rng_below(r->rng, RANDOM_MAX_ROUTERS + 1) - 1;
        break;
    case 0:
        draw_network(r, rng_below(r->rng, RANDOM_MAX_NETWORKS));
        break;
    case 1:
        remove_network(r, (int) rng_below(r->rng, RANDOM_MAX_NETWORKS));
        break;
    case 2: case 3:
        r->ports[port].is_there = false;
        break;
    case 4:
        r->ports[port].is_isolated = !r->ports[port].is_isolated;
        break;
    default:
        draw_port(r, port);
        break;
    }
}

static void
format_network(const struct random_intents *r, unsigned int i,
               struct str *out)
{
    const struct random_network *n = &r->networks[i];

    str_addf(out, "  n%u: {mtu: %u", i, n->is_small ? 1400 : 1500);
    if (n->has_subnet) {
        str_addf(out, ", subnet: 10.%u.0.0/24", i);
    }
    if (n->has_subnet6) {
        str_addf(out, ", subnet6: \"fd00:%x::/64\"", i);
    }
    if (n->vid >= 0) {
        str_addf(out, ", segment: {vlan: %d, uplink: lan%s}", n->vid,
                 n->is_service_tag ? ", protocol: 802.1ad" : "");
    }
    if (n->dhcp_off && n->has_subnet) {
        str_add(out, ", dhcp: false");
    }
    if (n->nat && (n->has_subnet || n->has_subnet6)) {
        str_addf(out, ", nat: %s", n->nat == 1 ? "wan" : "out");
        if (n->has_subnet6 && n->nat == 2 && i % 2) {
            str_addf(out, ", nat6: prefix, prefix6: \"2001:db8:%x::/%d\"",
                     n->is_masqueraded ? 1 : i + 2,
                     n->is_masqueraded ? 48 : 64);
        } else {
            str_add(out, n->is_masqueraded ? ", nat6: masquerade" : "");
        }
    }
    if (n->floods) {
        str_add(out, ", multicast: flood");
    }
    if (n->storm_cap) {
        str_addf(out, ", storm-cap: %u", n->storm_cap);
    }
    str_add(out, "}\n");
}

static void
format_trunk(const struct random_port *p, struct str *out)
{
    bool is_first = true;

    for (int i = 0; i < 2; i++) {
        if (p->trunk[i] >= 0) {
            str_addf(out, "%s%d: n%d", is_first ? ", trunk: {" : ", ",
                     100 + i, p->trunk[i]);
            is_first = false;
        }
    }
    str_add(out, is_first ? "" : "}");
}

static void
format_groups_of(const struct random_port *p, struct str *out)
{
    const char *separator = "";

    str_add(out, ", security-groups: [");
    for (unsigned int i = 0; i < RANDOM_MAX_GROUPS; i++) {
        if (p->groups >> i & 1) {
            str_addf(out, "%sg%u", separator, i);
            separator = ", ";
        }
    }
    str_add(out, "]");
}

static void
format_rule(const struct random_rule *rule, struct str *out)
{
    static const char *const kinds[] = {
        "protocol: tcp, port: ", "protocol: udp, port: 53-",
        "protocol: icmp, code: 0, type: ", "protocol: icmp6, type: ",
        "protocol: ", "protocol: sctp, port: 1-", "protocol: udp, port: ",
        "protocol: tcp, port: 7-",
    };
    unsigned int number = 100 + rule->kind;

    str_addf(out, "{%s%u", kinds[rule->kind % ARRAY_SIZE(kinds)], number);
    if (rule->peer >= 0) {
        str_addf(out, ", %s: g%d", rule->is_out ? "to" : "from", rule->peer);
    }
    str_addf(out, ", cut: %s}", rule->is_cut ? "true" : "false");
}

static void
format_rules(const struct random_group *g, bool is_out, struct str *out)
{
    const char *separator = "";

    str_addf(out, "%s: [", is_out ? "out" : "in");
    for (unsigned int i = 0; i < g->n_rules; i++) {
        if (g->rules[i].is_out == is_out) {
            str_add(out, separator);
            format_rule(&g->rules[i], out);
            separator = ", ";
        }
    }
    str_add(out, "]");
}

static void
format_group(const struct random_intents *r, unsigned int i, struct str *out)
{
    const struct random_group *g = &r->groups[i];

    str_addf(out, "  g%u: {audit: %s, ", i, g->is_audit ? "true" : "false");
    format_rules(g, false, out);
    if (g->has_out) {
        str_add(out, ", ");
        format_rules(g, true, out);
    }
    str_add(out, "}\n");
}

static void
format_port(const struct random_intents *r, unsigned int i, struct str *out)
{
    const struct random_port *p = &r->ports[i];
    bool has_subnet = p->network >= 0 && r->networks[p->network].has_subnet;

    str_addf(out, "  p%u: {tap: p%u", i, i);
    if (p->network >= 0) {
        str_addf(out, ", network: n%d", p->network);
    }
    format_trunk(p, out);
    if (p->has_address && has_subnet) {
        str_addf(out, ", address: 10.%d.0.%u", p->network, 100 + i);
    }
    if (p->is_isolated) {
        str_add(out, ", isolated: true");
    }
    if (p->is_spoof_ok) {
        str_add(out, ", anti-spoof: false");
    } else if (p->has_allow && has_subnet) {
        str_addf(out, ", allow: [{mac: \"02:aa:00:00:00:%02x\"}, "
                 "{address: 172.16.%u.0/24}]", i, i);
    }
    if (p->rate) {
        str_addf(out, ", rate: {in: %uk, out: %uk}", p->rate, p->rate + 1);
    }
    if (r->has_groups && p->groups) {
        format_groups_of(p, out);
    }
    if (p->mirror >= 0 && p->mirror != (int) i
        && r->ports[p->mirror].is_there && r->ports[p->mirror].mirror < 0) {
        str_addf(out, ", mirror: p%d", p->mirror);
    }
    str_add(out, "}\n");
}

static bool
is_joined(const struct random_intents *r, unsigned int network, int router)
{
    const struct random_network *n = &r->networks[network];

    return n->is_there && n->router == router
           && (n->has_subnet || n->has_subnet6);
}

/* Routes of the longer kind lead to where ports may be allowed to send from. */
static void
format_router(const struct random_intents *r, int router, struct str *out)
{
    const char *separator = "";
    unsigned int n = 0;

    for (unsigned int i = 0; i < RANDOM_MAX_NETWORKS; i++) {
        n += is_joined(r, i, router);
    }
    if (!n) {
        return;
    }
    str_addf(out, "  r%d: {networks: [", router);
    for (unsigned int i = 0; i < RANDOM_MAX_NETWORKS; i++) {
        if (is_joined(r, i, router)) {
            str_addf(out, "%sn%u", separator, i);
            separator = ", ";
        }
    }
    str_add(out, "], routes: [");
    separator = "";
    for (unsigned int i = 0; i < RANDOM_MAX_NETWORKS; i++) {
        if (is_joined(r, i, router) && r->networks[i].has_route
            && r->networks[i].has_subnet) {
            str_addf(out, "%s{to: 172.16.%u.0/%u, via: 10.%u.0.%u}",
                     separator, i, i % 2 ? 24 : 32, i, 100 + i);
            separator = ", ";
        }
    }
    str_add(out, "]}\n");
}

/* Of the three kinds, at an outside address of its own or the uplink's. */
static void
format_forward(const struct random_intents *r, unsigned int i,
               struct str *out)
{
    const struct random_port *p = &r->ports[i];
    const struct random_network *n
        = p->network >= 0 ? &r->networks[p->network] : NULL;

    if (!p->is_there || !n || !n->nat || !n->has_subnet) {
        return;
    }
    switch (p->forward) {
    case 1:
        str_addf(out, "  f%u: {listen: %u/tcp, to: \"p%u:80\"}\n", i,
                 1000 + i, i);
        break;
    case 2:
        str_addf(out, "  f%u: {listen: \"203.0.113.%u:%u-%u/udp\", to: "
                 "p%u}\n", i, i % 2 ? 6 : 8, 700 + 20 * i, 717 + 20 * i,
                 i);
        break;
    case 3:
        str_addf(out, "  f%u: {listen: 203.0.113.%u, to: p%u}\n", i, 100 + i,
                 i);
        break;
    default:
        break;
    }
}

void
random_intents_format(const struct random_intents *r, struct str *out)
{
    str_add(out, "version: 1\nuplinks:\n  lan: {device: lan0}\n"
                 "  wan: {host: true, transfer: 169.254.7.0/30}\n"
                 "  out: {device: out0, address: 203.0.113.5/24, gateway: "
                 "203.0.113.1, address6: \"2001:db8::5/64\"}\n"
                 "networks:\n  always: {mtu: 1500}\n");
    for (unsigned int i = 0; i < RANDOM_MAX_NETWORKS; i++) {
        if (r->networks[i].is_there) {
            format_network(r, i, out);
        }
    }
    str_add(out, "routers:\n");
    for (int i = 0; i < RANDOM_MAX_ROUTERS; i++) {
        format_router(r, i, out);
    }
    str_add(out, "security-groups:\n");
    for (unsigned int i = 0; r->has_groups && i < RANDOM_MAX_GROUPS; i++) {
        format_group(r, i, out);
    }
    str_add(out, "ports:\n  pq: {tap: pq, network: always}\n");
    for (unsigned int i = 0; i < r->n_ports; i++) {
        if (r->ports[i].is_there) {
            format_port(r, i, out);
        }
    }
    str_add(out, "forwards:\n");
    for (unsigned int i = 0; i < r->n_ports; i++) {
        format_forward(r, i, out);
    }
}

static struct intent *
read_text(const char *text, const struct intent *last)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    struct str said = STR_INIT;
    bool is_good = intent_parse(set, "test", text, strlen(text), diagnostics);

    if (last) {
        intent_share(set, last);
    }
    if (!is_good || !intent_seal(set, diagnostics)) {
        diag_format(diagnostics, &said);
        fprintf(stderr, "%s\n%s", text, str_text(&said));
        abort();
    }
    str_fini(&said);
    diag_destroy(diagnostics);
    return set;
}

struct intent *
intent_of_text(const char *text)
{
    return read_text(text, NULL);
}

struct intent *
random_intents_seal(const struct random_intents *r,
                    const struct intent *last)
{
    struct str text = STR_INIT;
    struct intent *set;

    random_intents_format(r, &text);
    set = read_text(str_text(&text), last);
    str_fini(&text);
    return set;
}
