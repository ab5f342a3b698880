/* What is to go: what an earlier run of this instance left, and what is in a
 * namespace that its name no longer means. */
#include <stdio.h>

#include "port/device.h"
#include "port/netns.h"

static void
format_prefix(const struct device_env *env, char prefix[64])
{
    snprintf(prefix, 64, "weft:%s:", env->instance);
}

bool
device_is_ours(const struct device_env *env, const struct link_info *link)
{
    char prefix[64];

    format_prefix(env, prefix);
    return !strncmp(link->alias, prefix, strlen(prefix));
}

struct clean_up {
    const char *alias_prefix;
    bool (*keep)(const struct link_info *, void *aux);
    void *aux;
    unsigned int ifindexes[64];
    unsigned int n;
};

static int
delete_left_over(struct netlink *nl, unsigned int ifindex)
{
    struct link_info link;

    if (!link_get_by_index(nl, ifindex, &link)) {
        take_over_clean(nl, &link);
    }
    return link_delete(nl, ifindex);
}

static bool
note_left_over(const struct link_info *link, void *clean_)
{
    struct clean_up *clean = clean_;

    if (!strncmp(link->alias, clean->alias_prefix,
                 strlen(clean->alias_prefix))
        && !(clean->keep && clean->keep(link, clean->aux))) {
        clean->ifindexes[clean->n++] = link->ifindex;
    }
    return clean->n < ARRAY_SIZE(clean->ifindexes);
}

int
device_clean(const struct device_env *env,
             bool (*keep)(const struct link_info *, void *aux), void *aux)
{
    char prefix[64];
    struct clean_up clean = { prefix, keep, aux, { 0 }, 0 };
    struct netlink *nl = NULL;
    int n = 0, err = netlink_open(&nl);

    format_prefix(env, prefix);
    do {
        clean.n = 0;
        if (!err) {
            err = link_for_each(nl, note_left_over, &clean);
        }
        for (unsigned int i = 0; !err && i < clean.n; i++) {
            err = delete_left_over(nl, clean.ifindexes[i]);
            n++;
        }
    } while (!err && clean.n == ARRAY_SIZE(clean.ifindexes));
    netlink_close(nl);
    return err ? err : n;
}

bool
device_is_stale(const struct device *device)
{
    uint64_t now;

    if (!device->is_made || !device->spec.netns[0]) {
        return false;
    }
    now = netns_id_of(device->spec.netns);
    return now ? now != device->netns : device->is_adopted;
}

void
device_delete_link(struct device *device)
{
    struct netlink *nl = NULL;
    struct link_info link;

    if (!device_find_link(device, &nl, &link)) {
        link_delete(nl, link.ifindex);
        netlink_close(nl);
    }
}
