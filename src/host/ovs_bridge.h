/* One bridge of Open vSwitch and our ports on it: what its database says, and
 * what is to be changed there.  Pure: JSON in, JSON out.
 *
 *     <table-updates> (RFC 7047, 4.1.6) -> ovs_bridge_update() -> what is there
 *     what is wanted                    -> ovs_bridge_change() -> operations,
 *                                          or nothing to do
 *
 * Always true:
 *   - What is ours says so: external_ids:weft is our instance, on the bridge and
 *     on each of its ports.  Nothing else is ever changed or taken out.
 *   - A bridge of the name that is not marked is refused, not taken: its flow
 *     entries would go.  An operator hands one over by marking it.
 *   - Nothing is put in before ovs-vswitchd has seen what was taken out: it would
 *     take a port that went and came again for the one that it has.
 *   - A port of our bridge that somebody else put there counts as plugged in,
 *     and stays when it is wanted no more.
 *
 * One thread. */
#ifndef WEFT_HOST_OVS_BRIDGE_H
#define WEFT_HOST_OVS_BRIDGE_H

#include <jansson.h>

#include "lib/str.h"

struct ovs_bridge;

/* Keeps copies. */
struct ovs_bridge *ovs_bridge_create(const char *name, const char *instance);
void ovs_bridge_destroy(struct ovs_bridge *);

/* Which columns of which tables it reads: for `monitor`.  To be freed. */
json_t *ovs_bridge_monitored(void);
/* Forgets everything: what comes is all there is. */
void ovs_bridge_clear(struct ovs_bridge *);
/* Values of another shape than the schema's are left out. */
void ovs_bridge_update(struct ovs_bridge *, const json_t *updates);

/* It is there and ours. */
bool ovs_bridge_is_ours(const struct ovs_bridge *);

/* 0: the port has this OpenFlow number.  -ENOENT: it is not on the bridge;
 * -ENODEV: it is, but `why` its device is not open. */
int ovs_bridge_port(const struct ovs_bridge *, const char *name,
                    struct str *why);

struct ovs_wanted {
    const char *name;
    const char *type;             /* of the interface: "", "internal", "vxlan" */
    const json_t *options;        /* of the interface: {"key": "flow"}; borrowed;
                                     NULL: none, and what is there stays */
    bool is_anew;                 /* its device is another one: out, then in */
};

/* What brings the bridge there, or NULL: there is nothing to do, or nothing that
 * may be done (`refusal` says why then).  `is_whole`: ports of ours that are not
 * wanted go.  To be freed. */
json_t *ovs_bridge_change(const struct ovs_bridge *, unsigned int n,
                          const struct ovs_wanted *, bool is_whole,
                          struct str *refusal);

#endif
