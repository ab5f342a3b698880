#include "port/address_move.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "port/netlink_impl.h"

/* Messages of a dump, as they came. */
struct messages {
    unsigned int n;
    struct nlmsghdr **list;
};

static void
messages_add(struct messages *m, const struct nlmsghdr *nlh)
{
    m->list = xrealloc(m->list, (m->n + 1) * sizeof *m->list);
    m->list[m->n++] = xmemdup(nlh, nlh->nlmsg_len);
}

static void
messages_fini(struct messages *m)
{
    for (unsigned int i = 0; i < m->n; i++) {
        free(m->list[i]);
    }
    free(m->list);
}

static const struct nlattr *
find_attr(const struct nlmsghdr *nlh, size_t header_len, uint16_t type)
{
    const struct nlattr *attr;

    mnl_attr_for_each(attr, nlh, header_len) {
        if (mnl_attr_get_type(attr) == type) {
            return attr;
        }
    }
    return NULL;
}

static void
copy_attr(struct nlmsghdr *nlh, const struct nlattr *attr)
{
    mnl_attr_put(nlh, attr->nla_type, mnl_attr_get_payload_len(attr),
                 mnl_attr_get_payload(attr));
}

/* ---- Addresses ---- */

struct search {
    unsigned int ifindex;
    struct messages found;
};

static int
visit_address(const struct nlmsghdr *nlh, void *search_)
{
    struct search *search = search_;
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);

    if (nlh->nlmsg_type == RTM_NEWADDR && ifa->ifa_index == search->ifindex
        && ifa->ifa_scope != RT_SCOPE_LINK) {
        messages_add(&search->found, nlh);
    }
    return MNL_CB_OK;
}

static int
find_addresses(struct netlink *nl, unsigned int ifindex,
               struct messages *found)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_GETADDR, NLM_F_DUMP);
    struct search search = { .ifindex = ifindex };
    int err;

    mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
    err = netlink_transact(nl, nlh, visit_address, &search);
    *found = search.found;
    return err;
}

/* A label begins with its device's name. */
static void
put_label(struct nlmsghdr *nlh, const struct nlattr *attr, const char *from,
          const char *to)
{
    const char *label = mnl_attr_get_str(attr);
    char moved[2 * IFNAMSIZ];

    if (!strncmp(label, from, strlen(from))) {
        snprintf(moved, sizeof moved, "%s%s", to, label + strlen(from));
        label = moved;
    }
    if (strlen(label) < IFNAMSIZ) {
        mnl_attr_put_strz(nlh, IFA_LABEL, label);
    }
}

/* What says how it is, and not where it stands just now. */
static const uint32_t kept_flags = IFA_F_NODAD | IFA_F_HOMEADDRESS
                                   | IFA_F_MANAGETEMPADDR
                                   | IFA_F_NOPREFIXROUTE
                                   | IFA_F_MCAUTOJOIN;

static int
add_address(struct netlink *nl, const struct nlmsghdr *was,
            const struct link_info *from, const struct link_info *to)
{
    const struct ifaddrmsg *old = mnl_nlmsg_get_payload(was);
    struct nlmsghdr *nlh = netlink_request(nl, RTM_NEWADDR,
                                           NLM_F_ACK | NLM_F_CREATE
                                           | NLM_F_REPLACE);
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);
    const struct nlattr *attr;

    ifa->ifa_family = old->ifa_family;
    ifa->ifa_prefixlen = old->ifa_prefixlen;
    ifa->ifa_scope = old->ifa_scope;
    ifa->ifa_index = to->ifindex;
    mnl_attr_for_each(attr, was, sizeof *old) {
        switch (mnl_attr_get_type(attr)) {
        case IFA_LABEL:
            put_label(nlh, attr, from->name, to->name);
            break;
        case IFA_FLAGS:
            mnl_attr_put_u32(nlh, IFA_FLAGS,
                             mnl_attr_get_u32(attr) & kept_flags);
            break;
        case IFA_CACHEINFO:
            /* Its lifetimes are what is left of them. */
        case IFA_ADDRESS: case IFA_LOCAL: case IFA_BROADCAST:
        case IFA_RT_PRIORITY: case IFA_PROTO:
            copy_attr(nlh, attr);
            break;
        }
    }
    return netlink_transact(nl, nlh, NULL, NULL);
}

static void
delete_address(struct netlink *nl, const struct nlmsghdr *was)
{
    const struct ifaddrmsg *old = mnl_nlmsg_get_payload(was);
    struct nlmsghdr *nlh = netlink_request(nl, RTM_DELADDR, NLM_F_ACK);
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);
    const struct nlattr *attr;

    *ifa = *old;
    ifa->ifa_flags = 0;
    mnl_attr_for_each(attr, was, sizeof *old) {
        uint16_t type = mnl_attr_get_type(attr);

        if (type == IFA_LOCAL || type == IFA_ADDRESS) {
            copy_attr(nlh, attr);
        }
    }
    /* A secondary one may have gone with its primary one. */
    netlink_transact(nl, nlh, NULL, NULL);
}

/* ---- Routes ---- */

/* Calls `visit` for the number of each device that the route leads to. */
static bool
leads_by(const struct nlmsghdr *nlh, unsigned int ifindex)
{
    const struct nlattr *attr = find_attr(nlh, sizeof(struct rtmsg), RTA_OIF);
    const struct rtnexthop *hop;
    size_t left;

    if (attr && mnl_attr_get_u32(attr) == ifindex) {
        return true;
    }
    attr = find_attr(nlh, sizeof(struct rtmsg), RTA_MULTIPATH);
    if (!attr) {
        return false;
    }
    hop = mnl_attr_get_payload(attr);
    left = mnl_attr_get_payload_len(attr);
    for (; RTNH_OK(hop, (int) left);
         left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
        if ((unsigned int) hop->rtnh_ifindex == ifindex) {
            return true;
        }
    }
    return false;
}

static int
visit_route(const struct nlmsghdr *nlh, void *search_)
{
    struct search *search = search_;
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

    if (nlh->nlmsg_type == RTM_NEWROUTE && rtm->rtm_type == RTN_UNICAST
        && rtm->rtm_table != RT_TABLE_LOCAL
        && rtm->rtm_protocol != RTPROT_KERNEL
        && !(rtm->rtm_flags & RTM_F_CLONED)
        && leads_by(nlh, search->ifindex)) {
        messages_add(&search->found, nlh);
    }
    return MNL_CB_OK;
}

static int
find_routes(struct netlink *nl, unsigned int ifindex, struct messages *found)
{
    static const uint8_t families[] = { AF_INET, AF_INET6 };
    struct search search = { .ifindex = ifindex };
    int err = 0;

    for (size_t i = 0; i < ARRAY_SIZE(families) && !err; i++) {
        struct nlmsghdr *nlh = netlink_request(nl, RTM_GETROUTE, NLM_F_DUMP);
        struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);

        rtm->rtm_family = families[i];
        err = netlink_transact(nl, nlh, visit_route, &search);
    }
    *found = search.found;
    return err;
}

static void
put_multipath(struct nlmsghdr *nlh, const struct nlattr *attr,
              unsigned int from, unsigned int to)
{
    size_t left = mnl_attr_get_payload_len(attr);
    void *copy = xmemdup(mnl_attr_get_payload(attr), left);

    for (struct rtnexthop *hop = copy; RTNH_OK(hop, (int) left);
         left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
        hop->rtnh_flags &= RTNH_F_ONLINK;
        if ((unsigned int) hop->rtnh_ifindex == from) {
            hop->rtnh_ifindex = (int) to;
        }
    }
    mnl_attr_put(nlh, RTA_MULTIPATH, mnl_attr_get_payload_len(attr), copy);
    free(copy);
}

/* A route from a router advertisement ends some time. */
static void
put_expiry(struct nlmsghdr *nlh, const struct nlattr *attr)
{
    const struct rta_cacheinfo *info = mnl_attr_get_payload(attr);
    long ticks = sysconf(_SC_CLK_TCK);

    if (mnl_attr_get_payload_len(attr) >= sizeof *info
        && info->rta_expires > 0) {
        mnl_attr_put_u32(nlh, RTA_EXPIRES,
                         (uint32_t) (info->rta_expires / MAX(ticks, 1L)));
    }
}

static int
add_route(struct netlink *nl, const struct nlmsghdr *was, unsigned int from,
          unsigned int to)
{
    const struct rtmsg *old = mnl_nlmsg_get_payload(was);
    struct nlmsghdr *nlh = netlink_request(nl, RTM_NEWROUTE, NLM_F_ACK
                                           | NLM_F_CREATE | NLM_F_APPEND);
    struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);
    const struct nlattr *attr;
    int err;

    *rtm = *old;
    rtm->rtm_flags &= RTNH_F_ONLINK;
    mnl_attr_for_each(attr, was, sizeof *old) {
        switch (mnl_attr_get_type(attr)) {
        case RTA_OIF:
            mnl_attr_put_u32(nlh, RTA_OIF, mnl_attr_get_u32(attr) == from
                                           ? to : mnl_attr_get_u32(attr));
            break;
        case RTA_MULTIPATH:
            put_multipath(nlh, attr, from, to);
            break;
        case RTA_CACHEINFO:
            put_expiry(nlh, attr);
            break;
        case RTA_NH_ID:           /* bound to the device: what it says is in
                                     the other attributes, too */
            break;
        default:
            copy_attr(nlh, attr);
        }
    }
    err = netlink_transact(nl, nlh, NULL, NULL);
    return err == -EEXIST ? 0 : err;
}

/* Some are gone with the addresses. */
static void
delete_route(struct netlink *nl, const struct nlmsghdr *was)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_DELROUTE, NLM_F_ACK);
    const struct rtmsg *old = mnl_nlmsg_get_payload(was);
    struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);
    const struct nlattr *attr;

    *rtm = *old;
    rtm->rtm_flags = 0;
    mnl_attr_for_each(attr, was, sizeof *old) {
        uint16_t type = mnl_attr_get_type(attr);

        if (type != RTA_CACHEINFO && type != RTA_NH_ID) {
            copy_attr(nlh, attr);
        }
    }
    netlink_transact(nl, nlh, NULL, NULL);
}

/* Those that need no other one first. */
static int
add_routes(struct netlink *nl, const struct messages *routes,
           unsigned int from, unsigned int to)
{
    int first_err = 0;

    for (int has_gateway = 0; has_gateway < 2; has_gateway++) {
        for (unsigned int i = 0; i < routes->n; i++) {
            const struct nlmsghdr *nlh = routes->list[i];
            size_t len = sizeof(struct rtmsg);
            int err;

            if ((find_attr(nlh, len, RTA_GATEWAY)
                 || find_attr(nlh, len, RTA_MULTIPATH)
                 || find_attr(nlh, len, RTA_VIA)) != has_gateway) {
                continue;
            }
            err = add_route(nl, nlh, from, to);
            first_err = first_err ? first_err : err;
        }
    }
    return first_err;
}

/* ---- DAD ---- */

static const char *const dad_files[] = { "accept_dad", "dad_transmits" };

/* Sets the file and says what was there; '\0': it is not there. */
static void
swap_setting(const char *device, const char *file, char value, char *was)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/%s", device,
             file);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        *was = '\0';
        return;
    }
    if (read(fd, was, 1) != 1 || pwrite(fd, &value, 1, 0) != 1) {
        *was = '\0';
    }
    close(fd);
}

/* ---- All of it ---- */

struct move {
    struct netlink *nl;
    const struct link_info *from, *to;
    struct messages addresses, routes;
};

static int
add_addresses(const struct move *m)
{
    char was[ARRAY_SIZE(dad_files)], unused;
    int err = 0;

    swap_setting(m->to->name, "disable_ipv6", '0', &unused);
    for (size_t i = 0; i < ARRAY_SIZE(dad_files); i++) {
        swap_setting(m->to->name, dad_files[i], '0', &was[i]);
    }
    for (unsigned int i = 0; i < m->addresses.n && !err; i++) {
        err = add_address(m->nl, m->addresses.list[i], m->from, m->to);
    }
    for (size_t i = 0; i < ARRAY_SIZE(dad_files); i++) {
        if (was[i]) {
            swap_setting(m->to->name, dad_files[i], was[i], &unused);
        }
    }
    return err;
}

static int
carry_out(const struct move *m)
{
    int err = add_addresses(m);

    if (err) {
        return err;
    }
    for (unsigned int i = 0; i < m->addresses.n; i++) {
        delete_address(m->nl, m->addresses.list[i]);
    }
    for (unsigned int i = 0; i < m->routes.n; i++) {
        delete_route(m->nl, m->routes.list[i]);
    }
    return add_routes(m->nl, &m->routes, m->from->ifindex, m->to->ifindex);
}

static void
take_back(const struct move *m)
{
    struct move back = *m;

    back.from = m->to;
    back.to = m->from;
    /* The messages say where everything was: there it is added. */
    for (unsigned int i = 0; i < m->addresses.n; i++) {
        add_address(m->nl, m->addresses.list[i], m->from, m->from);
    }
    if (!find_addresses(m->nl, m->to->ifindex, &back.addresses)) {
        for (unsigned int i = 0; i < back.addresses.n; i++) {
            delete_address(m->nl, back.addresses.list[i]);
        }
    }
    messages_fini(&back.addresses);
    add_routes(m->nl, &m->routes, m->from->ifindex, m->from->ifindex);
}

int
address_move(struct netlink *nl, const struct link_info *from,
             const struct link_info *to, struct str *error)
{
    struct move m = { .nl = nl, .from = from, .to = to };
    int err = find_addresses(nl, from->ifindex, &m.addresses);

    if (!err) {
        err = find_routes(nl, from->ifindex, &m.routes);
    }
    if (!err) {
        err = carry_out(&m);
        if (err) {
            take_back(&m);
        }
    }
    if (err) {
        str_setf(error, "addresses and routes of %s cannot be moved to %s: "
                 "%s", from->name, to->name, strerror(-err));
    }
    messages_fini(&m.addresses);
    messages_fini(&m.routes);
    return err;
}

/* ---- Contacts ---- */

static const uint16_t in_use = NUD_REACHABLE | NUD_STALE | NUD_DELAY
                               | NUD_PROBE;
static const uint16_t answered = NUD_REACHABLE;

struct neighbour_search {
    unsigned int ifindex;
    uint16_t states;
    struct contacts found;
};

static int
visit_neighbour(const struct nlmsghdr *nlh, void *search_)
{
    struct neighbour_search *search = search_;
    const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *dst = find_attr(nlh, sizeof *ndm, NDA_DST);
    const struct nlattr *mac = find_attr(nlh, sizeof *ndm, NDA_LLADDR);
    struct contacts *found = &search->found;

    if (nlh->nlmsg_type == RTM_NEWNEIGH && dst
        && (unsigned int) ndm->ndm_ifindex == search->ifindex
        && ndm->ndm_state & search->states && found->n < CONTACTS_MAX
        && mnl_attr_get_payload_len(dst) <= sizeof found->list[0].address) {
        struct contact *c = &found->list[found->n++];

        c->family = ndm->ndm_family;
        c->len = (uint8_t) mnl_attr_get_payload_len(dst);
        memcpy(c->address, mnl_attr_get_payload(dst), c->len);
        if (mac && mnl_attr_get_payload_len(mac) == sizeof c->mac) {
            memcpy(&c->mac, mnl_attr_get_payload(mac), sizeof c->mac);
            c->has_mac = true;
        }
    }
    return MNL_CB_OK;
}

static int
find_neighbours(struct netlink *nl, unsigned int ifindex, uint16_t states,
                struct contacts *result)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_GETNEIGH, NLM_F_DUMP);
    struct neighbour_search search = { .ifindex = ifindex, .states = states };
    int err;

    mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
    err = netlink_transact(nl, nlh, visit_neighbour, &search);
    *result = search.found;
    return err;
}

int
contacts_find(struct netlink *nl, unsigned int ifindex,
              struct contacts *contacts)
{
    return find_neighbours(nl, ifindex, in_use, contacts);
}

/* Best effort: who is not asked does not answer. */
static void
set_neighbour(struct netlink *nl, unsigned int ifindex,
              const struct contact *c, uint16_t state, uint8_t flags)
{
    struct nlmsghdr *nlh = netlink_request(nl, RTM_NEWNEIGH,
                                           NLM_F_ACK | NLM_F_CREATE);
    struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof *ndm);

    ndm->ndm_family = c->family;
    ndm->ndm_ifindex = (int) ifindex;
    ndm->ndm_state = state;
    ndm->ndm_flags = flags;
    mnl_attr_put(nlh, NDA_DST, c->len, c->address);
    if (state) {
        mnl_attr_put(nlh, NDA_LLADDR, sizeof c->mac, &c->mac);
    }
    netlink_transact(nl, nlh, NULL, NULL);
}

void
contacts_introduce(struct netlink *nl, unsigned int ifindex,
                   const struct contacts *contacts)
{
    for (unsigned int i = 0; i < contacts->n; i++) {
        if (contacts->list[i].has_mac) {
            set_neighbour(nl, ifindex, &contacts->list[i], NUD_PROBE, 0);
        }
    }
}

void
contacts_ask(struct netlink *nl, unsigned int ifindex,
             const struct contacts *contacts)
{
    for (unsigned int i = 0; i < contacts->n; i++) {
        set_neighbour(nl, ifindex, &contacts->list[i], 0, NTF_USE);
    }
}

static bool
is_same(const struct contact *a, const struct contact *b)
{
    return a->family == b->family && a->len == b->len
           && !memcmp(a->address, b->address, a->len);
}

bool
contacts_have_answered(struct netlink *nl, unsigned int ifindex,
                       const struct contacts *contacts)
{
    struct contacts now;

    if (find_neighbours(nl, ifindex, answered, &now)) {
        return false;
    }
    for (unsigned int i = 0; i < contacts->n; i++) {
        for (unsigned int k = 0; k < now.n; k++) {
            if (is_same(&contacts->list[i], &now.list[k])) {
                return true;
            }
        }
    }
    return false;
}
