#include "port/inside.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "port/resolver.h"

enum { ONE_MAX = INET6_ADDRSTRLEN + 4 };      /* with a prefix's length */

/* The next of a list joined by '+'; false: there is none, or one too long. */
static bool
next_of(const char **list, char one[ONE_MAX])
{
    size_t len = strcspn(*list, "+");

    if (!len || len >= ONE_MAX) {
        return false;
    }
    memcpy(one, *list, len);
    one[len] = '\0';
    *list += len + ((*list)[len] == '+');
    return true;
}

static bool
has(const char *list, const char *wanted)
{
    char one[ONE_MAX];

    while (next_of(&list, one)) {
        if (!strcmp(one, wanted)) {
            return true;
        }
    }
    return false;
}

/* ---- What may be asked for ---- */

static bool
is_address(const char *text)
{
    uint8_t address[16];

    return inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, address)
           == 1;
}

static bool
is_prefix(const char *text)
{
    char address[ONE_MAX];
    const char *slash = strchr(text, '/');
    char *end;
    unsigned long len;

    if (!slash || !isdigit((unsigned char) slash[1])) {
        return false;
    }
    snprintf(address, sizeof address, "%.*s", (int) (slash - text), text);
    len = strtoul(slash + 1, &end, 10);
    return !*end && len <= (strchr(address, ':') ? 128 : 32)
           && is_address(address);
}

static bool
is_domain(const char *text)
{
    for (; *text; text++) {
        if (!isalnum((unsigned char) *text) && !strchr("-._", *text)) {
            return false;
        }
    }
    return true;
}

static bool
is_list(const char *list, size_t size, bool (*is_one)(const char *))
{
    char one[ONE_MAX];

    if (!memchr(list, '\0', size)) {
        return false;
    }
    while (*list) {
        if (!next_of(&list, one) || !is_one(one)) {
            return false;
        }
    }
    return true;
}

bool
inside_is_valid(const struct helper_inside *inside)
{
    return is_list(inside->addresses, sizeof inside->addresses, is_prefix)
           && is_list(inside->gateways, sizeof inside->gateways, is_address)
           && is_list(inside->dns, sizeof inside->dns, is_address)
           && memchr(inside->search, '\0', sizeof inside->search)
           && is_domain(inside->search);
}

/* ---- Changing it ---- */

typedef int change_function(struct netlink *, unsigned int ifindex,
                            const char *one);

/* Calls `change` for what is in one list and not in the other. */
static int
for_each_new(struct netlink *nl, unsigned int ifindex, const char *list,
             const char *other, change_function *change, struct str *error)
{
    char one[ONE_MAX];

    while (next_of(&list, one)) {
        int err = has(other, one) ? 0 : change(nl, ifindex, one);

        if (err) {
            str_setf(error, "%s: %s", one, strerror(-err));
            return err;
        }
    }
    return 0;
}

static int
add_gateway(struct netlink *nl, unsigned int ifindex, const char *gateway)
{
    int err = link_add_gateway(nl, ifindex, gateway);

    return err == -EEXIST ? 0 : err;
}

static int
set_resolver(const char *netns, const char *owner,
             const struct helper_inside *inside, struct str *error)
{
    struct str lines = STR_INIT;
    const char *list = inside->dns;
    char one[ONE_MAX];
    int err;

    while (next_of(&list, one)) {
        str_addf(&lines, "nameserver %s\n", one);
    }
    if (inside->search[0]) {
        str_addf(&lines, "search %s\n", inside->search);
    }
    err = resolver_set(netns, owner, str_text(&lines), error);
    str_fini(&lines);
    return err;
}

int
inside_change(struct netlink *nl, unsigned int ifindex, const char *netns,
              const char *owner, const struct helper_inside *was,
              const struct helper_inside *is, struct str *error)
{
    int err;

    /* With an address go the others of its prefix that came after it, and
     * routes: so all that is to be there is added again, which changes nothing
     * where it still is. */
    if ((err = for_each_new(nl, ifindex, was->gateways, is->gateways,
                            link_remove_gateway, error))
        || (err = for_each_new(nl, ifindex, was->addresses, is->addresses,
                               link_remove_address, error))
        || (err = for_each_new(nl, ifindex, is->addresses, "",
                               link_add_address, error))
        || (err = for_each_new(nl, ifindex, is->gateways, "", add_gateway,
                               error))) {
        return err;
    }
    if (is->dns[0]) {
        return set_resolver(netns, owner, is, error);
    }
    if (was->dns[0]) {
        resolver_restore(netns, owner);
    }
    return 0;
}
