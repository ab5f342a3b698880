/* A veth pair: the container's end in its namespace, ours in one of Weft's own,
 * or, for another switch to open, where we are and called like the port. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/device_impl.h"
#include "port/netns.h"

/* Who opens the other end by plain packet sockets sees what a container sends
 * as its kernel left it: with checksums still to be made, and longer than the
 * MTU.  Without offload it makes them itself, and cuts. */
static int
refuse_offload(const char *name)
{
    struct ethtool_value value = { .cmd = ETHTOOL_STXCSUM, .data = 0 };
    struct ifreq ifr = { .ifr_data = (char *) &value };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    if (ioctl(fd, SIOCETHTOOL, &ifr)) {
        err = -errno;
    }
    close(fd);
    return err;
}

static int
veth_configure_peer(struct device_env *env, struct device *device,
                    int netns_fd, struct str *error)
{
    struct netlink *nl = NULL;
    int home = netns_enter(netns_fd);
    int err;

    if (home < 0) {
        return device_fail(error, device->spec.device, "enter its namespace",
                           home);
    }
    err = netlink_open(&nl);
    if (!err) {
        err = device_configure(nl, env, device, true, 0, error);
    }
    if (!err && device->spec.is_lent) {
        err = refuse_offload(device->spec.device);
        if (err) {
            device_fail(error, device->spec.device, "switch offload off", err);
        }
    }
    netlink_close(nl);
    netns_leave(home);
    return err;
}

/* Is the container's end there, of an earlier run of this port? */
static bool
veth_find_left_over(struct device_env *env, const struct device *device,
                    int netns_fd, bool delete)
{
    struct netlink *nl = NULL;
    struct link_info link;
    char alias[256];
    int home = netns_enter(netns_fd);
    bool is_there;

    if (home < 0) {
        return false;
    }
    device_format_alias(env, &device->spec, alias);
    is_there = !netlink_open(&nl)
               && !link_get(nl, device->spec.device, &link)
               && !strcmp(link.kind, "veth") && !strcmp(link.alias, alias);
    if (is_there && delete) {
        link_delete(nl, link.ifindex);
    }
    netlink_close(nl);
    netns_leave(home);
    return is_there;
}

/* The pair, its ends not configured yet. */
static int
veth_make(struct device_env *env, const struct device *device,
          struct netlink *nl, const char *name, int netns_fd)
{
    const struct helper_device_spec *spec = &device->spec;
    struct link_info link;
    int err;

    /* One that outlived us goes on as it is. */
    if (spec->is_lent && veth_find_left_over(env, device, netns_fd, false)
        && !link_get(nl, name, &link) && !strcmp(link.kind, "veth")) {
        return 0;
    }
    err = link_create_veth(nl, name, spec->device, netns_fd);
    /* The pair of a helper that was killed goes with its private namespace, a
     * moment later than the next start may come: out of the way. */
    if (err == -EEXIST
        && veth_find_left_over(env, device, netns_fd, true)) {
        err = link_create_veth(nl, name, spec->device, netns_fd);
    }
    return err;
}

int
device_open_veth(struct device_env *env, struct device *device,
                 struct str *error)
{
    const struct helper_device_spec *spec = &device->spec;
    int netns_fd = netns_open(spec->netns, error);
    struct netlink *nl = NULL;
    struct link_info link;
    char name[IFNAMSIZ];
    int home = -1, err;

    if (netns_fd < 0) {
        return netns_fd;
    }
    device->netns = netns_id(netns_fd);
    if (!spec->is_lent) {
        home = netns_enter(env->private_netns);
        if (home < 0) {
            close(netns_fd);
            return device_fail(error, spec->device, "enter our namespace",
                               home);
        }
    }
    err = netlink_open(&nl);
    if (err) {
        device_fail(error, spec->device, "netlink", err);
        goto leave;
    }

    if (spec->is_lent) {
        snprintf(name, sizeof name, "%.15s", spec->port);
    } else {
        snprintf(name, sizeof name, "v%u", ++env->n_made);
    }
    err = veth_make(env, device, nl, name, netns_fd);
    if (err) {
        device_fail(error, spec->device, "make a veth pair", err);
        goto close_netlink;
    }
    device->is_made = true;
    err = veth_configure_peer(env, device, netns_fd, error);
    if (!err && spec->mtu && !(err = link_get(nl, name, &link))) {
        err = link_change(nl, link.ifindex,
                          &(struct link_change) { .mtu = spec->mtu });
    }
    if (!err) {
        err = device_attach(env, device, nl, name, spec->is_lent, error);
    }
    if (err && !link_get(nl, name, &link)) {
        link_delete(nl, link.ifindex);
    }

close_netlink:
    netlink_close(nl);
leave:
    if (home >= 0) {
        netns_leave(home);
    }
    close(netns_fd);
    return err;
}
