/* Endpoints: the sockets that tunnel ports share.
 *
 * One endpoint is all ports of one kind (vxlan, geneve, gre), UDP port and local
 * address.  One of them, the *reader*, receives for all: each frame is that
 * port's whose key and remote fit best, in Open vSwitch's order
 *
 *     key and remote, key alone, remote alone, neither
 *
 * and goes to another port by its mailbox.  When the reader is closed the next
 * port becomes it; what was received and not looked at stays with the endpoint.
 *
 * Threads: join, leave, configure on the control thread.  A worker holds the lock
 * of one queue while it reads, against joining and leaving only: a queue has one
 * reader.  Senders are used by any worker. */
#ifndef WEFT_PORT_TUNNEL_ENDPOINT_H
#define WEFT_PORT_TUNNEL_ENDPOINT_H

#include <pthread.h>
#include <sys/socket.h>

#include "lib/hash.h"
#include "port/tunnel.h"

enum {
    TUNNEL_N_SENDERS = 64,        /* source ports per queue */
    TUNNEL_N_MESSAGES = 8,        /* received at once */
    TUNNEL_MESSAGE_SIZE = 65536,
    TUNNEL_CONTROL_SIZE = 256,
};

/* What one queue has received and not looked at yet.  Under its lock. */
struct tunnel_arrivals {
    pthread_mutex_t lock;
    unsigned int n, next;         /* messages */
    uint32_t pos;                 /* in messages[next] */
    bool is_group;                /* they came by the groups' socket */
    struct mmsghdr *headers;
    struct tunnel_message {
        struct iovec iov;
        struct sockaddr_in6 from;
        union {
            uint8_t bytes[TUNNEL_CONTROL_SIZE];
            size_t align;
        } control;
        uint8_t bytes[TUNNEL_MESSAGE_SIZE];
    } *messages;
};

struct tunnel_senders {
    int fds[TUNNEL_N_SENDERS];
};

struct tunnel_endpoint {
    struct tunnel_endpoint *next; /* in the registry */
    struct helper *helper;
    enum tunnel_kind kind;
    struct tunnel_socket_spec spec;
    uint32_t handle, group_handle;
    unsigned int n_fds;
    int fds[PORT_MAX_QUEUES];
    atomic_int group_fd;          /* -1: none */
    unsigned int n_groups;
    struct tunnel_group {
        struct ip6_addr address;
        unsigned int n_users;
    } groups[4 * TUNNEL_MAX_GROUPS];

    struct underlay *underlay;    /* NULL: sockets alone */
    struct tunnel_endpoint *next_of_underlay;

    struct tunnel *members;
    _Atomic(struct tunnel *) reader;
    struct hash_key hash_key;
    uint32_t mask;                /* of `table`, by key and remote */
    unsigned int shapes;          /* bit: some port leaves just that open */
    struct tunnel *any;           /* leaves both open */
    struct tunnel_slot *table;
    struct tunnel_arrivals arrivals[TUNNEL_MAX_QUEUES];
    /* By queue, DF and checksum; NULL: nobody needs such. */
    struct tunnel_senders *senders[TUNNEL_MAX_QUEUES][2][2];
};

/* The port's options are set; makes its mailbox and descriptors.  -EEXIST:
 * another has the same key and remote. */
int tunnel_endpoint_join(struct tunnel *, struct str *error);
void tunnel_endpoint_leave(struct tunnel *);
/* Groups of the port's options were others. */
int tunnel_endpoint_change_groups(struct tunnel *,
                                  const struct tunnel_options *now,
                                  struct str *error);

/* Whose is a frame of this key (`has_key`: GRE may have none) from there?  NULL:
 * nobody's.  Under a queue's lock, or one of the underlay's. */
struct tunnel *tunnel_endpoint_find(const struct tunnel_endpoint *,
                                    bool has_key, uint32_t key,
                                    const struct ip6_addr *remote);

#endif
