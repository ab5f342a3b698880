#include "port/tunnel_socket.h"

#include <ifaddrs.h>
#include <linux/filter.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet/address.h"

enum {
    /* A hundred super-frames, as for packet sockets. */
    RECEIVE_BUFFER_SIZE = 8 << 20,
    GROUP_TTL = 64,
};

/* Socket options are many, and all of them have to hold: the first that does not
 * is remembered. */
struct setup {
    int fd;
    int err;
};

static void
set_bytes(struct setup *s, int level, int name, const void *value,
          size_t size)
{
    if (!s->err && setsockopt(s->fd, level, name, value, (socklen_t) size)) {
        s->err = -errno;
    }
}

static void
set(struct setup *s, int level, int name, int value)
{
    set_bytes(s, level, name, &value, sizeof value);
}

/* ---- Addresses ---- */

socklen_t
tunnel_address(const struct tunnel_socket_spec *spec,
               const struct ip6_addr *address, uint16_t port,
               struct sockaddr_in6 *result)
{
    struct sockaddr_in *ip4 = (void *) result;

    memset(result, 0, sizeof *result);
    if (spec->is_ip6) {
        result->sin6_family = AF_INET6;
        result->sin6_port = htobe16(port);
        memcpy(&result->sin6_addr, address->b, sizeof result->sin6_addr);
        return ip6_is_mapped4(address) && (ip6_addr_is_set(spec->local)
                                           || spec->is_gre)
               ? 0 : sizeof *result;
    }
    ip4->sin_family = AF_INET;
    ip4->sin_port = htobe16(port);
    memcpy(&ip4->sin_addr, &address->b[12], sizeof ip4->sin_addr);
    return ip6_is_mapped4(address) || !ip6_addr_is_set(*address)
           ? sizeof *ip4 : 0;
}

struct ip6_addr
tunnel_address_of(const struct sockaddr_in6 *address)
{
    const struct sockaddr_in *ip4 = (const void *) address;
    struct ip6_addr result;

    if (address->sin6_family == AF_INET) {
        return ip6_of_ip4(ip4->sin_addr.s_addr);
    }
    memcpy(result.b, &address->sin6_addr, sizeof result.b);
    return result;
}

/* The interface that has the address; 0: none. */
static unsigned int
find_interface(const struct ip6_addr *address)
{
    struct ifaddrs *list;
    unsigned int index = 0;

    if (getifaddrs(&list)) {
        return 0;
    }
    for (struct ifaddrs *i = list; i && !index; i = i->ifa_next) {
        struct ip6_addr one;

        if (i->ifa_addr && (i->ifa_addr->sa_family == AF_INET
                            || i->ifa_addr->sa_family == AF_INET6)) {
            one = tunnel_address_of((const void *) i->ifa_addr);
            if (ip6_addr_eq(one, *address)) {
                index = if_nametoindex(i->ifa_name);
            }
        }
    }
    freeifaddrs(list);
    return index;
}

/* IPv6 alone, or (UDP without an address) both.  Raw sockets know one only. */
static void
set_family(struct setup *s, const struct tunnel_socket_spec *spec)
{
    if (!spec->is_gre) {
        set(s, SOL_IPV6, IPV6_V6ONLY, ip6_addr_is_set(spec->local));
    }
}

static void
bind_to(struct setup *s, const struct tunnel_socket_spec *spec,
        const struct ip6_addr *address, uint16_t port)
{
    struct sockaddr_in6 name;
    socklen_t len = tunnel_address(spec, address, port, &name);

    if (!s->err && (!len || bind(s->fd, (struct sockaddr *) &name, len))) {
        s->err = len ? -errno : -EAFNOSUPPORT;
    }
}

/* ---- Receivers ---- */

/* What comes beside each packet: TOS, TTL, whether it came in pieces, and, where
 * it can be several, the address it was sent to. */
static void
ask_for_headers(struct setup *s, const struct tunnel_socket_spec *spec,
                bool any_address)
{
    set(s, SOL_IP, IP_RECVTOS, 1);
    set(s, SOL_IP, IP_RECVTTL, 1);
    set(s, SOL_IP, IP_RECVFRAGSIZE, 1);
    set(s, SOL_IP, IP_PKTINFO, any_address);
    if (spec->is_ip6) {
        set(s, SOL_IPV6, IPV6_RECVTCLASS, 1);
        set(s, SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
        set(s, SOL_IPV6, IPV6_RECVFRAGSIZE, 1);
        set(s, SOL_IPV6, IPV6_RECVPKTINFO, any_address);
    }
}

static void
ask_for_raw_headers(struct setup *s, const struct tunnel_socket_spec *spec,
                    bool any_address)
{
    if (spec->is_ip6) {
        set(s, SOL_IPV6, IPV6_RECVTCLASS, 1);
        set(s, SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
        set(s, SOL_IPV6, IPV6_RECVFRAGSIZE, 1);
        set(s, SOL_IPV6, IPV6_RECVPKTINFO, any_address);
    } else {
        set(s, SOL_IP, IP_RECVFRAGSIZE, 1);
    }
}

int
tunnel_socket_join(const struct tunnel_socket_spec *spec, int fd,
                   const struct ip6_addr *group, bool join)
{
    struct setup s = { .fd = fd };

    if (spec->is_ip6 && !ip6_is_mapped4(group)) {
        struct ipv6_mreq request = {
            .ipv6mr_interface = find_interface(&spec->local),
        };

        memcpy(&request.ipv6mr_multiaddr, group->b, sizeof group->b);
        set_bytes(&s, SOL_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP,
                  &request, sizeof request);
    } else {
        struct ip_mreqn request = { .imr_ifindex = 0 };

        memcpy(&request.imr_multiaddr, &group->b[12], 4);
        memcpy(&request.imr_address, &spec->local.b[12], 4);
        set_bytes(&s, SOL_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
                  &request, sizeof request);
    }
    /* A socket that an earlier main used has joined already. */
    return s.err == -EADDRINUSE ? 0 : s.err;
}

static struct setup
open_socket(const struct tunnel_socket_spec *spec, bool raw)
{
    int fd = socket(spec->is_ip6 ? AF_INET6 : AF_INET,
                    (raw ? SOCK_RAW : SOCK_DGRAM) | SOCK_NONBLOCK
                    | SOCK_CLOEXEC, raw ? IPPROTO_GRE : 0);

    return (struct setup) { fd, fd < 0 ? -errno : 0 };
}

static void
close_on_error(struct setup *s)
{
    if (s->err && s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

static struct setup
open_receiver(const struct tunnel_socket_spec *spec)
{
    static const struct ip6_addr any;
    bool has_local = ip6_addr_is_set(spec->local), groups = spec->is_group;
    struct setup s = open_socket(spec, spec->is_gre);

    set(&s, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_SIZE);
    if (spec->is_gre) {
        ask_for_raw_headers(&s, spec, groups || !has_local);
    } else {
        ask_for_headers(&s, spec, groups || !has_local);
        set(&s, SOL_SOCKET, SO_REUSEPORT, 1);
        set(&s, SOL_UDP, UDP_GRO, 1);
    }
    if (spec->is_ip6) {
        set_family(&s, spec);
        set(&s, SOL_IPV6, IPV6_MULTICAST_ALL, 0);
        if (!spec->is_gre) {
            /* RFC 7348, 5 and RFC 8926, 3.3: 0 is none, over IPv6, too. */
            set(&s, SOL_UDP, UDP_NO_CHECK6_RX, 1);
        }
    }
    if (!spec->is_ip6 || !spec->is_gre) {
        set(&s, SOL_IP, IP_MULTICAST_ALL, 0);
    }
    bind_to(&s, spec, groups ? &any : &spec->local,
            spec->is_gre ? 0 : spec->port);
    close_on_error(&s);
    return s;
}

/* ---- Senders ---- */

/* By which interface groups are reached, and how far. */
static void
aim_at_groups(struct setup *s, const struct tunnel_socket_spec *spec)
{
    if (spec->is_ip6) {
        set(s, SOL_IPV6, IPV6_MULTICAST_HOPS, GROUP_TTL);
        set(s, SOL_IPV6, IPV6_MULTICAST_LOOP, 0);
        if (ip6_addr_is_set(spec->local)) {
            set(s, SOL_IPV6, IPV6_MULTICAST_IF,
                (int) find_interface(&spec->local));
        }
    }
    if (!spec->is_ip6 || !spec->is_gre) {
        set(s, SOL_IP, IP_MULTICAST_TTL, GROUP_TTL);
        set(s, SOL_IP, IP_MULTICAST_LOOP, 0);
    }
}

static void
set_df(struct setup *s, const struct tunnel_socket_spec *spec, bool df)
{
    if (!spec->is_ip6 || !spec->is_gre) {
        set(s, SOL_IP, IP_MTU_DISCOVER,
            df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
    }
    if (spec->is_ip6) {
        set(s, SOL_IPV6, IPV6_MTU_DISCOVER,
            df ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
    }
}

/* What comes to it is not even queued. */
static void
make_deaf(struct setup *s)
{
    struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
    struct sock_fprog program = { 1, nothing };

    set_bytes(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static struct setup
open_sender(const struct tunnel_socket_spec *spec, bool df)
{
    struct setup s = open_socket(spec, spec->is_gre);

    make_deaf(&s);
    set_df(&s, spec, df);
    aim_at_groups(&s, spec);
    if (spec->is_ip6) {
        set_family(&s, spec);
    }
    bind_to(&s, spec, &spec->local, 0);
    return s;
}

int
tunnel_sender_open(const struct tunnel_socket_spec *spec, bool df,
                   bool has_csum, int *fd)
{
    struct setup s = open_sender(spec, df);

    if (!has_csum) {
        set(&s, SOL_SOCKET, SO_NO_CHECK, 1);
        if (spec->is_ip6) {
            set(&s, SOL_UDP, UDP_NO_CHECK6_TX, 1);
        }
    }
    close_on_error(&s);
    *fd = s.fd;
    return s.err;
}

static struct setup
open_gre_sender(const struct tunnel_socket_spec *spec, bool df)
{
    struct setup s = open_sender(spec, df);

    set(&s, SOL_SOCKET, SO_SNDBUFFORCE, RECEIVE_BUFFER_SIZE);
    close_on_error(&s);
    return s;
}

/* ---- All of them ---- */

static int
explain(const struct tunnel_socket_spec *spec, int err, struct str *error)
{
    char text[ADDRESS_TEXT_SIZE];

    if (err == -EADDRNOTAVAIL) {
        str_setf(error, "%s is no address of this host",
                 ip_format(spec->local, text));
        return -ENODEV;
    }
    if (err == -EADDRINUSE) {
        str_setf(error, "another program receives at UDP port %u: a tunnel of "
                 "the kernel, or of another switch", spec->port);
    } else {
        str_setf(error, "open the tunnel's sockets: %s", strerror(-err));
    }
    return err;
}

unsigned int
tunnel_sockets_count(const struct tunnel_socket_spec *spec)
{
    return spec->is_group ? 1 : spec->is_gre ? (unsigned int) TUNNEL_GRE_N
                                             : spec->n_queues;
}

int
tunnel_sockets_open(const struct tunnel_socket_spec *spec, int fds[],
                    struct str *error)
{
    unsigned int n = tunnel_sockets_count(spec);

    for (unsigned int i = 0; i < n; i++) {
        struct setup s = spec->is_gre && i != TUNNEL_GRE_RX
                         ? open_gre_sender(spec, i == TUNNEL_GRE_TX_DF)
                         : open_receiver(spec);

        if (s.err) {
            while (i) {
                close(fds[--i]);
            }
            return explain(spec, s.err, error);
        }
        fds[i] = s.fd;
    }
    return 0;
}
