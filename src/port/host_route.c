#include "port/host_route.h"

#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/rcu.h"
#include "packet/address.h"
#include "port/netlink_impl.h"

enum {
    MIN_SLOTS = 16,
    /* Routes of a router change all the time: all pairs are asked about anew not
     * more often than so. */
    SETTLE_MS = 50,
    REMIND_MS = 10 * 1000,
};

/* In which the kernel sends to the address that it has. */
static const uint16_t usable = NUD_REACHABLE | NUD_STALE | NUD_DELAY
                               | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;

struct question {
    struct ip6_addr from, to;
};

/* What is known of a pair. */
struct path {
    struct question question;
    struct host_route route;
    bool is_known;
    /* The kernel has not heard of the neighbour lately: one packet by a socket
     * makes it ask.  Reset by who sends that one. */
    _Atomic bool must_ask;
    /* The thread's own: */
    bool is_used;                 /* of a table's slots */
    unsigned int ifindex;         /* 0: no way by Ethernet */
    struct ip6_addr via;
    uint16_t state;               /* NUD_*, the neighbour's */
};

struct table {
    struct rcu_later later;
    uint32_t n, mask;
    struct path paths[];
};

struct host_routes {
    pthread_t thread;
    struct hash_key key;
    int questions[2];             /* a pipe: workers write */
    int stop_fd;
    struct netlink *nl;
    struct mnl_socket *events;
    _Atomic(struct table *) table;
    /* The thread's. */
    struct table *draft;          /* not published yet; NULL: nothing changed */
    bool is_all_stale;
    msec asked_all;
};

/* ---- The table ---- */

static struct path *
find_path(const struct host_routes *routes, struct table *table,
          const struct question *question)
{
    uint64_t at = hash_bytes(routes->key, question, sizeof *question);

    for (;; at++) {
        struct path *path = &table->paths[at & table->mask];

        if (!path->is_used
            || !memcmp(&path->question, question, sizeof *question)) {
            return path;
        }
    }
}

static struct table *
table_create(uint32_t n_slots)
{
    struct table *table = xzalloc(sizeof *table
                                  + n_slots * sizeof table->paths[0]);

    table->mask = n_slots - 1;
    return table;
}

static void
copy_path(struct path *to, const struct path *from)
{
    to->question = from->question;
    to->route = from->route;
    to->is_known = from->is_known;
    atomic_store_explicit(&to->must_ask,
                          atomic_load_explicit(&from->must_ask,
                                               memory_order_relaxed),
                          memory_order_relaxed);
    to->is_used = true;
    to->ifindex = from->ifindex;
    to->via = from->via;
    to->state = from->state;
}

static struct table *
newest(const struct host_routes *routes)
{
    return routes->draft ? routes->draft
                       : atomic_load_explicit(&routes->table,
                                              memory_order_relaxed);
}

static bool
has_room(const struct table *table)
{
    return 2 * (table->n + 1) <= table->mask + 1;
}

/* What can be changed before it is published, with room for one more. */
static struct table *
draft(struct host_routes *routes)
{
    struct table *old = newest(routes), *new;

    if (old == routes->draft && has_room(old)) {
        return old;
    }
    if (old->n >= HOST_ROUTES_MAX) {
        new = table_create(MIN_SLOTS);
    } else {
        new = table_create((old->mask + 1) * (has_room(old) ? 1 : 2));
        for (uint32_t i = 0; i <= old->mask; i++) {
            if (old->paths[i].is_used) {
                copy_path(find_path(routes, new, &old->paths[i].question),
                          &old->paths[i]);
            }
        }
        new->n = old->n;
    }
    free(routes->draft);
    routes->draft = new;
    return new;
}

static void
publish(struct host_routes *routes)
{
    struct table *old;

    if (routes->draft) {
        old = atomic_exchange(&routes->table, routes->draft);
        routes->draft = NULL;
        rcu_free(&old->later);
    }
}

bool
host_route_find(struct host_routes *routes, const struct ip6_addr *from,
              const struct ip6_addr *to, struct host_route *route)
{
    struct table *table = atomic_load_explicit(&routes->table,
                                               memory_order_acquire);
    struct question question = { *from, *to };
    struct path *path = find_path(routes, table, &question);

    if (UNLIKELY(!path->is_used)) {
        if (write(routes->questions[1], &question, sizeof question) < 0) {
            /* It is full: the next packet asks again. */
        }
        return false;
    }
    if (!path->is_known
        || (atomic_load_explicit(&path->must_ask, memory_order_relaxed)
            && atomic_exchange(&path->must_ask, false))) {
        return false;
    }
    *route = path->route;
    return true;
}

/* ---- Asking the kernel ---- */

static uint8_t
family_of(const struct ip6_addr *address)
{
    return ip6_is_mapped4(address) ? AF_INET : AF_INET6;
}

static uint8_t
put_address(struct nlmsghdr *nlh, uint16_t type,
            const struct ip6_addr *address)
{
    bool is_ip4 = ip6_is_mapped4(address);

    mnl_attr_put(nlh, type, is_ip4 ? 4 : 16, address->b + (is_ip4 ? 12 : 0));
    return is_ip4 ? 32 : 128;
}

static bool
read_address(const void *bytes, size_t len, struct ip6_addr *address)
{
    if (len == 4) {
        *address = ip6_of_ip4(get_be32(bytes));
    } else if (len == sizeof address->b) {
        memcpy(address->b, bytes, len);
    }
    return len == 4 || len == sizeof address->b;
}

static int
read_route(const struct nlmsghdr *nlh, void *path_)
{
    struct path *path = path_;
    const struct rtmsg *route = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *attr;
    bool is_plain = route->rtm_type == RTN_UNICAST;

    if (nlh->nlmsg_type != RTM_NEWROUTE) {
        return MNL_CB_OK;
    }
    mnl_attr_for_each(attr, nlh, sizeof *route) {
        const uint8_t *bytes = mnl_attr_get_payload(attr);
        size_t len = mnl_attr_get_payload_len(attr);

        switch (mnl_attr_get_type(attr)) {
        case RTA_OIF:
            path->ifindex = mnl_attr_get_u32(attr);
            break;
        case RTA_GATEWAY:
            is_plain &= read_address(bytes, len, &path->via);
            break;
        case RTA_VIA:             /* a family, then the address */
            is_plain &= len > 2 && read_address(bytes + 2, len - 2,
                                                &path->via);
            break;
        case RTA_ENCAP:           /* labels, another tunnel */
            is_plain = false;
            break;
        }
    }
    path->ifindex = is_plain ? path->ifindex : 0;
    return MNL_CB_OK;
}

static void
ask_route(struct host_routes *routes, struct path *path)
{
    struct nlmsghdr *nlh = netlink_request(routes->nl, RTM_GETROUTE, NLM_F_ACK);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(nlh, sizeof *route);

    path->ifindex = 0;
    path->via = path->question.to;
    route->rtm_family = family_of(&path->question.to);
    route->rtm_dst_len = put_address(nlh, RTA_DST, &path->question.to);
    route->rtm_src_len = put_address(nlh, RTA_SRC, &path->question.from);
    if (netlink_transact(routes->nl, nlh, read_route, path)) {
        path->ifindex = 0;
    }
}

static void
set_neighbour(struct path *path, uint16_t state, const struct nlattr *mac)
{
    struct eth_addr was = path->route.dst;

    path->is_known = state & usable && mac
                     && mnl_attr_get_payload_len(mac) == sizeof path->route.dst;
    if (path->is_known) {
        memcpy(&path->route.dst, mnl_attr_get_payload(mac),
               sizeof path->route.dst);
    }
    if (state != NUD_STALE) {
        atomic_store(&path->must_ask, false);
    } else if (path->state != NUD_STALE
               || !eth_addr_eq(was, path->route.dst)) {
        atomic_store(&path->must_ask, true);
    }
    path->state = state;
}

/* Whose neighbour a message speaks of, and what it says. */
struct neighbour {
    unsigned int ifindex;
    struct ip6_addr address;
    uint16_t state;
    const struct nlattr *mac;     /* NULL: none is known */
};

static bool
parse_neighbour(const struct nlmsghdr *nlh, struct neighbour *neighbour)
{
    const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *attr;
    bool has_address = false;

    if (mnl_nlmsg_get_payload_len(nlh) < sizeof *nd
        || (nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6)) {
        return false;
    }
    *neighbour = (struct neighbour) {
        .ifindex = (unsigned int) nd->ndm_ifindex,
        .state = nlh->nlmsg_type == RTM_DELNEIGH ? NUD_NONE : nd->ndm_state,
    };
    mnl_attr_for_each(attr, nlh, sizeof *nd) {
        if (mnl_attr_get_type(attr) == NDA_DST) {
            has_address = read_address(mnl_attr_get_payload(attr),
                                       mnl_attr_get_payload_len(attr),
                                       &neighbour->address);
        } else if (mnl_attr_get_type(attr) == NDA_LLADDR) {
            neighbour->mac = attr;
        }
    }
    return has_address;
}

static int
read_neighbour(const struct nlmsghdr *nlh, void *path)
{
    struct neighbour neighbour;

    if (nlh->nlmsg_type == RTM_NEWNEIGH
        && parse_neighbour(nlh, &neighbour)) {
        set_neighbour(path, neighbour.state, neighbour.mac);
    }
    return MNL_CB_OK;
}

static void
ask_neighbour(struct host_routes *routes, struct path *path)
{
    struct nlmsghdr *nlh = netlink_request(routes->nl, RTM_GETNEIGH, NLM_F_ACK);
    struct ndmsg *nd = mnl_nlmsg_put_extra_header(nlh, sizeof *nd);

    nd->ndm_family = family_of(&path->via);
    nd->ndm_ifindex = (int) path->ifindex;
    put_address(nlh, NDA_DST, &path->via);
    if (netlink_transact(routes->nl, nlh, read_neighbour, path)) {
        path->is_known = false;   /* the kernel has not met it yet */
    }
}

static void
ask(struct host_routes *routes, struct path *path)
{
    struct link_info link;

    ask_route(routes, path);
    if (!path->ifindex
        || link_get_by_index(routes->nl, path->ifindex, &link)
        || !link.is_ethernet || !link.is_up) {
        path->ifindex = 0;
        path->is_known = false;
        return;
    }
    path->route.src = link.mac;
    ask_neighbour(routes, path);
}

static void
ask_all(struct host_routes *routes)
{
    struct table *table = draft(routes);

    for (uint32_t i = 0; i <= table->mask; i++) {
        if (table->paths[i].is_used) {
            ask(routes, &table->paths[i]);
        }
    }
    routes->is_all_stale = false;
    routes->asked_all = clock_msec();
}

/* ---- The thread ---- */

static void
read_questions(struct host_routes *routes)
{
    struct question question;

    while (read(routes->questions[0], &question, sizeof question)
           == (ssize_t) sizeof question) {
        struct table *table = draft(routes);
        struct path *path = find_path(routes, table, &question);

        if (!path->is_used) {
            path->is_used = true;
            path->question = question;
            table->n++;
            ask(routes, path);
        }
    }
}

static void
change_neighbour(struct host_routes *routes, const struct neighbour *neighbour)
{
    struct table *table = newest(routes);

    for (uint32_t i = 0; i <= table->mask; i++) {
        struct path *path = &table->paths[i];

        if (path->ifindex != neighbour->ifindex
            || !ip6_addr_eq(path->via, neighbour->address)) {
            continue;
        }
        if (table != routes->draft) {
            table = draft(routes);
            i = UINT32_MAX;       /* from the first one on */
            continue;
        }
        set_neighbour(path, neighbour->state, neighbour->mac);
    }
}

static int
read_event(const struct nlmsghdr *nlh, void *routes_)
{
    struct host_routes *routes = routes_;
    struct neighbour neighbour;

    if (nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH) {
        routes->is_all_stale = true;
    } else if (parse_neighbour(nlh, &neighbour)) {
        change_neighbour(routes, &neighbour);
    }
    return MNL_CB_OK;
}

static void
read_events(struct host_routes *routes)
{
    static const size_t size = NETLINK_BUFFER_SIZE;
    char *buffer = xmalloc(size);
    ssize_t n;

    while ((n = mnl_socket_recvfrom(routes->events, buffer, size)) > 0) {
        mnl_cb_run(buffer, (size_t) n, 0, 0, read_event, routes);
    }
    if (errno != EAGAIN && errno != EINTR) {
        routes->is_all_stale = true;    /* some were lost */
    }
    free(buffer);
}

/* A packet that was to make the kernel ask can be lost before it does. */
static void
remind(struct host_routes *routes)
{
    struct table *table = newest(routes);

    for (uint32_t i = 0; i <= table->mask; i++) {
        if (table->paths[i].is_known
            && table->paths[i].state == NUD_STALE) {
            atomic_store(&table->paths[i].must_ask, true);
        }
    }
}

static int
time_left(const struct host_routes *routes)
{
    msec left = routes->asked_all + SETTLE_MS - clock_msec();

    return routes->is_all_stale ? (int) MAX(left, 0)
           : newest(routes)->n ? REMIND_MS : -1;
}

static void *
run(void *routes_)
{
    struct host_routes *routes = routes_;
    struct pollfd fds[] = {
        { .fd = routes->stop_fd, .events = POLLIN },
        { .fd = mnl_socket_get_fd(routes->events), .events = POLLIN },
        { .fd = routes->questions[0], .events = POLLIN },
    };

    int n;

    while (!fds[0].revents) {
        if (fds[1].revents) {
            read_events(routes);
        }
        if (fds[2].revents) {
            read_questions(routes);
        }
        if (!time_left(routes)) {
            ask_all(routes);
        }
        publish(routes);
        n = poll(fds, ARRAY_SIZE(fds), time_left(routes));
        if (n < 0) {
            fds[0].revents = fds[1].revents = fds[2].revents = 0;
        } else if (!n) {
            remind(routes);
        }
    }
    return NULL;
}

/* ---- Life ---- */

static int
open_events(struct host_routes *routes)
{
    const unsigned int groups = RTMGRP_NEIGH | RTMGRP_LINK
        | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR
        | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_RULE
        | 1u << (RTNLGRP_IPV6_RULE - 1);

    routes->events = mnl_socket_open2(NETLINK_ROUTE,
                                    SOCK_CLOEXEC | SOCK_NONBLOCK);
    return !routes->events
           || mnl_socket_bind(routes->events, groups, MNL_SOCKET_AUTOPID) < 0
           ? -errno : 0;
}

static void
close_all(struct host_routes *routes)
{
    for (unsigned int i = 0; i < 2; i++) {
        if (routes->questions[i] >= 0) {
            close(routes->questions[i]);
        }
    }
    if (routes->stop_fd >= 0) {
        close(routes->stop_fd);
    }
    if (routes->events) {
        mnl_socket_close(routes->events);
    }
    netlink_close(routes->nl);
    free(routes->table);
    free(routes);
}

int
host_routes_create(struct host_routes **result)
{
    struct host_routes *routes = xzalloc(sizeof *routes);
    int err;

    routes->key = hash_key_random();
    routes->table = table_create(MIN_SLOTS);
    routes->questions[0] = routes->questions[1] = -1;
    routes->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (routes->stop_fd < 0
        || pipe2(routes->questions, O_CLOEXEC | O_NONBLOCK)) {
        err = -errno;
        goto fail;
    }
    if ((err = netlink_open(&routes->nl)) || (err = open_events(routes))
        || (err = -pthread_create(&routes->thread, NULL, run, routes))) {
        goto fail;
    }
    *result = routes;
    return 0;

fail:
    close_all(routes);
    return err;
}

void
host_routes_destroy(struct host_routes *routes)
{
    uint64_t one = 1;

    if (!routes) {
        return;
    }
    if (write(routes->stop_fd, &one, sizeof one) < 0) {
        abort();                  /* an eventfd's first write */
    }
    pthread_join(routes->thread, NULL);
    close_all(routes);
}
