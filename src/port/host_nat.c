#include "port/host_nat.h"

#include <netinet/in.h>

#include "packet/address.h"

/* Before those of others (-100, 100, 0): what is ours is decided here, and what
 * is not passes on to them. */
enum {
    PRIORITY_DNAT = -110,
    PRIORITY_SNAT = 90,
    PRIORITY_FILTER = -10,
};

bool
host_nat_leg_is_valid(const struct host_nat_leg *leg)
{
    size_t len = strspn(leg->device, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return len && len < sizeof leg->device && !leg->device[len] && leg->ours;
}

bool
host_nat_forward_is_valid(const struct host_nat_forward *forward,
                          unsigned int n_legs)
{
    if (!forward->protocol) {
        return forward->leg < n_legs && forward->listen
               && !ip6_addr_is_set(forward->listen6);
    }
    return forward->leg < n_legs && forward->first
           && forward->first <= forward->last
           && !(forward->listen && ip6_addr_is_set(forward->listen6))
           && (forward->protocol == IPPROTO_TCP
               || forward->protocol == IPPROTO_UDP
               || forward->protocol == IPPROTO_SCTP);
}

static const char *
protocol_text(uint8_t protocol)
{
    return protocol == IPPROTO_TCP   ? "tcp"
           : protocol == IPPROTO_UDP ? "udp" : "sctp";
}

/* What is the host's own is sent on by an address's type: one that it gets
 * tomorrow counts, too.  127.0.0.1 would not be let out of the loopback device. */
static void
format_dnat(const struct host_nat *nat, const struct host_nat_forward *f,
            bool is_output, struct str *s)
{
    const struct host_nat_leg *leg = &nat->legs[f->leg];
    bool is_v6 = ip6_addr_is_set(f->listen6);
    char text[ADDRESS_TEXT_SIZE];

    if (is_v6) {
        str_addf(s, "ip6 daddr %s ", ip6_format(f->listen6, text));
    } else if (f->listen) {
        str_addf(s, "ip daddr %s ", ip4_format(f->listen, text));
    } else {
        str_addf(s, "%sfib daddr type local meta nfproto ipv4 ",
                 is_output ? "ip daddr != 127.0.0.0/8 " : "");
    }
    str_addf(s, "%s dport %u", protocol_text(f->protocol), f->first);
    if (f->last != f->first) {
        str_addf(s, "-%u", f->last);
    }
    str_addf(s, " dnat %s to %s\n", is_v6 ? "ip6" : "ip",
             is_v6 ? ip6_format(leg->ours6, text)
                   : ip4_format(leg->ours, text));
}

static void
format_forwards(const struct host_nat *nat, bool is_output, struct str *s)
{
    for (unsigned int i = 0; i < nat->n_forwards; i++) {
        const struct host_nat_forward *f = &nat->forwards[i];

        if (!f->protocol) {
            continue;
        }
        if (!ip6_addr_is_set(f->listen6)
            || ip6_addr_is_set(nat->legs[f->leg].ours6)) {
            format_dnat(nat, f, is_output, s);
        }
    }
}

static void
begin_chain(struct str *s, const char *hook, const char *type, int priority)
{
    str_addf(s, "chain %s { type %s hook %s priority %d; policy accept;\n",
             hook, type, hook, priority);
}

/* Also what comes back to the same leg, from a guest to a forward of the host's:
 * the answer would not find its way otherwise. */
static void
format_masquerade(const struct host_nat *nat, unsigned int i, struct str *s)
{
    const struct host_nat_leg *leg = &nat->legs[i];
    char text[ADDRESS_TEXT_SIZE];

    str_addf(s, "ip saddr %s masquerade\n", ip4_format(leg->ours, text));
    if (ip6_addr_is_set(leg->ours6)) {
        str_addf(s, "ip6 saddr %s masquerade\n",
                 ip6_format(leg->ours6, text));
    }
}

static void
format_input(const struct host_nat *nat, unsigned int i, struct str *s)
{
    const struct host_nat_leg *leg = &nat->legs[i];

    str_addf(s, "iifname \"%s\" ct state established,related accept\n",
             leg->device);
    str_addf(s, "iifname \"%s\" icmp type echo-request accept\n",
             leg->device);
    if (ip6_addr_is_set(leg->ours6)) {
        str_addf(s, "iifname \"%s\" icmpv6 type { echo-request, "
                 "nd-neighbor-solicit, nd-neighbor-advert } accept\n",
                 leg->device);
    }
    str_addf(s, "iifname \"%s\" drop\n", leg->device);
}

static void
format_forward(const struct host_nat *nat, unsigned int i, struct str *s)
{
    const struct host_nat_leg *leg = &nat->legs[i];
    char text[ADDRESS_TEXT_SIZE];

    for (unsigned int k = 0; k < nat->n_forwards; k++) {
        const struct host_nat_forward *f = &nat->forwards[k];

        if (!f->protocol && f->leg == i) {
            str_addf(s, "oifname \"%s\" ip daddr %s accept\n", leg->device,
                     ip4_format(f->listen, text));
        }
    }
    str_addf(s, "oifname \"%s\" ct state established,related accept\n",
             leg->device);
    str_addf(s, "oifname \"%s\" ct status dnat accept\n", leg->device);
    str_addf(s, "oifname \"%s\" drop\n", leg->device);
}

static void
format_legs(const struct host_nat *nat,
            void (*format)(const struct host_nat *, unsigned int leg,
                           struct str *), struct str *s)
{
    for (unsigned int i = 0; i < nat->n_legs; i++) {
        format(nat, i, s);
    }
    str_add(s, "}\n");
}

void
host_nat_format(const struct host_nat *nat, const char *name,
                const char *comment, struct str *s)
{
    /* Made, if need be, so that it can be deleted with what is in it. */
    str_addf(s, "add table inet %s\ndelete table inet %s\n"
             "table inet %s {\ncomment \"%s\"\n", name, name, name, comment);
    begin_chain(s, "prerouting", "nat", PRIORITY_DNAT);
    format_forwards(nat, false, s);
    str_add(s, "}\n");
    begin_chain(s, "output", "nat", PRIORITY_DNAT);
    format_forwards(nat, true, s);
    str_add(s, "}\n");
    begin_chain(s, "postrouting", "nat", PRIORITY_SNAT);
    format_legs(nat, format_masquerade, s);
    begin_chain(s, "input", "filter", PRIORITY_FILTER);
    format_legs(nat, format_input, s);
    begin_chain(s, "forward", "filter", PRIORITY_FILTER);
    format_legs(nat, format_forward, s);
    str_add(s, "}\n");
}
