#include "port/helper_server.h"

#include <ctype.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "port/device.h"
#include "port/helper_files.h"
#include "port/helper_nat.h"
#include "port/helper_proto.h"
#include "port/helper_tunnel.h"
#include "port/inside.h"
#include "port/netns.h"
#include "port/resolver.h"

enum {
    LOOK_PERIOD_MS = 200,
    LOOKS = 32,                 /* at so many holdings a time */
};

/* A device held for main.  `generation`: of the main that asked for it. */
struct holding {
    struct holding *next;
    unsigned int generation;
    struct device device;
};

struct helper_server {
    struct helper_options options;
    char instance[32];
    struct device_env env;
    struct helper_nat *nat;     /* of the host's own stack */
    struct helper_tunnels *tunnels;
    struct holding *holdings;
    unsigned int generation;
    uint32_t last_handle;
    bool is_ending;             /* main releases, but not for good */
    bool awaits_main;           /* the next one gets what this one releases */
    unsigned int next_look;     /* at holdings, for stale ones */
    int lock_fd;                /* holds this instance's name */
    struct helper_files *files;
};

/* Checks: nothing from main is believed. */

static bool
is_terminated(const char *text, size_t size)
{
    return memchr(text, '\0', size);
}

/* What the kernel takes as a link's name, less what nft would have to quote. */
static bool
is_link_name(const char *name)
{
    if (!name[0] || !strcmp(name, ".") || !strcmp(name, "..")) {
        return false;
    }
    for (; *name; name++) {
        if (!isgraph((unsigned char) *name) || strchr("/\\\"':", *name)) {
            return false;
        }
    }
    return true;
}

static bool
is_instance_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return len && !name[len] && len < sizeof((struct helper_server *) 0)
                                             ->instance;
}

static bool
is_printable(const char *text)
{
    for (; *text; text++) {
        if (!isprint((unsigned char) *text)) {
            return false;
        }
    }
    return true;
}

static int
check_spec(uint32_t kind, const struct helper_device_spec *spec,
           struct str *error)
{
    const char *bad = NULL;

    if (kind > HELPER_VM_TAP || (spec->is_lent && kind < HELPER_NETDEV)
        || (spec->is_hosts && !(spec->is_lent && kind == HELPER_NETDEV))) {
        bad = "kind";
    } else if (!is_terminated(spec->port, sizeof spec->port)
               || !is_printable(spec->port)
               || (spec->is_lent && kind == HELPER_VETH
                   && (!is_link_name(spec->port)
                       || strlen(spec->port) >= IFNAMSIZ))) {
        bad = "port name";
    } else if (!is_terminated(spec->device, sizeof spec->device)
               || !is_link_name(spec->device)) {
        bad = "device name";
    } else if (!is_terminated(spec->netns, sizeof spec->netns)
               || !is_printable(spec->netns)) {
        bad = "namespace";
    } else if (!is_terminated(spec->take_over, sizeof spec->take_over)
               || (spec->take_over[0]
                   && (kind != HELPER_TAP || spec->netns[0]
                       || !is_link_name(spec->take_over)))) {
        bad = "device to stand in for";
    } else if (!inside_is_valid(&spec->inside)) {
        bad = "address, gateway or resolver";
    } else if (!is_terminated(spec->user, sizeof spec->user)
               || !is_terminated(spec->group, sizeof spec->group)) {
        bad = "text";
    } else if (!spec->n_queues || spec->n_queues > PORT_MAX_QUEUES) {
        bad = "number of queues";
    } else if (spec->mtu > 65535 || spec->tx_queue_len > 65536) {
        bad = "mtu or queue length";
    } else if (spec->has_mac && eth_addr_is_group(spec->mac)) {
        bad = "mac address";
    }
    if (bad) {
        str_setf(error, "bad %s", bad);
        return -EINVAL;
    }
    return 0;
}

/* Holdings. */

static struct holding *
find_holding(struct helper_server *server, uint32_t handle)
{
    struct holding *h = server->holdings;

    while (h && h->device.opened.handle != handle) {
        h = h->next;
    }
    return h;
}

static void
release(struct helper_server *server, struct holding *holding, bool keep)
{
    struct holding **p = &server->holdings;

    while (*p != holding) {
        p = &(*p)->next;
    }
    *p = holding->next;
    device_close(&server->env, &holding->device, keep);
    free(holding);
}

/* What an earlier main held under the very same request, if its device is
 * still there. */
static struct holding *
find_inherited(struct helper_server *server, enum helper_kind kind,
               const struct helper_device_spec *spec)
{
    for (struct holding *h = server->holdings; h; h = h->next) {
        struct netlink *nl = NULL;
        struct link_info link;

        if (h->generation == server->generation || h->device.kind != kind
            || memcmp(&h->device.spec, spec, sizeof *spec)) {
            continue;
        }
        if (device_find_link(&h->device, &nl, &link)) {
            release(server, h, false);
            return NULL;
        }
        netlink_close(nl);
        return h;
    }
    return NULL;
}

static int
serve_open_device(struct helper_server *server,
                  const struct helper_request *request,
                  struct helper_device *result, struct str *error)
{
    enum helper_kind kind = request->kind;
    struct holding *holding;
    int err = check_spec(request->kind, &request->spec, error);

    if (err) {
        return err;
    }
    holding = find_inherited(server, kind, &request->spec);
    if (!holding) {
        holding = xzalloc(sizeof *holding);
        holding->device.kind = kind;
        holding->device.spec = request->spec;
        err = device_open(&server->env, &holding->device, error);
        if (err) {
            free(holding);
            return err;
        }
        holding->device.opened.handle = ++server->last_handle;
        holding->next = server->holdings;
        server->holdings = holding;
    }
    holding->generation = server->generation;
    *result = holding->device.opened;
    return 0;
}

static int
serve_release_device(struct helper_server *server, uint32_t handle)
{
    struct holding *holding = find_holding(server, handle);

    if (!holding) {
        return -ENOENT;
    }
    if (!server->awaits_main) {
        release(server, holding, server->is_ending);
    }
    return 0;
}

static int
serve_keep(struct helper_server *server)
{
    server->is_ending = server->options.keep_devices;
    return 0;
}

static bool
index_is_held(unsigned int ifindex, void *server_)
{
    const struct helper_server *server = server_;
    const struct holding *h = server->holdings;

    while (h && h->device.opened.ifindex != ifindex) {
        h = h->next;
    }
    return h;
}

static bool
link_is_held(const struct link_info *link, void *server)
{
    return index_is_held(link->ifindex, server);
}

/* Links of ours that nobody holds, wherever there are some. */
struct clean_up {
    struct helper_server *server;
    uint64_t netns;             /* where we are now */
    const char *netns_text;
};

static bool
is_held_or_restored(const struct link_info *link, void *clean_)
{
    const struct clean_up *clean = clean_;
    const struct holding *h = clean->server->holdings;

    while (h && (h->device.netns != clean->netns
                 || strcmp(h->device.spec.device, link->name))) {
        h = h->next;
    }
    if (!h) {
        resolver_restore(clean->netns_text, link->alias);
    }
    return h;
}

static void
clean_namespace(void *server, int fd, const char *text)
{
    struct clean_up clean = { server, netns_id(fd), text };
    int home = netns_enter(fd);

    if (home >= 0) {
        device_clean(&clean.server->env, is_held_or_restored, &clean);
        netns_leave(home);
    }
}

static int
serve_settle(struct helper_server *server)
{
    struct netlink *nl = NULL;
    struct holding *next;
    int err;

    for (struct holding *h = server->holdings; h; h = next) {
        next = h->next;
        if (h->generation != server->generation) {
            release(server, h, false);
        }
    }
    if (server->options.keep_devices) {
        netns_for_each(clean_namespace, server);
    }
    err = device_clean(&server->env, link_is_held, server);
    helper_nat_settle(server->nat);
    helper_tunnels_settle(server->tunnels);
    if (err >= 0) {
        err = netlink_open(&nl);
    }
    if (!err) {
        err = isolate_clean(server->instance, nl, index_is_held, server);
    }
    netlink_close(nl);
    return MIN(err, 0);
}

static int
serve_get_link(struct helper_server *server, uint32_t handle,
               struct link_info *link)
{
    struct holding *holding = find_holding(server, handle);
    struct netlink *nl = NULL;
    int err;

    if (!holding) {
        return -ENOENT;
    }
    err = device_find_link(&holding->device, &nl, link);
    if (!err) {
        netlink_close(nl);
    }
    return err;
}

static int
serve_set_link(struct helper_server *server,
               const struct helper_request *request, struct str *error)
{
    const struct helper_device_spec *spec = &request->spec;
    struct holding *holding = find_holding(server, request->handle);
    struct netlink *nl = NULL;
    struct link_info link;
    int err;

    if (!holding) {
        return -ENOENT;
    }
    if (request->admin > LINK_DOWN || spec->mtu > 65535
        || (spec->has_mac && eth_addr_is_group(spec->mac))) {
        return -EINVAL;
    }
    err = device_find_link(&holding->device, &nl, &link);
    if (err) {
        return err;
    }
    err = link_change(nl, link.ifindex, &(struct link_change) {
        .admin = request->admin,
        .mtu = spec->mtu,
        .mac = spec->has_mac ? &spec->mac : NULL,
    });
    if (err) {
        str_setf(error, "%s: %s", link.name, strerror(-err));
    }
    netlink_close(nl);
    if (!err && spec->mtu) {
        err = device_set_mtu_inside(&holding->device, spec->mtu, error);
    }
    return err;
}

static int
serve_set_inside(struct helper_server *server,
                 const struct helper_request *request, struct str *error)
{
    struct holding *holding = find_holding(server, request->handle);

    if (!holding) {
        return -ENOENT;
    }
    if (!inside_is_valid(&request->spec.inside)) {
        str_setf(error, "bad address, gateway or resolver");
        return -EINVAL;
    }
    return device_set_inside(&server->env, &holding->device,
                             &request->spec.inside, error);
}

static int
serve_open_link_monitor(const char *netns, struct str *error)
{
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK,
    };
    int netns_fd = netns_open(netns, error);
    int home, fd;

    if (netns_fd < 0) {
        return netns_fd;
    }
    home = netns_enter(netns_fd);
    close(netns_fd);
    if (home < 0) {
        return home;
    }
    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                NETLINK_ROUTE);
    if (fd < 0) {
        fd = -errno;
    } else if (bind(fd, (struct sockaddr *) &address, sizeof address)) {
        int err = -errno;

        close(fd);
        fd = err;
    }
    netns_leave(home);
    return fd;
}

/* The wire. */

struct answer {
    struct helper_reply reply;
    unsigned int n_fds;
    int fds[PORT_MAX_QUEUES];
    bool close_fds;             /* they are main's alone */
};

static void
answer_fd(struct answer *answer, int fd)
{
    if (fd < 0) {
        answer->reply.error = fd;
    } else {
        answer->n_fds = 1;
        answer->fds[0] = fd;
        answer->close_fds = true;
    }
}

static void
serve_request(struct helper_server *server,
              const struct helper_request *request, struct answer *answer,
              struct str *error)
{
    struct helper_reply *reply = &answer->reply;

    switch (request->type) {
    case HELPER_REQUEST_OPEN_DEVICE:
        reply->error = serve_open_device(server, request, &reply->device,
                                         error);
        answer->n_fds = reply->device.n_fds;
        memcpy(answer->fds, reply->device.fds, sizeof answer->fds);
        break;
    case HELPER_REQUEST_RELEASE_DEVICE:
        reply->error = serve_release_device(server, request->handle);
        break;
    case HELPER_REQUEST_KEEP:
        reply->error = serve_keep(server);
        break;
    case HELPER_REQUEST_SETTLE:
        reply->error = serve_settle(server);
        break;
    case HELPER_REQUEST_GET_LINK:
        reply->error = serve_get_link(server, request->handle, &reply->link);
        break;
    case HELPER_REQUEST_SET_LINK:
        reply->error = serve_set_link(server, request, error);
        break;
    case HELPER_REQUEST_SET_INSIDE:
        reply->error = serve_set_inside(server, request, error);
        break;
    case HELPER_REQUEST_OPEN_LINK_MONITOR:
        answer_fd(answer, serve_open_link_monitor(request->path, error));
        break;
    case HELPER_REQUEST_LISTEN_UNIX:
        answer_fd(answer, helper_files_listen(server->files, request,
                                              error));
        break;
    case HELPER_REQUEST_OPEN_CONFIG:
        answer_fd(answer, helper_files_open(server->files, request->path,
                                            error));
        break;
    case HELPER_REQUEST_OPEN_TUNNEL:
        reply->error = helper_tunnels_open(server->tunnels, &request->tunnel,
                                           &reply->device, error);
        answer->n_fds = reply->device.n_fds;
        memcpy(answer->fds, reply->device.fds, sizeof answer->fds);
        break;
    case HELPER_REQUEST_RELEASE_TUNNEL:
        /* The next main asks for it again, or helper_settle() ends it. */
        reply->error = server->awaits_main
                       ? 0 : helper_tunnels_release(server->tunnels,
                                                    request->handle);
        break;
    case HELPER_REQUEST_ADD_HOST_NAT:
        reply->error = helper_nat_add(server->nat, request, error);
        break;
    case HELPER_REQUEST_SET_HOST_NAT:
        reply->error = helper_nat_set(server->nat, error);
        break;
    default:
        reply->error = -ENOSYS;
    }
}

static int
send_answer(int sock, struct answer *answer)
{
    union {
        char bytes[CMSG_SPACE(sizeof answer->fds)];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec iov = { &answer->reply, sizeof answer->reply };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (answer->n_fds) {
        size_t len = answer->n_fds * sizeof answer->fds[0];
        struct cmsghdr *cmsg;

        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(len);
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(len);
        memcpy(CMSG_DATA(cmsg), answer->fds, len);
    }
    return sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 ? -EPIPE : 0;
}

int
helper_serve(struct helper_server *server, int sock)
{
    struct helper_request request;
    struct answer answer = { 0 };
    struct str error = STR_INIT;
    ssize_t n = recv(sock, &request, sizeof request, 0);
    int err;

    if (n < 0 && errno == EINTR) {
        return 0;
    }
    if (n <= 0) {
        return -EPIPE;
    }
    if (n != sizeof request
        || !is_terminated(request.path, sizeof request.path)) {
        answer.reply.error = -EINVAL;
    } else {
        serve_request(server, &request, &answer, &error);
    }
    if (answer.reply.error) {
        const char *text = error.len ? str_text(&error)
                                     : strerror(-answer.reply.error);

        snprintf(answer.reply.text, sizeof answer.reply.text, "%s", text);
    }
    err = send_answer(sock, &answer);
    if (answer.close_fds) {
        close(answer.fds[0]);
    }
    str_fini(&error);
    return err;
}

/* Beginning and end. */

/* An abstract socket's name lives in the network namespace and goes with its
 * holder, however that ends. */
static int
lock_instance(const char *instance, struct str *error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int len, err;

    if (fd < 0) {
        return -errno;
    }
    len = snprintf(address.sun_path + 1, sizeof address.sun_path - 1,
                   "weft/%s", instance);
    if (!bind(fd, (struct sockaddr *) &address,
              (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1
                           + (size_t) len))) {
        return fd;
    }
    err = -errno;
    str_setf(error, err == -EADDRINUSE
             ? "a weftd of the name '%s' runs already in this network"
               " namespace; give this one another (--switch NAME)"
             : "lock instance '%s'", instance);
    close(fd);
    return err;
}

/* What a killed daemon of this name left in this namespace. */
static void
clean_left_over(struct helper_server *server)
{
    struct netlink *nl = NULL;

    if (server->options.keep_devices) {
        return;         /* to be asked for again; helper_settle() tidies up */
    }
    helper_nat_settle(server->nat);
    device_clean(&server->env, NULL, NULL);
    if (!netlink_open(&nl)) {
        isolate_clean(server->instance, nl, NULL, NULL);
    }
    netlink_close(nl);
}

int
helper_server_create(const struct helper_options *options,
                     struct helper_server **result, struct str *error)
{
    struct helper_server *server;
    int err;

    if (!is_instance_name(options->instance)) {
        str_setf(error, "bad instance name '%s': 1 to 31 of A-Z a-z 0-9 . _ -",
                 options->instance);
        return -EINVAL;
    }
    server = xzalloc(sizeof *server);
    server->options = *options;
    strcpy(server->instance, options->instance);

    server->lock_fd = lock_instance(server->instance, error);
    if (server->lock_fd < 0) {
        err = server->lock_fd;
        goto free_server;
    }
    err = device_env_init(&server->env, server->instance,
                          options->keep_devices, error);
    if (err) {
        goto unlock;
    }
    server->nat = helper_nat_create(server->instance);
    server->tunnels = helper_tunnels_create();
    server->files = helper_files_create(&server->options);
    clean_left_over(server);
    *result = server;
    return 0;

unlock:
    close(server->lock_fd);
free_server:
    free(server);
    return err;
}

static void
free_server(struct helper_server *server)
{
    helper_tunnels_destroy(server->tunnels);
    device_env_fini(&server->env);
    close(server->lock_fd);
    free(server);
}

void
helper_server_destroy(struct helper_server *server)
{
    if (!server) {
        return;
    }
    while (server->holdings) {
        release(server, server->holdings, server->options.keep_devices);
    }
    helper_nat_destroy(server->nat, !server->options.keep_devices);
    helper_files_destroy(server->files, true);
    free_server(server);
}

void
helper_server_abandon(struct helper_server *server)
{
    while (server->holdings) {
        struct holding *holding = server->holdings;

        server->holdings = holding->next;
        for (unsigned int i = 0; i < holding->device.opened.n_fds; i++) {
            close(holding->device.opened.fds[i]);
        }
        free(holding);
    }
    helper_nat_destroy(server->nat, false);
    helper_files_destroy(server->files, false);
    free_server(server);
}

void
helper_server_new_main(struct helper_server *server)
{
    server->generation++;
    helper_nat_begin(server->nat);
    helper_tunnels_begin(server->tunnels);
    server->is_ending = server->awaits_main = false;
}

void
helper_server_await_main(struct helper_server *server)
{
    server->awaits_main = true;
}

/* Contact was lost: the device that was stood in for is the host's again, too. */
static void
free_device(struct helper_server *server, const char *name)
{
    for (struct holding *h = server->holdings; h; h = h->next) {
        if (h->device.kind == HELPER_NETDEV
            && !strcmp(h->device.spec.device, name)) {
            device_end_isolation(&server->env, &h->device);
        }
    }
}

msec
helper_server_run(struct helper_server *server, msec now)
{
    struct holding *h = server->holdings;
    unsigned int n = 0;

    for (; h && n < server->next_look; n++) {
        h = h->next;
    }
    for (n = 0; h && n < LOOKS; n++, h = h->next) {
        if (device_is_stale(&h->device)) {
            device_delete_link(&h->device);
        }
    }
    server->next_look = h ? server->next_look + LOOKS : 0;
    for (h = server->holdings; h; h = h->next) {
        if (take_over_watch(&h->device, now)) {
            free_device(server, h->device.spec.take_over);
        }
    }
    return MIN(helper_nat_run(server->nat, now),
               server->holdings ? now + LOOK_PERIOD_MS : INT64_MAX);
}

int
helper_server_fd(const struct helper_server *server)
{
    return helper_nat_fd(server->nat);
}
