#include "port/packet_socket.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/types.h"

/* Linux 6.4; older headers do not have it. */
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

enum {
    /* A packet socket's memory is charged by what the kernel allocated, about
     * 80 KB for a 64 KB frame: this is a hundred super-frames, more than one
     * TCP connection has in flight. */
    SOCKET_BUFFER_SIZE = 8 << 20,
};

static int
set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) ? -errno : 0;
}

/* Throws away what a socket received before it joined the others: each of these
 * frames is in the first socket too. */
static void
drain(int fd)
{
    char byte;

    while (recv(fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0) {
        continue;
    }
}

static int
join_fanout(int fd, int first_fd)
{
    struct sockaddr_ll sll;
    socklen_t len = sizeof sll;
    uint32_t group = 0;
    socklen_t group_len = sizeof group;
    uint32_t flags = PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
    int err;

    if (fd == first_fd) {
        flags |= PACKET_FANOUT_FLAG_UNIQUEID;
    } else if (getsockopt(first_fd, SOL_PACKET, PACKET_FANOUT, &group,
                          &group_len)
               || getsockname(first_fd, (struct sockaddr *) &sll, &len)) {
        return -errno;
    }
    err = set_option(fd, SOL_PACKET, PACKET_FANOUT,
                     (int) ((group & 0xffff)
                            | (PACKET_FANOUT_HASH | flags) << 16));
    if (!err && fd != first_fd) {
        drain(fd);
    }
    return err;
}

static int
open_one(unsigned int ifindex, int *result)
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htobe16(ETH_P_ALL),
        .sll_ifindex = (int) ifindex,
    };
    struct packet_mreq promiscuous = {
        .mr_ifindex = (int) ifindex,
        .mr_type = PACKET_MR_PROMISC,
    };
    /* Protocol 0 receives nothing until it is bound. */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int err;

    if (fd < 0) {
        return -errno;
    }
    if ((err = set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1))
        || (err = set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1))
        || (err = set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1))
        || (err = set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE,
                             SOCKET_BUFFER_SIZE))
        || (err = set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE,
                             SOCKET_BUFFER_SIZE))) {
        goto close_fd;
    }
    /* Ends with the socket, whatever becomes of us. */
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
                   sizeof promiscuous)
        || bind(fd, (struct sockaddr *) &sll, sizeof sll)) {
        err = -errno;
        goto close_fd;
    }
    *result = fd;
    return 0;

close_fd:
    close(fd);
    return err;
}

int
packet_socket_open_silent(int *result)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    *result = fd;
    return 0;
}

int
packet_sockets_open(unsigned int ifindex, unsigned int n, int fds[])
{
    unsigned int n_open = 0;
    int err = 0;

    while (n_open < n && !err) {
        err = open_one(ifindex, &fds[n_open]);
        n_open += !err;
        if (!err && n > 1) {
            err = join_fanout(fds[n_open - 1], fds[0]);
        }
    }
    while (err && n_open) {
        close(fds[--n_open]);
    }
    return err;
}
