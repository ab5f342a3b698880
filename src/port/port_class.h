/* The port classes: one row here, one file beside it.
 *
 * A row X(tap) stands for `const struct port_class tap_class`, defined in
 * tap.c.  port.c finds classes by this list only. */
#ifndef WEFT_PORT_PORT_CLASS_H
#define WEFT_PORT_PORT_CLASS_H

#include "port/port.h"

#define PORT_CLASSES(X)                                                      \
    /* Devices of this host. */                                              \
    X(tap) X(tun) X(netdev) X(veth) X(internal)                              \
    /* To other hosts. */                                                    \
    X(vxlan) X(geneve) X(gre)                                                \
    /* In memory, in files, between ports. */                                \
    X(null) X(ring) X(patch) X(impair) X(pcap)

#define X(NAME) extern const struct port_class NAME##_class;
PORT_CLASSES(X)
#undef X

#endif
