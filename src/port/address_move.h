/* Moving what the host has on one device to another: its addresses, and the
 * routes that lead out by it.
 *
 * The addresses are on the second device before they leave the first, so that
 * connections go on; IPv6 addresses are not asked for again on the LAN (no
 * DAD), which would silence them for a second.  It works alike in both
 * directions and keeps no state: what the kernel shows is what is moved.
 *
 * Left alone: link-local addresses and the kernel's own routes, which every
 * device gets by itself; rules; routes without a device.
 *
 * Devices are of the socket's namespace, which the caller is in.  Helper only. */
#ifndef WEFT_PORT_ADDRESS_MOVE_H
#define WEFT_PORT_ADDRESS_MOVE_H

#include "lib/str.h"
#include "port/netlink.h"

/* On failure everything is back where it was, as far as the kernel lets us. */
int address_move(struct netlink *, const struct link_info *from,
                 const struct link_info *to, struct str *error);

enum { CONTACTS_MAX = 16 };

/* Neighbours that were spoken with of late: if none of them answers any more,
 * contact is lost. */
struct contacts {
    unsigned int n;
    struct contact {
        uint8_t family, len;
        uint8_t address[16];
        bool has_mac;
        struct eth_addr mac;
    } list[CONTACTS_MAX];
};

int contacts_find(struct netlink *, unsigned int ifindex, struct contacts *);
/* That device knows them, too, and makes sure that they are there: nobody has to
 * wait until it has asked. */
void contacts_introduce(struct netlink *, unsigned int ifindex,
                        const struct contacts *);
/* Has the kernel ask for them (ARP, ND) by that device. */
void contacts_ask(struct netlink *, unsigned int ifindex,
                  const struct contacts *);
/* Has one of them answered? */
bool contacts_have_answered(struct netlink *, unsigned int ifindex,
                            const struct contacts *);

#endif
