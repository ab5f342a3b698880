#include "port/floating.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet/address.h"
#include "port/netlink_impl.h"

enum { LEG_LEN = 30 };

/* An address on a device: a route's, a neighbour's, or of the host. */
struct entry {
    be32 address;
    uint8_t len;
    unsigned int ifindex;
};

struct entries {
    unsigned int n;
    struct entry *list;
};

static void
add_entry(struct entries *entries, struct entry entry)
{
    unsigned int n = entries->n++;

    if (!(n & (n - 1))) {
        entries->list = xrealloc(entries->list,
                                 MAX(1, 2 * n) * sizeof *entries->list);
    }
    entries->list[n] = entry;
}

static bool
has_entry(const struct entries *entries, be32 address, unsigned int ifindex)
{
    for (unsigned int i = 0; i < entries->n; i++) {
        const struct entry *e = &entries->list[i];

        if (e->address == address && e->ifindex == ifindex) {
            return true;
        }
    }
    return false;
}

/* ---- What is there ---- */

static be32
ip4_at(const struct nlmsghdr *nlh, size_t header, uint16_t type)
{
    const struct nlattr *attr;

    mnl_attr_for_each(attr, nlh, header) {
        if (mnl_attr_get_type(attr) == type
            && mnl_attr_get_payload_len(attr) == sizeof(be32)) {
            return mnl_attr_get_u32(attr);
        }
    }
    return 0;
}

static int
visit_address(const struct nlmsghdr *nlh, void *entries)
{
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);

    if (nlh->nlmsg_type == RTM_NEWADDR && ifa->ifa_family == AF_INET) {
        add_entry(entries, (struct entry) {
            ip4_at(nlh, sizeof *ifa, IFA_LOCAL), ifa->ifa_prefixlen,
            ifa->ifa_index,
        });
    }
    return MNL_CB_OK;
}

static int
find_addresses(struct netlink *nl, struct entries *found)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_GETADDR, NLM_F_DUMP);
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);

    ifa->ifa_family = AF_INET;
    return netlink_transact(nl, nlh, visit_address, found);
}

static int
visit_route(const struct nlmsghdr *nlh, void *entries)
{
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

    if (nlh->nlmsg_type == RTM_NEWROUTE && rtm->rtm_family == AF_INET
        && rtm->rtm_protocol == FLOATING_PROTOCOL && rtm->rtm_dst_len == 32) {
        add_entry(entries, (struct entry) {
            ip4_at(nlh, sizeof *rtm, RTA_DST), 32,
            ip4_at(nlh, sizeof *rtm, RTA_OIF),      /* as wide, host order */
        });
    }
    return MNL_CB_OK;
}

static int
find_routes(struct netlink *nl, struct entries *found)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_GETROUTE, NLM_F_DUMP);
    struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);

    rtm->rtm_family = AF_INET;
    return netlink_transact(nl, nlh, visit_route, found);
}

static int
visit_neighbour(const struct nlmsghdr *nlh, void *entries)
{
    const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *attr;
    bool is_ours = false;

    mnl_attr_for_each(attr, nlh, sizeof *ndm) {
        is_ours = is_ours
                  || (mnl_attr_get_type(attr) == NDA_PROTOCOL
                      && mnl_attr_get_u8(attr) == FLOATING_PROTOCOL);
    }
    if (is_ours && ndm->ndm_family == AF_INET
        && ndm->ndm_flags & NTF_PROXY) {
        add_entry(entries, (struct entry) {
            ip4_at(nlh, sizeof *ndm, NDA_DST), 32,
            (unsigned int) ndm->ndm_ifindex,
        });
    }
    return MNL_CB_OK;
}

static int
find_neighbours(struct netlink *nl, struct entries *found)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_GETNEIGH, NLM_F_DUMP);
    struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof *ndm);

    ndm->ndm_family = AF_INET;
    ndm->ndm_flags = NTF_PROXY;
    return netlink_transact(nl, nlh, visit_neighbour, found);
}

/* ---- Changes ---- */

static int
change_route(struct netlink *nl, uint16_t type, uint16_t flags, be32 address,
             be32 via, unsigned int ifindex)
{
    struct nlmsghdr *nlh = netlink_request(nl, type, NLM_F_ACK | flags);
    struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);

    rtm->rtm_family = AF_INET;
    rtm->rtm_dst_len = 32;
    rtm->rtm_table = RT_TABLE_MAIN;
    rtm->rtm_protocol = FLOATING_PROTOCOL;
    rtm->rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE;
    rtm->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32(nlh, RTA_DST, address);
    mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
    if (via) {
        mnl_attr_put_u32(nlh, RTA_GATEWAY, via);
    }
    return netlink_transact(nl, nlh, NULL, NULL);
}

static int
change_neighbour(struct netlink *nl, uint16_t type, uint16_t flags,
                 be32 address, unsigned int ifindex)
{
    struct nlmsghdr *nlh = netlink_request(nl, type, NLM_F_ACK | flags);
    struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof *ndm);

    ndm->ndm_family = AF_INET;
    ndm->ndm_ifindex = (int) ifindex;
    ndm->ndm_state = NUD_PERMANENT;
    ndm->ndm_flags = NTF_PROXY;
    mnl_attr_put_u32(nlh, NDA_DST, address);
    mnl_attr_put_u8(nlh, NDA_PROTOCOL, FLOATING_PROTOCOL);
    return netlink_transact(nl, nlh, NULL, NULL);
}

/* ---- All of it ---- */

struct work {
    struct netlink *nl;
    const struct host_nat *nat;
    unsigned int legs[HOST_NAT_MAX_LEGS];     /* by ifindex; 0: not there */
    struct entries addresses, routes, neighbours;
};

static bool
is_leg(const struct work *work, unsigned int ifindex)
{
    for (unsigned int i = 0; i < work->nat->n_legs; i++) {
        if (work->legs[i] == ifindex) {
            return true;
        }
    }
    return false;
}

static const struct host_nat_forward *
find_floating(const struct work *work, be32 address)
{
    for (unsigned int i = 0; i < work->nat->n_forwards; i++) {
        const struct host_nat_forward *f = &work->nat->forwards[i];

        if (!f->protocol && f->listen == address) {
            return f;
        }
    }
    return NULL;
}

/* What the host has must not be what we are about to route away from it. */
static int
check_addresses(const struct work *work, struct str *error)
{
    char text[ADDRESS_TEXT_SIZE];

    for (unsigned int i = 0; i < work->addresses.n; i++) {
        const struct entry *e = &work->addresses.list[i];

        if (find_floating(work, e->address)) {
            str_setf(error, "%s cannot float: it is this host's own address; "
                     "take it from its device, or forward ports of it",
                     ip4_format(e->address, text));
            return -EADDRINUSE;
        }
        for (unsigned int k = 0; k < work->nat->n_legs; k++) {
            if (e->ifindex != work->legs[k]
                && ip4_is_within(e->address, work->nat->legs[k].ours,
                                 LEG_LEN)) {
                str_setf(error, "this host has %s on another device than %s; "
                         "give the uplink another network: --transfer "
                         "169.254.X.Y/30", ip4_format(e->address, text),
                         work->nat->legs[k].device);
                return -EADDRINUSE;
            }
        }
    }
    return 0;
}

/* On which device of the host its network is; 0: on none, it is routed here. */
static unsigned int
find_home(const struct work *work, be32 address)
{
    unsigned int home = 0, len = 0;

    for (unsigned int i = 0; i < work->addresses.n; i++) {
        const struct entry *e = &work->addresses.list[i];

        if (e->len < 32 && e->len > len && !is_leg(work, e->ifindex)
            && ip4_is_within(address, e->address, e->len)) {
            home = e->ifindex;
            len = e->len;
        }
    }
    return home;
}

/* Routed to a leg of another daemon. */
static bool
is_others(const struct work *work, be32 address)
{
    for (unsigned int i = 0; i < work->routes.n; i++) {
        const struct entry *e = &work->routes.list[i];

        if (e->address == address && !is_leg(work, e->ifindex)) {
            return true;
        }
    }
    return false;
}

static void
delete_unwanted(struct work *work)
{
    for (unsigned int i = 0; i < work->routes.n; i++) {
        const struct entry *e = &work->routes.list[i];
        const struct host_nat_forward *f = find_floating(work, e->address);

        if (is_leg(work, e->ifindex)
            && !(f && work->legs[f->leg] == e->ifindex)) {
            change_route(work->nl, RTM_DELROUTE, 0, e->address, 0,
                         e->ifindex);
        }
    }
    for (unsigned int i = 0; i < work->neighbours.n; i++) {
        const struct entry *e = &work->neighbours.list[i];
        bool is_wanted = find_floating(work, e->address)
                         && find_home(work, e->address) == e->ifindex;

        if (!is_wanted && !is_others(work, e->address)) {
            change_neighbour(work->nl, RTM_DELNEIGH, 0, e->address,
                             e->ifindex);
        }
    }
}

static bool
is_of_host(const struct work *work, be32 address)
{
    for (unsigned int i = 0; i < work->addresses.n; i++) {
        if (work->addresses.list[i].address == address) {
            return true;
        }
    }
    return false;
}

static void
add_wanted(struct work *work)
{
    for (unsigned int i = 0; i < work->nat->n_forwards; i++) {
        const struct host_nat_forward *f = &work->nat->forwards[i];
        unsigned int leg = work->legs[f->leg], home;

        if (f->protocol || !f->listen || !leg
            || is_of_host(work, f->listen)) {
            continue;
        }
        /* It fails while the leg has no address: an event says when. */
        if (change_route(work->nl, RTM_NEWROUTE,
                         NLM_F_CREATE | NLM_F_REPLACE, f->listen,
                         work->nat->legs[f->leg].ours, leg)) {
            continue;
        }
        home = find_home(work, f->listen);
        if (home && !has_entry(&work->neighbours, f->listen, home)) {
            change_neighbour(work->nl, RTM_NEWNEIGH,
                             NLM_F_CREATE | NLM_F_REPLACE, f->listen, home);
        }
    }
}

static int
look_around(struct work *work)
{
    int err;

    for (unsigned int i = 0; i < work->nat->n_legs; i++) {
        struct link_info link;

        work->legs[i] = link_get(work->nl, work->nat->legs[i].device, &link)
                        ? 0 : link.ifindex;
    }
    err = find_addresses(work->nl, &work->addresses);
    if (!err) {
        err = find_routes(work->nl, &work->routes);
    }
    return err ? err : find_neighbours(work->nl, &work->neighbours);
}

int
floating_set(const struct host_nat *nat, struct str *error)
{
    struct work work = { .nat = nat };
    int err = netlink_open(&work.nl);

    if (!err) {
        err = look_around(&work);
    }
    if (err) {
        str_setf(error, "addresses and routes of this host: %s",
                 strerror(-err));
    } else {
        delete_unwanted(&work);
        add_wanted(&work);
        err = check_addresses(&work, error);
    }
    free(work.addresses.list);
    free(work.routes.list);
    free(work.neighbours.list);
    netlink_close(work.nl);
    return err;
}

int
floating_monitor_open(void)
{
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR,
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    NETLINK_ROUTE);

    if (fd < 0) {
        return -errno;
    }
    if (bind(fd, (struct sockaddr *) &address, sizeof address)) {
        int err = -errno;

        close(fd);
        return err;
    }
    return fd;
}
