#include "port/isolate.h"

#include <fcntl.h>
#include <limits.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TABLE_NAME_SIZE = 128 };

/* Runs nft commands; with `output`, what they print is added there. */
static int
run_nft(const char *commands, struct str *output, struct str *error)
{
    struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
    int err = 0;

    if (!nft) {
        return -ENOMEM;
    }
    nft_ctx_buffer_output(nft);
    nft_ctx_buffer_error(nft);
    errno = 0;
    if (nft_run_cmd_from_buffer(nft, commands)) {
        err = errno ? -errno : -EIO;
        str_setf(error, "nft: %s", nft_ctx_get_error_buffer(nft));
        if (error) {
            str_chomp(error, "\n ^");
        }
    } else if (output) {
        str_add(output, nft_ctx_get_output_buffer(nft));
    }
    nft_ctx_free(nft);
    return err;
}

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
    char table[TABLE_NAME_SIZE], command[TABLE_NAME_SIZE + 32];

    table_name(table, instance, &(struct isolation) { ifindex, true });
    snprintf(command, sizeof command, "list table netdev %s", table);
    return !run_nft(command, NULL, NULL);
}

int
isolate_begin(const char *instance, struct netlink *nl,
              const struct link_info *link, struct isolation *result,
              struct str *error)
{
    struct isolation isolation = { .ifindex = link->ifindex };
    struct str commands = STR_INIT;
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
    str_addf(&commands,
             "add table netdev %s\n"
             "add chain netdev %s ingress { type filter hook ingress"
             " device \"%s\" priority -500; policy drop; }\n",
             table, table, link->name);
    err = run_nft(str_text(&commands), NULL, error);
    str_fini(&commands);
    if (err) {
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
    char table[TABLE_NAME_SIZE], command[TABLE_NAME_SIZE + 32];
    struct link_info link;

    /* The device may be gone, or have a new name by now. */
    if (isolation->ipv6_was_on
        && !link_get_by_index(nl, isolation->ifindex, &link)) {
        write_disable_ipv6(link.name, '0');
    }
    table_name(table, instance, isolation);
    snprintf(command, sizeof command, "delete table netdev %s", table);
    run_nft(command, NULL, NULL);
}

/* "table netdev weft/lab/12/ipv6": the isolation, when it is `instance`'s. */
static bool
parse_table(const char *line, const char *instance,
            struct isolation *isolation)
{
    char prefix[TABLE_NAME_SIZE];
    int len = snprintf(prefix, sizeof prefix, "table netdev weft/%s/",
                       instance);
    unsigned long ifindex;
    char *end;

    if (strncmp(line, prefix, (size_t) len)) {
        return false;
    }
    ifindex = strtoul(line + len, &end, 10);
    if (end == line + len || ifindex > INT_MAX) {
        return false;
    }
    isolation->ifindex = (unsigned int) ifindex;
    isolation->ipv6_was_on = !strcmp(end, "/ipv6");
    return isolation->ipv6_was_on || !*end;
}

int
isolate_clean(const char *instance, struct netlink *nl,
              bool (*keep)(unsigned int ifindex, void *aux), void *aux)
{
    struct str tables = STR_INIT;
    int n = 0, err = run_nft("list tables netdev", &tables, NULL);
    char *text, *line, *rest;

    if (err) {
        str_fini(&tables);
        return err;
    }
    text = rest = str_steal(&tables);
    while (rest && (line = strsep(&rest, "\n"))) {
        struct isolation isolation;

        if (parse_table(line, instance, &isolation)
            && !(keep && keep(isolation.ifindex, aux))) {
            isolate_end(instance, nl, &isolation);
            n++;
        }
    }
    free(text);
    return n;
}
