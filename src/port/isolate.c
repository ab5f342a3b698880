#include "port/isolate.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "port/ingress_drop.h"

enum { TABLE_NAME_SIZE = 128 };

/* The file's value as '0' or '1'; -ENOENT without IPv6 here. */
static int
read_disable_ipv6(const char *device)
{
    char path[128], value = 0;
    int fd;

    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
             device);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    if (read(fd, &value, 1) != 1) {
        value = '1';
    }
    close(fd);
    return value;
}

static int
write_disable_ipv6(const char *device, char value)
{
    char path[128];
    int fd, err = 0;

    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
             device);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    if (write(fd, &value, 1) != 1) {
        err = -errno;
    }
    close(fd);
    return err;
}

static void
table_name(char name[TABLE_NAME_SIZE], const char *instance,
           const struct isolation *isolation)
{
    snprintf(name, TABLE_NAME_SIZE, "weft/%s/%u%s", instance,
             isolation->ifindex, isolation->ipv6_was_on ? "/ipv6" : "");
}

/* Whether the device is isolated already, by a run before us that kept it, and
 * had IPv6 before that. */
static bool
inherits_ipv6(const char *instance, unsigned int ifindex)
{
    char table[TABLE_NAME_SIZE];

    table_name(table, instance, &(struct isolation) { ifindex, true });
    return ingress_drop_exists(table);
}

int
isolate_begin(const char *instance, struct netlink *nl,
              const struct link_info *link, struct isolation *result,
              struct str *error)
{
    struct isolation isolation = { .ifindex = link->ifindex };
    char table[TABLE_NAME_SIZE];
    bool has_address = false;
    int err = link_has_ipv6_address(nl, link->ifindex, &has_address);

    if (err) {
        str_setf(error, "IPv6 addresses of %s: %s", link->name,
                 strerror(-err));
        return err;
    }
    isolation.ipv6_was_on = !has_address
                            && (read_disable_ipv6(link->name) == '0'
                                || inherits_ipv6(instance, link->ifindex));

    table_name(table, instance, &isolation);
    err = ingress_drop_add(table, link->name);
    if (err) {
        str_setf(error, "nft table %s: %s", table, strerror(-err));
        return err;
    }

    if (isolation.ipv6_was_on) {
        err = write_disable_ipv6(link->name, '1');
        if (err) {
            str_setf(error, "disable_ipv6 of %s: %s", link->name,
                     strerror(-err));
            isolate_end(instance, nl, &isolation);
            return err;
        }
    }
    *result = isolation;
    return 0;
}

void
isolate_end(const char *instance, struct netlink *nl,
            const struct isolation *isolation)
{
    char table[TABLE_NAME_SIZE];
    struct link_info link;

    /* The device may be gone, or have a new name by now. */
    if (isolation->ipv6_was_on
        && !link_get_by_index(nl, isolation->ifindex, &link)) {
        write_disable_ipv6(link.name, '0');
    }
    table_name(table, instance, isolation);
    ingress_drop_delete(table);
}

/* "weft/lab/12/ipv6": the isolation, when it is `instance`'s. */
static bool
parse_table(const char *table, const char *instance,
            struct isolation *isolation)
{
    char prefix[TABLE_NAME_SIZE];
    int len = snprintf(prefix, sizeof prefix, "weft/%s/", instance);
    unsigned long ifindex;
    char *end;

    if (strncmp(table, prefix, (size_t) len)) {
        return false;
    }
    ifindex = strtoul(table + len, &end, 10);
    if (end == table + len || ifindex > INT_MAX) {
        return false;
    }
    isolation->ifindex = (unsigned int) ifindex;
    isolation->ipv6_was_on = !strcmp(end, "/ipv6");
    return isolation->ipv6_was_on || !*end;
}

struct left_behind {
    const char *instance;
    unsigned int n;
    struct isolation *list;
};

static void
collect(const char *table, void *aux)
{
    struct left_behind *left = aux;
    struct isolation isolation;

    if (parse_table(table, left->instance, &isolation)) {
        left->list = xrealloc(left->list, (left->n + 1)
                                              * sizeof *left->list);
        left->list[left->n++] = isolation;
    }
}

int
isolate_clean(const char *instance, struct netlink *nl,
              bool (*keep)(unsigned int ifindex, void *aux), void *aux)
{
    struct left_behind left = { instance, 0, NULL };
    int n = 0, err = ingress_drop_for_each(collect, &left);

    for (unsigned int i = 0; !err && i < left.n; i++) {
        if (!(keep && keep(left.list[i].ifindex, aux))) {
            isolate_end(instance, nl, &left.list[i]);
            n++;
        }
    }
    free(left.list);
    return err ? err : n;
}
