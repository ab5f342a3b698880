/* What device.c and its parts (device_veth.c) share.  Helper only. */
#ifndef WEFT_PORT_DEVICE_IMPL_H
#define WEFT_PORT_DEVICE_IMPL_H

#include "port/device.h"

/* "eth0: make a veth pair: File exists"; returns `err`. */
int device_fail(struct str *error, const char *device, const char *what,
                int err);
/* The ifalias by which the next start knows the link. */
void device_format_alias(const struct device_env *,
                         const struct helper_device_spec *, char alias[256]);
/* Gives the link in this namespace the settings asked for, sets it up, and
 * fills in what main wants to know of it. */
int device_configure(struct netlink *, const struct device_env *,
                     struct device *, bool label, uint32_t tx_queue_len,
                     struct str *error);
/* Takes over the link `name` of the current namespace: isolates it, sets it up,
 * opens its queues, or (is_lent) none. */
int device_attach(struct device_env *, struct device *, struct netlink *,
                  const char *name, bool isolate, struct str *error);

/* HELPER_VETH: a pair that we make. */
int device_open_veth(struct device_env *, struct device *,
                     struct str *error);

#endif
