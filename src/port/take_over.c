#include "port/take_over.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "port/device.h"

int
take_over_check(const struct device_env *env, struct netlink *nl,
                const struct device *device, struct str *error)
{
    const char *from = device->spec.take_over;
    struct link_info link;
    bool has_address = false;
    int err = link_get(nl, from, &link);

    if (err) {
        str_setf(error, "%s: find it: %s", from, strerror(-err));
        return err;
    }
    if (!link.is_ethernet) {
        str_setf(error, "%s: is no Ethernet device", from);
        return -EOPNOTSUPP;
    }
    err = link_has_address(nl, link.ifindex, AF_UNSPEC, &has_address);
    if (err || has_address) {
        return err;
    }
    if (!link_get(nl, device->spec.device, &link)
        && device_is_ours(env, &link)) {
        return 0;                 /* an earlier run's, which has them */
    }
    str_setf(error, "%s carries no addresses of this host", from);
    return -EADDRNOTAVAIL;
}

static int
find_both(struct netlink *nl, const struct device *device,
          struct link_info *from, struct link_info *tap, struct str *error)
{
    int err = link_get(nl, device->spec.take_over, from);

    if (!err) {
        err = link_get(nl, device->spec.device, tap);
    }
    if (err) {
        str_setf(error, "%s cannot stand in for %s: %s", device->spec.device,
                 device->spec.take_over, strerror(-err));
    }
    return err;
}

int
take_over_dress(struct netlink *nl, const struct device *device,
                struct str *error)
{
    struct link_info from, tap;
    int err = find_both(nl, device, &from, &tap, error);

    if (err) {
        return err;
    }
    err = link_change(nl, tap.ifindex, &(struct link_change) {
        .mtu = from.mtu,
        .mac = eth_addr_eq(from.mac, tap.mac) ? NULL : &from.mac,
    });
    if (err) {
        str_setf(error, "%s cannot look like %s: %s", tap.name, from.name,
                 strerror(-err));
    }
    return err;
}

int
take_over_begin(struct netlink *nl, struct device *device, struct str *error)
{
    struct take_over *t = &device->take_over;
    struct link_info from, tap;
    int err = find_both(nl, device, &from, &tap, error);

    if (err) {
        return err;
    }
    err = contacts_find(nl, from.ifindex, &t->contacts);
    if (err) {
        str_setf(error, "neighbours of %s: %s", from.name, strerror(-err));
        return err;
    }
    err = address_move(nl, &from, &tap, error);
    if (err) {
        return err;
    }
    contacts_introduce(nl, tap.ifindex, &t->contacts);
    t->is_begun = true;
    t->is_watched = t->contacts.n;
    t->deadline = clock_msec() + TAKE_OVER_CONTACT_MS;
    log_info("port", "%s stands in for %s: this host's addresses moved",
             tap.name, from.name);
    return 0;
}

static void
give_back(struct netlink *nl, const struct link_info *tap, const char *to)
{
    struct contacts contacts = { 0 };
    struct str error = STR_INIT;
    struct link_info device;
    int err = link_get(nl, to, &device);

    if (err) {
        log_error("port", "%s cannot be given its addresses back: %s", to,
                  strerror(-err));
        return;
    }
    contacts_find(nl, tap->ifindex, &contacts);
    if (address_move(nl, tap, &device, &error)) {
        log_error("port", "%s", str_text(&error));
    } else {
        contacts_introduce(nl, device.ifindex, &contacts);
        log_info("port", "%s has its addresses back from %s", to, tap->name);
    }
    str_fini(&error);
}

void
take_over_end(struct device *device)
{
    struct netlink *nl = NULL;
    struct link_info tap;

    if (!device->take_over.is_begun) {
        return;
    }
    device->take_over.is_begun = device->take_over.is_watched = false;
    if (!device_find_link(device, &nl, &tap)) {
        give_back(nl, &tap, device->spec.take_over);
        netlink_close(nl);
    }
}

bool
take_over_watch(struct device *device, msec now)
{
    struct take_over *t = &device->take_over;
    struct netlink *nl = NULL;
    struct link_info tap;
    bool is_lost = false;

    if (!t->is_watched || device_find_link(device, &nl, &tap)) {
        return false;
    }
    if (contacts_have_answered(nl, tap.ifindex, &t->contacts)) {
        t->is_watched = false;
    } else if (now < t->deadline) {
        contacts_ask(nl, tap.ifindex, &t->contacts);
    } else {
        is_lost = true;
        log_warn("port", "contact was lost: none of %u neighbours answers "
                 "%s; everything goes back to %s", t->contacts.n, tap.name,
                 device->spec.take_over);
        take_over_end(device);
        /* Who holds the port sees that nothing is behind it. */
        link_change(nl, tap.ifindex,
                    &(struct link_change) { .admin = LINK_DOWN });
    }
    netlink_close(nl);
    return is_lost;
}

void
take_over_clean(struct netlink *nl, const struct link_info *tap)
{
    const char *from = strstr(tap->alias, ",from=");

    if (from) {
        give_back(nl, tap, from + strlen(",from="));
    }
}
