#include "peer/peer_listener.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"
#include "packet/address.h"

enum { BACKLOG = 128, RETRY = 2000 /* msec */, CALLS_PER_TURN = 32 };

struct peer_listener {
    void (*called)(void *aux, int fd);
    void *aux;
    struct ip6_addr address;      /* all zero: nowhere */
    uint16_t port;
    int fd;                       /* negative: none */
    uv_loop_t *loop;
    uv_poll_t *poll;              /* with fd */
    uv_timer_t *timer;
};

socklen_t
peer_sockaddr(struct ip6_addr address, uint16_t port,
              struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (ip6_is_mapped4(&address)) {
        struct sockaddr_in *in = (struct sockaddr_in *) out;

        in->sin_family = AF_INET;
        in->sin_port = htobe16(port);
        in->sin_addr.s_addr = get_be32(&address.b[12]);
        return sizeof *in;
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) out;

        in6->sin6_family = AF_INET6;
        in6->sin6_port = htobe16(port);
        memcpy(&in6->sin6_addr, &address, sizeof address);
        return sizeof *in6;
    }
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void
on_call(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
    struct peer_listener *l = poll->data;

    for (unsigned int i = 0; i < CALLS_PER_TURN; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            return;
        }
        l->called(l->aux, fd);
    }
}

static int
open_socket(const struct peer_listener *l)
{
    struct sockaddr_storage address;
    socklen_t len = peer_sockaddr(l->address, l->port, &address);
    int one = 1, err;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK
                                       | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    /* The address of a tunnel may not be on the machine yet. */
    setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *) &address, len)
        || listen(fd, BACKLOG)) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static void on_timer(uv_timer_t *);

static void
try_it(struct peer_listener *l)
{
    char text[ADDRESS_TEXT_SIZE];

    l->fd = open_socket(l);
    if (l->fd < 0) {
        log_limited(LOG_LEVEL_WARN, "peer",
                    "cannot listen for other hosts at %s port %u: %s; "
                    "trying again", ip_format(l->address, text), l->port,
                    strerror(-l->fd));
        uv_timer_start(l->timer, on_timer, RETRY, 0);
        return;
    }
    l->poll = xzalloc(sizeof *l->poll);
    l->poll->data = l;
    uv_poll_init(l->loop, l->poll, l->fd);
    uv_poll_start(l->poll, UV_READABLE, on_call);
}

static void
on_timer(uv_timer_t *timer)
{
    try_it(timer->data);
}

static void
close_socket(struct peer_listener *l)
{
    uv_timer_stop(l->timer);
    if (l->poll) {
        uv_poll_stop(l->poll);
        uv_close((uv_handle_t *) l->poll, free_handle);
        l->poll = NULL;
    }
    if (l->fd >= 0) {
        close(l->fd);
    }
    l->fd = -1;
}

void
peer_listener_move(struct peer_listener *l, struct ip6_addr address,
                   uint16_t port)
{
    if (ip6_addr_eq(address, l->address) && port == l->port) {
        return;
    }
    close_socket(l);
    l->address = address;
    l->port = port;
    if (ip6_addr_is_set(address)) {
        try_it(l);
    }
}

struct peer_listener *
peer_listener_create(uv_loop_t *loop, void (*called)(void *aux, int fd),
                     void *aux)
{
    struct peer_listener *l = xzalloc(sizeof *l);

    *l = (struct peer_listener) {
        .called = called, .aux = aux, .fd = -1, .loop = loop,
        .timer = xzalloc(sizeof *l->timer),
    };
    l->timer->data = l;
    uv_timer_init(loop, l->timer);
    return l;
}

void
peer_listener_destroy(struct peer_listener *l)
{
    if (l) {
        close_socket(l);
        uv_close((uv_handle_t *) l->timer, free_handle);
        free(l);
    }
}
