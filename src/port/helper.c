#include "port/helper_proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/helper_client.h"

struct helper {
    int sock;
    unsigned int generation;
    pid_t child;                /* the helper, when it is our child; else 0 */
};

struct helper *
helper_client_create(int sock, unsigned int generation, pid_t child)
{
    struct helper *helper = xzalloc(sizeof *helper);

    helper->sock = sock;
    helper->generation = generation;
    helper->child = child;
    return helper;
}

void
helper_close(struct helper *helper)
{
    if (!helper) {
        return;
    }
    close(helper->sock);
    if (helper->child) {
        while (waitpid(helper->child, NULL, 0) < 0 && errno == EINTR) {
            continue;
        }
    }
    free(helper);
}

int
helper_fd(const struct helper *helper)
{
    return helper->sock;
}

unsigned int
helper_generation(const struct helper *helper)
{
    return helper->generation;
}

/* Keeps the descriptors that came with a reply; returns how many. */
static unsigned int
take_fds(struct msghdr *msg, int fds[PORT_MAX_QUEUES])
{
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
    size_t len;

    if (!cmsg || cmsg->cmsg_level != SOL_SOCKET
        || cmsg->cmsg_type != SCM_RIGHTS) {
        return 0;
    }
    len = MIN(cmsg->cmsg_len - CMSG_LEN(0), PORT_MAX_QUEUES * sizeof fds[0]);
    memcpy(fds, CMSG_DATA(cmsg), len);
    return (unsigned int) (len / sizeof fds[0]);
}

/* One request, one reply.  The reply's fds replace those in reply->device. */
static int
ask(struct helper *helper, const struct helper_request *request,
    struct helper_reply *reply, struct str *error)
{
    union {
        char bytes[CMSG_SPACE(PORT_MAX_QUEUES * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = { reply, sizeof *reply };
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t n;

    if (!helper) {
        str_setf(error, "this needs the device helper");
        return -ENOTCONN;
    }
    do {
        n = send(helper->sock, request, sizeof *request, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n == sizeof *request) {
        do {
            n = recvmsg(helper->sock, &msg, MSG_CMSG_CLOEXEC);
        } while (n < 0 && errno == EINTR);
    }
    if (n != sizeof *reply) {
        str_setf(error, "the device helper is gone");
        return -EPIPE;
    }
    reply->device.n_fds = take_fds(&msg, reply->device.fds);
    if (reply->error) {
        str_setf(error, "%s", reply->text);
    }
    return reply->error;
}

/* For requests that bring one descriptor. */
static int
ask_fd(struct helper *helper, const struct helper_request *request,
       struct str *error)
{
    struct helper_reply reply;
    int err = ask(helper, request, &reply, error);

    if (err) {
        return err;
    }
    return reply.device.n_fds == 1 ? reply.device.fds[0] : -EPROTO;
}

static bool
set_path(struct helper_request *request, const char *path)
{
    int n = snprintf(request->path, sizeof request->path, "%s", path);

    return n >= 0 && (size_t) n < sizeof request->path;
}

int
helper_open_device(struct helper *helper, enum helper_kind kind,
                   const struct helper_device_spec *spec,
                   struct helper_device *result, struct str *error)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_OPEN_DEVICE,
        .kind = kind,
        .spec = *spec,
    };
    struct helper_reply reply;
    int err = ask(helper, &request, &reply, error);

    if (!err) {
        *result = reply.device;
    }
    return err;
}

void
helper_release_device(struct helper *helper, uint32_t handle)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_RELEASE_DEVICE,
        .handle = handle,
    };
    struct helper_reply reply;

    ask(helper, &request, &reply, NULL);
}

void
helper_keep(struct helper *helper)
{
    struct helper_request request = { .type = HELPER_REQUEST_KEEP };
    struct helper_reply reply;

    ask(helper, &request, &reply, NULL);
}

int
helper_settle(struct helper *helper)
{
    struct helper_request request = { .type = HELPER_REQUEST_SETTLE };
    struct helper_reply reply;

    return ask(helper, &request, &reply, NULL);
}

int
helper_get_link(struct helper *helper, uint32_t handle,
                struct link_info *link)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_GET_LINK,
        .handle = handle,
    };
    struct helper_reply reply;
    int err = ask(helper, &request, &reply, NULL);

    if (!err) {
        *link = reply.link;
    }
    return err;
}

int
helper_set_link(struct helper *helper, uint32_t handle, enum link_admin admin,
                uint32_t mtu, const struct eth_addr *mac, struct str *error)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_SET_LINK,
        .handle = handle,
        .admin = admin,
        .spec = { .mtu = mtu, .has_mac = mac != NULL },
    };
    struct helper_reply reply;

    if (mac) {
        request.spec.mac = *mac;
    }
    return ask(helper, &request, &reply, error);
}

int
helper_set_inside(struct helper *helper, uint32_t handle,
                  const struct helper_inside *inside, struct str *error)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_SET_INSIDE,
        .handle = handle,
        .spec = { .inside = *inside },
    };
    struct helper_reply reply;

    return ask(helper, &request, &reply, error);
}

int
helper_open_tunnel(struct helper *helper,
                   const struct tunnel_socket_spec *spec,
                   struct helper_device *result, struct str *error)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_OPEN_TUNNEL, .tunnel = *spec,
    };
    struct helper_reply reply;
    int err = ask(helper, &request, &reply, error);

    if (!err) {
        *result = reply.device;
    }
    return err;
}

void
helper_release_tunnel(struct helper *helper, uint32_t handle)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_RELEASE_TUNNEL, .handle = handle,
    };
    struct helper_reply reply;

    ask(helper, &request, &reply, NULL);
}

static int
add_host_nat(struct helper *helper, const struct host_nat_leg *leg,
             const struct host_nat_forward *forward, struct str *error)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_ADD_HOST_NAT,
        .is_forward = forward,
    };
    struct helper_reply reply;

    if (leg) {
        request.leg = *leg;
    }
    if (forward) {
        request.forward = *forward;
    }
    return ask(helper, &request, &reply, error);
}

int
helper_set_host_nat(struct helper *helper, const struct host_nat *nat,
                    struct str *error)
{
    struct helper_request request = { .type = HELPER_REQUEST_SET_HOST_NAT };
    struct helper_reply reply;
    int err = 0;

    for (unsigned int i = 0; !err && i < nat->n_legs; i++) {
        err = add_host_nat(helper, &nat->legs[i], NULL, error);
    }
    for (unsigned int i = 0; !err && i < nat->n_forwards; i++) {
        err = add_host_nat(helper, NULL, &nat->forwards[i], error);
    }
    return err ? err : ask(helper, &request, &reply, error);
}

int
helper_open_link_monitor(struct helper *helper, const char *netns,
                         struct str *error)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_OPEN_LINK_MONITOR,
    };

    return set_path(&request, netns) ? ask_fd(helper, &request, error)
                                     : -ENAMETOOLONG;
}

int
helper_listen_unix(struct helper *helper, const char *name, mode_t mode,
                   struct str *error)
{
    struct helper_request request = {
        .type = HELPER_REQUEST_LISTEN_UNIX,
        .mode = mode,
    };

    return set_path(&request, name) ? ask_fd(helper, &request, error)
                                    : -ENAMETOOLONG;
}

int
helper_open_config(struct helper *helper, const char *path,
                   struct str *error)
{
    struct helper_request request = { .type = HELPER_REQUEST_OPEN_CONFIG };

    return set_path(&request, path) ? ask_fd(helper, &request, error)
                                    : -ENAMETOOLONG;
}
