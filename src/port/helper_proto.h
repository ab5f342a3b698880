/* What main and the helper say to each other: one request, one reply, each of
 * fixed size, on a SOCK_SEQPACKET pair.  Descriptors travel beside the reply.
 *
 * Both ends are one program started once, so there is no version and no byte
 * order; the helper believes nothing of it all the same. */
#ifndef WEFT_PORT_HELPER_PROTO_H
#define WEFT_PORT_HELPER_PROTO_H

#include "port/helper.h"

/* Name, and what is said when it fails. */
#define HELPER_REQUESTS(X)                                                   \
    X(OPEN_DEVICE, "open device")                                            \
    X(RELEASE_DEVICE, "release device")                                      \
    X(KEEP, "keep devices")                                                  \
    X(SETTLE, "settle")                                                      \
    X(GET_LINK, "get link")                                                  \
    X(SET_LINK, "set link")                                                  \
    X(SET_INSIDE, "set addresses and routes")                                \
    X(OPEN_LINK_MONITOR, "open link monitor")                                \
    X(LISTEN_UNIX, "listen")                                                 \
    X(OPEN_CONFIG, "open config file")                                       \
    X(OPEN_TUNNEL, "open a tunnel's sockets")                                \
    X(RELEASE_TUNNEL, "release a tunnel")                                    \
    X(ADD_HOST_NAT, "add to the host's NAT")                                 \
    X(SET_HOST_NAT, "replace the host's NAT")

enum helper_request_type {
#define X(NAME, TEXT) HELPER_REQUEST_##NAME,
    HELPER_REQUESTS(X)
#undef X
    HELPER_N_REQUESTS,
};

struct helper_request {
    uint32_t type;
    uint32_t kind;                      /* OPEN_DEVICE: enum helper_kind */
    uint32_t handle;
    uint32_t admin;                     /* SET_LINK: enum link_admin */
    uint32_t mode;                      /* LISTEN_UNIX */
    struct helper_device_spec spec;     /* OPEN_DEVICE; SET_LINK: mtu, mac;
                                           SET_INSIDE: inside */
    char path[256];                     /* LISTEN_UNIX, OPEN_CONFIG; the
                                           monitor's namespace */
    bool is_forward;                    /* ADD_HOST_NAT: one of these */
    struct host_nat_leg leg;
    struct host_nat_forward forward;
    struct tunnel_socket_spec tunnel;   /* OPEN_TUNNEL */
};

struct helper_reply {
    int32_t error;                      /* 0 or negative errno */
    struct helper_device device;        /* its fds travel beside */
    struct link_info link;
    char text[256];                     /* why it was refused */
};

#endif
