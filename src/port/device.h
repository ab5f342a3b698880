/* What the helper does to the kernel for one device: open it, make it, isolate
 * it, and undo all that.
 *
 * A `struct device` remembers what was changed; device_close() puts back
 * exactly that.  No namespace is kept alive by it: the one that a device is in
 * is asked from its descriptors.  Helper only. */
#ifndef WEFT_PORT_DEVICE_H
#define WEFT_PORT_DEVICE_H

#include "port/helper.h"
#include "port/isolate.h"
#include "port/take_over.h"

/* Shared by all devices of a helper. */
struct device_env {
    const char *instance;
    int private_netns;        /* where our ends of veth pairs live, and taps
                                 while they are being made */
    uint32_t features;        /* enum port_features that this kernel carries */
    bool keep_taps;           /* they are made to outlive us */
    uint32_t n_made;          /* numbers names in the private namespace */
};

int device_env_init(struct device_env *, const char *instance,
                    bool keep_taps, struct str *error);
void device_env_fini(struct device_env *);

struct device {
    enum helper_kind kind;
    struct helper_device_spec spec;
    struct helper_device opened;        /* handle is the owner's */
    uint64_t netns;                     /* netns_id() of where it is */
    bool is_made;                       /* the link is ours to delete */
    bool is_adopted;                    /* by an earlier run: while we hold it,
                                           its namespace lives */
    bool was_down;                      /* we set it up */
    bool is_isolated;
    struct isolation isolation;
    struct take_over take_over;
};

/* The host's own frames go to the host again. */
void device_end_isolation(struct device_env *, struct device *);

/* `kind` and `spec` are set.  On failure nothing is left behind. */
int device_open(struct device_env *, struct device *, struct str *error);
/* `keep`: a tap that outlives its processes stays, a VM's isolated. */
void device_close(struct device_env *, struct device *, bool keep);

/* Replaces spec.mtu; a veth's other end, of which device_find_link() tells
 * nothing, gets it. */
int device_set_mtu_inside(struct device *, uint32_t mtu, struct str *error);
/* Replaces spec.inside. */
int device_set_inside(struct device_env *, struct device *,
                      const struct helper_inside *, struct str *error);

/* A netlink socket in the namespace where the device's link is, and the link.
 * -ENODEV when it is gone. */
int device_find_link(const struct device *, struct netlink **,
                     struct link_info *);

/* Whether the device's namespace is no longer the one that its name means: a
 * container was started again, or ended while we adopted its NIC.  What was made
 * there is to go. */
bool device_is_stale(const struct device *);
void device_delete_link(struct device *);

/* By its ifalias, whichever port it was for. */
bool device_is_ours(const struct device_env *, const struct link_info *);
/* Deletes the links in this namespace that carry the instance's ifalias, except
 * those for which `keep` says true (NULL: all go).  How many, or an error. */
int device_clean(const struct device_env *,
                 bool (*keep)(const struct link_info *, void *aux),
                 void *aux);

#endif
