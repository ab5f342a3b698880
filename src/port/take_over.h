/* Take-over: an internal tap stands in for a device of the host, while that
 * device is an uplink.
 *
 * The tap gets the device's MAC address, MTU, addresses and routes (see
 * address_move.h), and gives them back when it is closed.  For CONTACT_MS the
 * helper looks whether anybody answers whom the host spoke with before: if
 * nobody does, everything goes back by itself, whatever main does meanwhile.
 *
 * The tap's ifalias ends in ",from=DEVICE": what is found after a kill says all
 * that is needed to give back. */
#ifndef WEFT_PORT_TAKE_OVER_H
#define WEFT_PORT_TAKE_OVER_H

#include "port/address_move.h"

struct device;
struct device_env;

enum { TAKE_OVER_CONTACT_MS = 8000 };

struct take_over {
    bool is_begun;                /* addresses are on the tap */
    bool is_watched;              /* contact is not certain yet */
    msec deadline;
    struct contacts contacts;
};

/* -EADDRNOTAVAIL: the device has no addresses, and there is no tap that stands
 * in for it; -ENODEV: it is not there. */
int take_over_check(const struct device_env *, struct netlink *,
                    const struct device *, struct str *error);
/* The tap, which is not up yet, gets the device's MAC address and MTU: its
 * link-local address follows from them. */
int take_over_dress(struct netlink *, const struct device *, struct str *error);
/* It is up. */
int take_over_begin(struct netlink *, struct device *, struct str *error);
/* True: nobody answered in time, and everything was given back. */
bool take_over_watch(struct device *, msec now);
/* Gives back. */
void take_over_end(struct device *);
/* A tap that was left behind: its addresses go back to where they came from. */
void take_over_clean(struct netlink *, const struct link_info *tap);

#endif
