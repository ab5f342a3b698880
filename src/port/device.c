#include "port/device_impl.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "port/inside.h"
#include "port/netns.h"
#include "port/packet_socket.h"
#include "port/resolver.h"

/* Linux 6.2; older headers do not have them. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum {
    VNET_HEADER_SIZE = 10,
    /* In frames.  The kernel's 500 is less than what one batch of a fast
     * sender brings while we are elsewhere. */
    TAP_QUEUE_LEN = 1024,
};

static const unsigned int tun_offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6
                                         | TUN_F_TSO_ECN;
static const unsigned int tun_uso = TUN_F_USO4 | TUN_F_USO6;

int
device_fail(struct str *error, const char *device, const char *what, int err)
{
    str_setf(error, "%s: %s: %s", device, what, strerror(-err));
    return err;
}

/* TAP and TUN. */

static bool
has_char_device(const struct device *device)
{
    return device->kind == HELPER_TAP || device->kind == HELPER_TUN;
}

static void
close_fds(struct helper_device *opened)
{
    for (unsigned int i = 0; i < opened->n_fds; i++) {
        close(opened->fds[i]);
    }
    opened->n_fds = 0;
}

static int
tap_attach(const char *name, bool multi_queue, bool is_tun, int *result)
{
    struct ifreq ifr = { 0 };
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    ifr.ifr_flags = (short) ((is_tun ? IFF_TUN : IFF_TAP) | IFF_NO_PI | IFF_VNET_HDR
                             | (multi_queue ? IFF_MULTI_QUEUE : 0));
    if (ioctl(fd, TUNSETIFF, &ifr)) {
        int err = -errno;

        close(fd);
        return err;
    }
    *result = fd;
    return 0;
}

/* Opens the queues of the tap `name` in the current namespace, made when it is
 * not there. */
static int
tap_open_queues(struct device_env *env, const char *name,
                struct device *device)
{
    struct helper_device *opened = &device->opened;
    unsigned int n = device->spec.n_queues;
    int header_size = VNET_HEADER_SIZE;
    int err;

    for (unsigned int i = 0; i < n; i++) {
        int fd = -1;

        err = tap_attach(name, n > 1, device->kind == HELPER_TUN, &fd);
        if (err) {
            goto close_fds;
        }
        opened->fds[opened->n_fds++] = fd;

        if (ioctl(fd, TUNSETVNETHDRSZ, &header_size)
            || ioctl(fd, TUNSETOFFLOAD,
                     tun_offloads
                     | (env->features & PORT_F_USO ? tun_uso : 0))) {
            err = -errno;
            goto close_fds;
        }
    }
    return 0;

close_fds:
    close_fds(opened);
    return err;
}

void
device_format_alias(const struct device_env *env,
                    const struct helper_device_spec *spec, char alias[256])
{
    snprintf(alias, 256, "weft:%s:%s%s%s", env->instance, spec->port,
             spec->take_over[0] ? ",from=" : "", spec->take_over);
}

int
device_configure(struct netlink *nl, const struct device_env *env,
                 struct device *device, bool label, uint32_t tx_queue_len,
                 struct str *error)
{
    const struct helper_device_spec *spec = &device->spec;
    const struct helper_inside nothing = { 0 };
    struct link_info link;
    char alias[256];
    int err = link_get(nl, spec->device, &link);

    if (err) {
        return device_fail(error, spec->device, "find it", err);
    }
    device_format_alias(env, spec, alias);
    err = link_change(nl, link.ifindex, &(struct link_change) {
        .admin = LINK_UP,
        .mtu = spec->mtu,
        /* The same once more would have its user forget its neighbours. */
        .mac = spec->has_mac && !eth_addr_eq(spec->mac, link.mac)
               ? &spec->mac : NULL,
        .alias = label ? alias : NULL,
        .tx_queue_len = tx_queue_len,
    });
    if (err) {
        return device_fail(error, spec->device, "set it up", err);
    }
    err = inside_change(nl, link.ifindex, spec->netns, alias, &nothing,
                        &spec->inside, error);
    if (err) {
        return err;
    }
    err = link_get_by_index(nl, link.ifindex, &link);
    if (err) {
        return device_fail(error, spec->device, "find it again", err);
    }
    device->opened.ifindex = link.ifindex;
    device->opened.mtu = link.mtu;
    device->opened.mac = link.mac;
    return 0;
}

/* Where a device belongs: its namespace, entered, with a netlink socket. */
struct place {
    int netns_fd, home;
    struct netlink *nl;
};

static int
place_enter(struct place *place, const struct helper_device_spec *spec,
            struct str *error)
{
    int err;

    place->netns_fd = netns_open(spec->netns, error);
    if (place->netns_fd < 0) {
        return place->netns_fd;
    }
    place->home = netns_enter(place->netns_fd);
    if (place->home < 0) {
        err = device_fail(error, spec->device, "enter its namespace",
                          place->home);
        goto close_netns;
    }
    err = netlink_open(&place->nl);
    if (err) {
        device_fail(error, spec->device, "netlink", err);
        goto leave;
    }
    return 0;

leave:
    netns_leave(place->home);
close_netns:
    close(place->netns_fd);
    return err;
}

static void
place_leave(struct place *place)
{
    netlink_close(place->nl);
    netns_leave(place->home);
    close(place->netns_fd);
}

/* Makes the tap in the private namespace and moves it to where it belongs.  A
 * tap's character device keeps the namespace alive in which it was opened: it
 * must not be the container's. */
static int
tap_make(struct device_env *env, struct device *device, int netns_fd,
         struct str *error)
{
    const struct helper_device_spec *spec = &device->spec;
    struct link_change move = { .name = spec->device, .netns_fd = netns_fd };
    struct netlink *nl = NULL;
    struct link_info link;
    char name[IFNAMSIZ];
    int home, err;

    home = netns_enter(env->private_netns);
    if (home < 0) {
        return home;
    }
    snprintf(name, sizeof name, "t%u", ++env->n_made);
    err = tap_open_queues(env, name, device);
    if (err) {
        device_fail(error, spec->device, "open a tap", err);
        goto leave;
    }
    err = netlink_open(&nl);
    if (!err) {
        err = link_get(nl, name, &link);
    }
    if (!err) {
        err = link_change(nl, link.ifindex, &move);
    }
    if (err) {
        close_fds(&device->opened);
        device_fail(error, spec->device, "put it into its namespace", err);
    }
    netlink_close(nl);

leave:
    netns_leave(home);
    return err;
}

/* A tap that we made goes with its last descriptor. */
static void
tap_forget(const struct device *device)
{
    if (device->is_made) {
        ioctl(device->opened.fds[0], TUNSETPERSIST, 0);
    }
}

/* Between two runs of ours the tap has no carrier, at which the guest's kernel
 * would forget its neighbours and ask for them before the new run can answer: it
 * asks again a second later.  Best effort: Linux 5.16, and 6.0 for IPv6. */
static void
keep_neighbours(const char *device)
{
    static const char *const paths[][2] = {
        { "/proc/sys/net/ipv4/conf", "arp_evict_nocarrier" },
        { "/proc/sys/net/ipv6/conf", "ndisc_evict_nocarrier" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        char path[96];
        int fd;

        snprintf(path, sizeof path, "%s/%s/%s", paths[i][0], device,
                 paths[i][1]);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) {
            ssize_t n UNUSED = write(fd, "0", 1);

            close(fd);
        }
    }
}

static int
open_tap(struct device_env *env, struct device *device, struct str *error)
{
    const struct helper_device_spec *spec = &device->spec;
    struct place place;
    struct link_info link;
    int err = place_enter(&place, spec, error);

    if (err) {
        return err;
    }
    device->netns = netns_id(place.netns_fd);
    if (spec->take_over[0]
        && (err = take_over_check(env, place.nl, device, error))) {
        goto leave;
    }
    if (!link_get(place.nl, spec->device, &link)) {
        /* An earlier run's, or somebody's persistent tap: ours to plug in, not
         * to delete. */
        device->is_made = device->is_adopted = device_is_ours(env, &link);
        err = tap_open_queues(env, spec->device, device);
        if (err) {
            err = err == -EINVAL ? -EEXIST : err;
            str_setf(error, "%s: %s", spec->device,
                     err == -EEXIST ? "there is a link of this name, but it"
                     " is no tap of this many queues" : strerror(-err));
        }
    } else {
        device->is_made = true;
        err = tap_make(env, device, place.netns_fd, error);
    }
    if (err) {
        goto leave;
    }
    if (device->is_made) {
        ioctl(device->opened.fds[0], TUNSETPERSIST, env->keep_taps);
    }
    if (spec->take_over[0]) {
        err = take_over_dress(place.nl, device, error);
    }
    if (!err) {
        err = device_configure(place.nl, env, device, device->is_made,
                        spec->tx_queue_len ? spec->tx_queue_len
                        : device->is_made ? TAP_QUEUE_LEN : 0, error);
    }
    if (!err && device->is_made && env->keep_taps) {
        keep_neighbours(spec->device);
    }
    if (!err && spec->take_over[0]) {
        err = take_over_begin(place.nl, device, error);
    }
    if (err) {
        tap_forget(device);
        close_fds(&device->opened);
    }

leave:
    place_leave(&place);
    return err;
}

/* NETDEV and VM_TAP. */

int
device_attach(struct device_env *env, struct device *device,
              struct netlink *nl, const char *name, bool isolate,
              struct str *error)
{
    struct link_info link;
    int err = link_get(nl, name, &link);

    if (err) {
        return device_fail(error, name, "find it", err);
    }
    if (!link.is_ethernet) {
        str_setf(error, "%s: is no Ethernet device", name);
        return -EOPNOTSUPP;
    }
    if (device->spec.must_be_bare) {
        bool has_address = false;

        err = link_has_address(nl, link.ifindex, AF_UNSPEC, &has_address);
        if (!err && has_address) {
            str_setf(error, "%s: carries addresses of this host, which would "
                     "be cut off", name);
            err = -EBUSY;
        }
        if (err) {
            return err;
        }
    }
    if (isolate) {
        err = isolate_begin(env->instance, nl, &link, &device->isolation,
                            error);
        if (err) {
            return err;
        }
        device->is_isolated = true;
    }
    /* Up before it is bound: a socket on a link that is down begins with an
     * error. */
    if (!link.is_up) {
        err = link_change(nl, link.ifindex,
                          &(struct link_change) { .admin = LINK_UP });
        if (err) {
            device_fail(error, name, "set it up", err);
            goto end_isolation;
        }
        device->was_down = true;
    }
    device->opened.n_fds = device->spec.is_lent ? 1 : device->spec.n_queues;
    err = device->spec.is_lent
          ? packet_socket_open_silent(&device->opened.fds[0])
          : packet_sockets_open(link.ifindex, device->opened.n_fds,
                                device->opened.fds);
    if (err) {
        device->opened.n_fds = 0;
        device_fail(error, name, "open a packet socket", err);
        goto set_down;
    }
    device->opened.ifindex = link.ifindex;
    device->opened.mtu = link.mtu;
    device->opened.mac = link.mac;
    return 0;

set_down:
    if (device->was_down) {
        link_change(nl, link.ifindex,
                    &(struct link_change) { .admin = LINK_DOWN });
        device->was_down = false;
    }
end_isolation:
    if (device->is_isolated) {
        isolate_end(env->instance, nl, &device->isolation);
        device->is_isolated = false;
    }
    return err;
}

static int
resolve_owner(const struct helper_device_spec *spec, uid_t *uid, gid_t *gid,
              struct str *error)
{
    const struct passwd *user = NULL;
    const struct group *group = NULL;

    if (spec->user[0] && !(user = getpwnam(spec->user))) {
        str_setf(error, "there is no user '%s'", spec->user);
        return -EINVAL;
    }
    if (spec->group[0] && !(group = getgrnam(spec->group))) {
        str_setf(error, "there is no group '%s'", spec->group);
        return -EINVAL;
    }
    *uid = user ? user->pw_uid : (uid_t) -1;
    *gid = group ? group->gr_gid : (gid_t) -1;
    return 0;
}

/* Makes the VM's tap in the current namespace and lets go of its character
 * device, which is for the VM manager. */
static int
vm_tap_make(struct device_env *env, struct device *device,
            struct netlink *nl, struct str *error)
{
    const struct helper_device_spec *spec = &device->spec;
    struct link_info link;
    char alias[256];
    uid_t uid;
    gid_t gid;
    int fd = -1;
    int err = resolve_owner(spec, &uid, &gid, error);

    if (err) {
        return err;
    }
    device_format_alias(env, spec, alias);
    if (!link_get(nl, spec->device, &link)) {
        if (strcmp(link.alias, alias)) {
            str_setf(error, "%s: there is a link of this name that is not"
                     " ours; plug it in as netdev:%s", spec->device,
                     spec->device);
            return -EEXIST;
        }
        device->is_made = true;         /* by an earlier run of this port */
        return 0;
    }

    err = tap_attach(spec->device, spec->n_queues > 1, false, &fd);
    if (err) {
        return device_fail(error, spec->device, "make a tap", err);
    }
    if ((spec->user[0] && ioctl(fd, TUNSETOWNER, uid))
        || (spec->group[0] && ioctl(fd, TUNSETGROUP, gid))
        || ioctl(fd, TUNSETPERSIST, 1)) {
        err = device_fail(error, spec->device, "make a tap", -errno);
        goto close_fd;
    }
    device->is_made = true;
    err = device_configure(nl, env, device, true,
                    spec->tx_queue_len ? spec->tx_queue_len : TAP_QUEUE_LEN,
                    error);
    if (err) {
        ioctl(fd, TUNSETPERSIST, 0);
    }

close_fd:
    close(fd);
    return err;
}

/* A link of a namespace that is not ours alone. */
static int
open_netdev(struct device_env *env, struct device *device,
            struct str *error)
{
    const struct helper_device_spec *spec = &device->spec;
    struct place place;
    int err = place_enter(&place, spec, error);

    if (err) {
        return err;
    }
    device->netns = netns_id(place.netns_fd);
    if (device->kind == HELPER_VM_TAP) {
        err = vm_tap_make(env, device, place.nl, error);
    }
    if (!err) {
        err = device_attach(env, device, place.nl, spec->device,
                            !spec->is_hosts, error);
        if (!err && spec->is_hosts) {
            err = device_configure(place.nl, env, device, false, 0, error);
            if (err) {
                close_fds(&device->opened);
            }
        }
        if (err && device->is_made) {
            struct link_info link;

            if (!link_get(place.nl, spec->device, &link)) {
                link_delete(place.nl, link.ifindex);
            }
        }
    }
    place_leave(&place);
    return err;
}

/* All kinds. */

int
device_open(struct device_env *env, struct device *device, struct str *error)
{
    int err = -EINVAL;

    device->opened = (struct helper_device) { .features = env->features };
    switch (device->kind) {
    case HELPER_TAP:
    case HELPER_TUN:
        err = open_tap(env, device, error);
        break;
    case HELPER_NETDEV:
    case HELPER_VM_TAP:
        err = open_netdev(env, device, error);
        break;
    case HELPER_VETH:
        err = device_open_veth(env, device, error);
        break;
    }
    return err;
}

int
device_find_link(const struct device *device, struct netlink **result,
                 struct link_info *link)
{
    int fd = device->opened.fds[0];
    int netns_fd = ioctl(fd, has_char_device(device) ? TUNGETDEVNETNS
                                                     : SIOCGSKNS);
    struct netlink *nl = NULL;
    int home, err;

    if (netns_fd < 0) {
        return errno == EBADFD ? -ENODEV : -errno;
    }
    home = netns_enter(netns_fd);
    close(netns_fd);
    if (home < 0) {
        return home;
    }
    err = netlink_open(&nl);
    netns_leave(home);
    if (err) {
        return err;
    }
    err = link_get_by_index(nl, device->opened.ifindex, link);
    if (err) {
        netlink_close(nl);
        return err;
    }
    *result = nl;
    return 0;
}

int
device_set_mtu_inside(struct device *device, uint32_t mtu, struct str *error)
{
    struct helper_device_spec *spec = &device->spec;
    struct place place;
    struct link_info link;
    int err;

    if (device->kind == HELPER_VETH) {
        err = place_enter(&place, spec, error);
        if (err) {
            return err;
        }
        err = link_get(place.nl, spec->device, &link);
        if (!err) {
            err = link_change(place.nl, link.ifindex,
                              &(struct link_change) { .mtu = mtu });
        }
        place_leave(&place);
        if (err) {
            return device_fail(error, spec->device, "change its MTU",
                               err);
        }
    }
    spec->mtu = mtu;
    return 0;
}

int
device_set_inside(struct device_env *env, struct device *device,
                  const struct helper_inside *inside, struct str *error)
{
    struct helper_device_spec *spec = &device->spec;
    struct place place;
    struct link_info link;
    char alias[256];
    int err = place_enter(&place, spec, error);

    if (err) {
        return err;
    }
    device_format_alias(env, spec, alias);
    err = link_get(place.nl, spec->device, &link);
    if (!err && (device->is_made ? strcmp(link.alias, alias)
                                 : link.ifindex != device->opened.ifindex)) {
        err = -ENODEV;          /* of another namespace under this name */
    }
    if (err) {
        device_fail(error, spec->device, "find it", err);
    } else {
        err = inside_change(place.nl, link.ifindex, spec->netns, alias,
                            &spec->inside, inside, error);
    }
    if (!err) {
        spec->inside = *inside;
    }
    place_leave(&place);
    return err;
}

/* A namespace that is gone took the rest with it, but not the resolver. */
static void
clear_inside(struct device_env *env, struct device *device)
{
    const struct helper_inside nothing = { 0 };
    char alias[256];

    if (device_set_inside(env, device, &nothing, NULL)) {
        device_format_alias(env, &device->spec, alias);
        resolver_restore(device->spec.netns, alias);
    }
}

void
device_end_isolation(struct device_env *env, struct device *device)
{
    struct netlink *nl = NULL;
    struct link_info link;

    if (device->is_isolated && !device_find_link(device, &nl, &link)) {
        isolate_end(env->instance, nl, &device->isolation);
        device->is_isolated = false;
        netlink_close(nl);
    }
}

void
device_close(struct device_env *env, struct device *device, bool keep)
{
    int fd = device->opened.fds[0];
    struct netlink *nl = NULL;
    int home = -1;

    /* Without us the host would be cut off; what another switch has open goes
     * on. */
    take_over_end(device);
    keep = keep && !device->spec.take_over[0]
           && (device->spec.is_lent
               || (device->kind != HELPER_NETDEV
                   && device->kind != HELPER_VETH));
    if (!keep) {
        clear_inside(env, device);
        if (has_char_device(device)) {
            tap_forget(device);
        }
    }
    if (!has_char_device(device)) {
        int netns_fd = ioctl(fd, SIOCGSKNS);

        if (netns_fd >= 0) {
            home = netns_enter(netns_fd);
            close(netns_fd);
        }
    }
    /* Closed before the rest is put back: frames that come now are nobody's. */
    close_fds(&device->opened);
    if (home < 0) {
        return;
    }

    if (!netlink_open(&nl)) {
        if (device->is_made && !keep) {
            link_delete(nl, device->opened.ifindex);
        } else if (device->was_down && !keep) {
            link_change(nl, device->opened.ifindex,
                        &(struct link_change) { .admin = LINK_DOWN });
        }
        if (device->is_isolated && !keep) {
            isolate_end(env->instance, nl, &device->isolation);
        }
    }
    netlink_close(nl);
    netns_leave(home);
}

/* Asks a throw-away tap what the kernel's virtio-net header can carry. */
static uint32_t
probe_features(const struct device_env *env)
{
    uint32_t features = PORT_F_CSUM | PORT_F_TSO4 | PORT_F_TSO6;
    int home = netns_enter(env->private_netns);
    int fd = -1;

    if (home < 0) {
        return features;
    }
    if (!tap_attach("probe", false, false, &fd)) {
        if (!ioctl(fd, TUNSETOFFLOAD, tun_offloads | tun_uso)) {
            features |= PORT_F_USO;
        }
        close(fd);
    }
    netns_leave(home);
    return features;
}

int
device_env_init(struct device_env *env, const char *instance,
                bool keep_taps, struct str *error)
{
    *env = (struct device_env) {
        .instance = instance, .keep_taps = keep_taps,
    };
    env->private_netns = netns_create_private();
    if (env->private_netns < 0) {
        str_setf(error, "make a network namespace: %s",
                 strerror(-env->private_netns));
        return env->private_netns;
    }
    env->features = probe_features(env);
    return 0;
}

void
device_env_fini(struct device_env *env)
{
    close(env->private_netns);
}
