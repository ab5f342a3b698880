#include "port/tunnel_endpoint.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet/address.h"
#include "port/helper.h"
#include "port/registry.h"
#include "port/underlay.h"

enum { INBOX_SIZE = 1024 };

/* ---- Whose is it? ---- */

struct tunnel_index {
    struct ip6_addr remote;       /* zero: any */
    uint32_t key;
    uint32_t has_key;             /* 2: any */
};

struct tunnel_slot {
    struct tunnel_index index;
    struct tunnel *tunnel;        /* NULL: free */
};

static struct tunnel_index
index_of(const struct tunnel_options *options)
{
    struct tunnel_index index = {
        .key = options->key, .has_key = options->has_key,
    };

    if (options->is_key_by_flow) {
        index.key = 0;
        index.has_key = 2;
    }
    /* Who is spoken to by a group answers from an address of its own. */
    if (!options->is_remote_by_flow && !ip6_is_group(&options->remote)) {
        index.remote = options->remote;
    }
    return index;
}

/* What an index leaves open. */
enum { ANY_REMOTE = 1, ANY_KEY = 2, ANY_BOTH = 3 };

static unsigned int
shape_of(const struct tunnel_index *index)
{
    return (index->has_key == 2 ? ANY_KEY : 0u)
           | (ip6_addr_is_set(index->remote) ? 0u : ANY_REMOTE);
}

static struct tunnel *
look_up(const struct tunnel_endpoint *endpoint,
        const struct tunnel_index *index)
{
    uint64_t at = hash_bytes(endpoint->hash_key, index, sizeof *index);

    for (;; at++) {
        const struct tunnel_slot *slot
            = &endpoint->table[at & endpoint->mask];

        if (!slot->tunnel || !memcmp(&slot->index, index, sizeof *index)) {
            return slot->tunnel;
        }
    }
}

struct tunnel *
tunnel_endpoint_find(const struct tunnel_endpoint *endpoint, bool has_key,
                     uint32_t key, const struct ip6_addr *remote)
{
    for (unsigned int i = 0; i < ANY_BOTH; i++) {
        struct tunnel_index index = { .has_key = 2 };
        struct tunnel *found;

        if (!(endpoint->shapes & 1u << i)) {
            continue;             /* nobody is like that */
        }
        if (!(i & ANY_KEY)) {
            index.key = key;
            index.has_key = has_key;
        }
        if (!(i & ANY_REMOTE)) {
            index.remote = *remote;
        }
        found = look_up(endpoint, &index);
        if (found) {
            return found;
        }
    }
    return endpoint->any;
}

/* With every queue's lock held. */
static void
rebuild_table(struct tunnel_endpoint *endpoint)
{
    uint32_t n = 4;

    for (const struct tunnel *t = endpoint->members; t; t = t->next) {
        n += 4;
    }
    while (n & (n - 1)) {
        n &= n - 1;
    }
    free(endpoint->table);
    endpoint->table = xcalloc(n, sizeof endpoint->table[0]);
    endpoint->mask = n - 1;
    endpoint->shapes = 0;
    endpoint->any = NULL;
    for (struct tunnel *t = endpoint->members; t; t = t->next) {
        struct tunnel_index index = index_of(&t->options);
        uint64_t at = hash_bytes(endpoint->hash_key, &index, sizeof index);

        while (endpoint->table[at & endpoint->mask].tunnel) {
            at++;
        }
        endpoint->table[at & endpoint->mask]
            = (struct tunnel_slot) { index, t };
        endpoint->shapes |= 1u << shape_of(&index);
        if (shape_of(&index) == ANY_BOTH) {
            endpoint->any = t;
        }
    }
}

static void
lock(struct tunnel_endpoint *endpoint)
{
    for (unsigned int q = 0; q < TUNNEL_MAX_QUEUES; q++) {
        pthread_mutex_lock(&endpoint->arrivals[q].lock);
    }
    if (endpoint->underlay) {
        underlay_lock(endpoint->underlay);
    }
}

static void
unlock(struct tunnel_endpoint *endpoint)
{
    if (endpoint->underlay) {
        underlay_unlock(endpoint->underlay);
    }
    for (unsigned int q = 0; q < TUNNEL_MAX_QUEUES; q++) {
        pthread_mutex_unlock(&endpoint->arrivals[q].lock);
    }
}

/* ---- Sockets ---- */

static int
open_sockets(struct tunnel_endpoint *endpoint, bool is_group, int fds[],
             uint32_t *handle, struct str *error)
{
    struct tunnel_socket_spec spec = endpoint->spec;
    struct helper_device opened;
    int err;

    spec.is_group = is_group;
    if (!endpoint->helper) {
        return tunnel_sockets_open(&spec, fds, error);
    }
    err = helper_open_tunnel(endpoint->helper, &spec, &opened, error);
    if (!err) {
        memcpy(fds, opened.fds, opened.n_fds * sizeof fds[0]);
        *handle = opened.handle;
    }
    return err;
}

static void
close_sockets(struct tunnel_endpoint *endpoint, uint32_t handle,
              const int fds[], unsigned int n)
{
    if (endpoint->helper) {
        helper_release_tunnel(endpoint->helper, handle);
    }
    for (unsigned int i = 0; i < n; i++) {
        close(fds[i]);
    }
}

static void
close_senders(struct tunnel_senders *senders, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        close(senders->fds[i]);
    }
    free(senders);
}

static int
open_senders(struct tunnel_endpoint *endpoint, unsigned int queue, bool df,
             bool csum)
{
    struct tunnel_senders **place = &endpoint->senders[queue][df][csum];
    struct tunnel_senders *senders;
    int err;

    if (*place) {
        return 0;
    }
    senders = xzalloc(sizeof *senders);
    for (unsigned int i = 0; i < TUNNEL_N_SENDERS; i++) {
        err = tunnel_sender_open(&endpoint->spec, df, csum,
                                 &senders->fds[i]);
        if (err) {
            close_senders(senders, i);
            return err;
        }
    }
    *place = senders;
    return 0;
}

static int
open_all_senders(struct tunnel_endpoint *endpoint,
                 const struct tunnel_options *options, struct str *error)
{
    int err = 0;

    for (unsigned int q = 0; !endpoint->spec.is_gre && !err
         && q < endpoint->spec.n_queues; q++) {
        for (unsigned int df = 0; !err && df < 2; df++) {
            if (options->df_source == TUNNEL_FIXED && options->df != df) {
                continue;
            }
            err = open_senders(endpoint, q, df, options->has_csum);
        }
    }
    if (err) {
        str_setf(error, "open %d sockets to send by: %s", TUNNEL_N_SENDERS,
                 strerror(-err));
    }
    return err;
}

/* ---- Groups ---- */

static int
open_group_socket(struct tunnel_endpoint *endpoint, struct str *error)
{
    const struct tunnel *reader = atomic_load(&endpoint->reader);
    int fd, err = open_sockets(endpoint, true, &fd, &endpoint->group_handle,
                               error);

    if (err) {
        return err;
    }
    atomic_store(&endpoint->group_fd, fd);
    if (reader) {
        epoll_ctl(reader->rx_fds[0], EPOLL_CTL_ADD, fd,
                  &(struct epoll_event) { .events = EPOLLIN });
    }
    return 0;
}

static struct tunnel_group *
find_group(struct tunnel_endpoint *endpoint, const struct ip6_addr *address)
{
    for (unsigned int i = 0; i < endpoint->n_groups; i++) {
        if (ip6_addr_eq(endpoint->groups[i].address, *address)) {
            return &endpoint->groups[i];
        }
    }
    return NULL;
}

static int
join_group(struct tunnel_endpoint *endpoint, const struct ip6_addr *address,
           struct str *error)
{
    struct tunnel_group *group = find_group(endpoint, address);
    char text[ADDRESS_TEXT_SIZE];
    int err = 0;

    if (group) {
        group->n_users++;
        return 0;
    }
    if (endpoint->n_groups == ARRAY_SIZE(endpoint->groups)) {
        err = -ENOSPC;
    } else if (endpoint->group_fd < 0) {
        err = open_group_socket(endpoint, error);
        if (err) {
            return err;
        }
    }
    err = err ? err : tunnel_socket_join(&endpoint->spec, endpoint->group_fd,
                                         address, true);
    if (err) {
        str_setf(error, "join the group %s: %s", ip_format(*address, text),
                 strerror(-err));
        return err;
    }
    endpoint->groups[endpoint->n_groups++]
        = (struct tunnel_group) { *address, 1 };
    return 0;
}

static void
leave_group(struct tunnel_endpoint *endpoint, const struct ip6_addr *address)
{
    struct tunnel_group *group = find_group(endpoint, address);

    if (group && !--group->n_users) {
        tunnel_socket_join(&endpoint->spec, endpoint->group_fd, address,
                           false);
        *group = endpoint->groups[--endpoint->n_groups];
    }
}

static bool
has_group(const struct tunnel_options *options,
          const struct ip6_addr *address)
{
    for (unsigned int i = 0; i < options->n_groups; i++) {
        if (ip6_addr_eq(options->groups[i], *address)) {
            return true;
        }
    }
    return false;
}

int
tunnel_endpoint_change_groups(struct tunnel *tunnel,
                              const struct tunnel_options *now,
                              struct str *error)
{
    struct tunnel_options *was = &tunnel->options;

    for (unsigned int i = 0; i < now->n_groups; i++) {
        int err = has_group(was, &now->groups[i])
                  ? 0 : join_group(tunnel->endpoint, &now->groups[i], error);

        while (err && i--) {
            if (!has_group(was, &now->groups[i])) {
                leave_group(tunnel->endpoint, &now->groups[i]);
            }
        }
        if (err) {
            return err;
        }
    }
    for (unsigned int i = 0; i < was->n_groups; i++) {
        if (!has_group(now, &was->groups[i])) {
            leave_group(tunnel->endpoint, &was->groups[i]);
        }
    }
    was->n_groups = now->n_groups;
    memcpy(was->groups, now->groups, sizeof was->groups);
    return 0;
}

/* ---- Endpoints ---- */

static bool
is_same_place(const struct tunnel_socket_spec *a,
              const struct tunnel_socket_spec *b)
{
    return a->is_gre == b->is_gre && a->port == b->port
           && ip6_addr_eq(a->local, b->local)
           && (!a->is_gre || a->is_ip6 == b->is_ip6);
}

static void
endpoint_free(struct tunnel_endpoint *endpoint)
{
    for (unsigned int q = 0; q < TUNNEL_MAX_QUEUES; q++) {
        struct tunnel_arrivals *arrivals = &endpoint->arrivals[q];

        for (unsigned int i = 0; i < 4; i++) {
            struct tunnel_senders *senders
                = endpoint->senders[q][i >> 1][i & 1];

            if (senders) {
                close_senders(senders, TUNNEL_N_SENDERS);
            }
        }
        pthread_mutex_destroy(&arrivals->lock);
        free(arrivals->headers);
        free(arrivals->messages);
    }
    free(endpoint->table);
    free(endpoint);
}

static void
make_arrivals(struct tunnel_arrivals *arrivals)
{
    arrivals->headers = xcalloc(TUNNEL_N_MESSAGES,
                                sizeof arrivals->headers[0]);
    arrivals->messages = xcalloc(TUNNEL_N_MESSAGES,
                                 sizeof arrivals->messages[0]);
    for (unsigned int i = 0; i < TUNNEL_N_MESSAGES; i++) {
        struct tunnel_message *message = &arrivals->messages[i];

        message->iov = (struct iovec) { message->bytes,
                                        sizeof message->bytes };
    }
}

static int
endpoint_create(struct tunnel *tunnel, struct tunnel_endpoint **result,
                struct str *error)
{
    struct tunnel_endpoint *endpoint = xzalloc(sizeof *endpoint);
    int err;

    endpoint->helper = tunnel->port.helper;
    endpoint->kind = tunnel->options.kind;
    endpoint->spec = tunnel->options.sockets;
    endpoint->group_fd = -1;
    endpoint->hash_key = hash_key_random();
    for (unsigned int q = 0; q < TUNNEL_MAX_QUEUES; q++) {
        pthread_mutex_init(&endpoint->arrivals[q].lock, NULL);
    }
    err = open_sockets(endpoint, false, endpoint->fds, &endpoint->handle,
                       error);
    if (err == -EAFNOSUPPORT && !ip6_addr_is_set(endpoint->spec.local)) {
        endpoint->spec.is_ip6 = 0;        /* a kernel without IPv6 */
        err = open_sockets(endpoint, false, endpoint->fds,
                           &endpoint->handle, error);
    }
    if (err) {
        endpoint_free(endpoint);
        return err;
    }
    endpoint->n_fds = tunnel_sockets_count(&endpoint->spec);
    for (unsigned int q = 0; q < tunnel->port.n_rxq; q++) {
        make_arrivals(&endpoint->arrivals[q]);
    }
    rebuild_table(endpoint);
    if (tunnel->options.underlay
        && (err = underlay_join(tunnel->port.registry,
                                tunnel->options.underlay, endpoint,
                                error))) {
        close_sockets(endpoint, endpoint->handle, endpoint->fds,
                      endpoint->n_fds);
        endpoint_free(endpoint);
        return err;
    }
    endpoint->next = tunnel->port.registry->endpoints;
    tunnel->port.registry->endpoints = endpoint;
    *result = endpoint;
    return 0;
}

static void
endpoint_destroy(struct port_registry *registry,
                 struct tunnel_endpoint *endpoint)
{
    struct tunnel_endpoint **place = &registry->endpoints;
    int group_fd = atomic_load(&endpoint->group_fd);

    while (*place != endpoint) {
        place = &(*place)->next;
    }
    *place = endpoint->next;
    if (endpoint->underlay) {
        underlay_leave(endpoint);
    }
    if (group_fd >= 0) {
        close_sockets(endpoint, endpoint->group_handle, &group_fd, 1);
    }
    close_sockets(endpoint, endpoint->handle, endpoint->fds,
                  endpoint->n_fds);
    endpoint_free(endpoint);
}

static bool
has_same_underlay(const struct tunnel_endpoint *endpoint, const char *name)
{
    return endpoint->underlay && name
           ? !strcmp(underlay_name(endpoint->underlay), name)
           : !endpoint->underlay && !name;
}

static int
find_or_create(struct tunnel *tunnel, struct tunnel_endpoint **result,
               struct str *error)
{
    const struct tunnel_socket_spec *spec = &tunnel->options.sockets;
    struct tunnel_endpoint *e = tunnel->port.registry->endpoints;

    while (e && !is_same_place(&e->spec, spec)) {
        e = e->next;
    }
    if (!e) {
        return endpoint_create(tunnel, result, error);
    }
    if (e->kind != tunnel->options.kind) {
        str_setf(error, "port '%s': UDP port %u is that of '%s', which is a "
                 "tunnel of another type", tunnel->port.config.name,
                 spec->port, e->members->port.config.name);
        return -EADDRINUSE;
    }
    if (e->spec.n_queues != spec->n_queues) {
        str_setf(error, "port '%s': queues=%u, but '%s', with which it shares "
                 "sockets, has queues=%u", tunnel->port.config.name,
                 spec->n_queues, e->members->port.config.name,
                 e->spec.n_queues);
        return -EINVAL;
    }
    if (!has_same_underlay(e, tunnel->options.underlay)) {
        str_setf(error, "port '%s': '%s', with which it shares sockets, has "
                 "another underlay", tunnel->port.config.name,
                 e->members->port.config.name);
        return -EINVAL;
    }
    *result = e;
    return 0;
}

/* The reader's descriptors tell of the sockets, too. */
static void
make_reader(struct tunnel_endpoint *endpoint, struct tunnel *tunnel)
{
    struct epoll_event in = { .events = EPOLLIN };

    if (tunnel) {
        for (unsigned int q = 0; q < tunnel->port.n_rxq; q++) {
            epoll_ctl(tunnel->rx_fds[q], EPOLL_CTL_ADD, endpoint->fds[q],
                      &in);
        }
        if (endpoint->group_fd >= 0) {
            epoll_ctl(tunnel->rx_fds[0], EPOLL_CTL_ADD, endpoint->group_fd,
                      &in);
        }
    }
    atomic_store(&endpoint->reader, tunnel);
}

static void
close_inbox(struct tunnel *tunnel)
{
    for (unsigned int q = 0; q < tunnel->port.n_rxq; q++) {
        if (tunnel->rx_fds[q] >= 0) {
            close(tunnel->rx_fds[q]);
        }
    }
    mailbox_destroy(tunnel->inbox);
    tunnel->inbox = NULL;
}

static int
open_inbox(struct tunnel *tunnel)
{
    int err = 0;

    tunnel->inbox = mailbox_create(INBOX_SIZE);
    err = tunnel->inbox ? 0 : -errno;
    for (unsigned int q = 0; q < tunnel->port.n_rxq; q++) {
        tunnel->rx_fds[q] = err ? -1 : epoll_create1(EPOLL_CLOEXEC);
        err = err ? err : tunnel->rx_fds[q] < 0 ? -errno : 0;
    }
    if (!err && epoll_ctl(tunnel->rx_fds[0], EPOLL_CTL_ADD,
                          mailbox_fd(tunnel->inbox),
                          &(struct epoll_event) { .events = EPOLLIN })) {
        err = -errno;
    }
    if (err) {
        close_inbox(tunnel);
    }
    return err;
}

int
tunnel_endpoint_join(struct tunnel *tunnel, struct str *error)
{
    struct tunnel_index index = index_of(&tunnel->options);
    struct tunnel_options wanted = tunnel->options;
    struct tunnel_endpoint *endpoint;
    const struct tunnel *other;
    int err = find_or_create(tunnel, &endpoint, error);

    if (err) {
        return err;
    }
    tunnel->endpoint = endpoint;
    tunnel->options.sockets = endpoint->spec;
    other = look_up(endpoint, &index);
    if (other) {
        str_setf(error, "port '%s': '%s' has the same remote and key",
                 tunnel->port.config.name, other->port.config.name);
        return -EEXIST;
    }
    err = open_inbox(tunnel);
    if (err) {
        str_setf(error, "port '%s': %s", tunnel->port.config.name,
                 strerror(-err));
        goto no_inbox;
    }
    tunnel->options.n_groups = 0;
    if ((err = open_all_senders(endpoint, &wanted, error))
        || (err = tunnel_endpoint_change_groups(tunnel, &wanted, error))) {
        goto fail;
    }
    lock(endpoint);
    tunnel->next = endpoint->members;
    endpoint->members = tunnel;
    rebuild_table(endpoint);
    unlock(endpoint);
    if (!atomic_load(&endpoint->reader)) {
        make_reader(endpoint, tunnel);
    }
    return 0;

fail:
    close_inbox(tunnel);
no_inbox:
    if (!endpoint->members) {
        endpoint_destroy(tunnel->port.registry, endpoint);
    }
    return err;
}

void
tunnel_endpoint_leave(struct tunnel *tunnel)
{
    struct tunnel_endpoint *endpoint = tunnel->endpoint;
    struct tunnel **place = &endpoint->members;

    lock(endpoint);
    while (*place != tunnel) {
        place = &(*place)->next;
    }
    *place = tunnel->next;
    rebuild_table(endpoint);
    unlock(endpoint);

    tunnel_endpoint_change_groups(tunnel,
                                  &(struct tunnel_options) { .n_groups = 0 },
                                  NULL);
    close_inbox(tunnel);
    if (atomic_load(&endpoint->reader) == tunnel) {
        make_reader(endpoint, endpoint->members);
    }
    if (!endpoint->members) {
        endpoint_destroy(tunnel->port.registry, endpoint);
    }
    tunnel->endpoint = NULL;
}
