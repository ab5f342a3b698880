#include "intent/dhcp6_value.h"

#include "intent/value.h"

/* ---- ntp ---- */

static const struct member ip6_item = { .name = "server",
                                        .type = &value_ip6 };

static bool
parse_ntp(const struct member *member UNUSED, const struct node *node,
          void *value, struct diagnostics *diagnostics)
{
    struct network_dhcp6 *dhcp6 = value;

    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        if (dhcp6->n_ntp == NETWORK_MAX_SERVERS) {
            node_error(item, diagnostics, "more than %d servers",
                       NETWORK_MAX_SERVERS);
            return false;
        }
        if (!value_ip6.parse(&ip6_item, item, &dhcp6->ntp[dhcp6->n_ntp],
                             diagnostics)) {
            return false;
        }
        dhcp6->n_ntp++;
    }
    return true;
}

static json_t *
format_ntp(const struct member *member UNUSED, const void *value)
{
    const struct network_dhcp6 *dhcp6 = value;
    json_t *list = json_array();

    for (unsigned int i = 0; i < dhcp6->n_ntp; i++) {
        json_array_append_new(list, value_ip6.format(&ip6_item,
                                                     &dhcp6->ntp[i]));
    }
    return list;
}

static json_t *
schema_ntp(const struct member *member UNUSED)
{
    return schema_list(schema_text(PATTERN_IP6), NETWORK_MAX_SERVERS);
}

static const struct value_type value_ntp6 = {
    "a list of IPv6 addresses", parse_ntp, format_ntp, schema_ntp,
};

/* ---- The whole ---- */

#define AT(M) MEMBER_AT(network_dhcp6, M)

static const struct member members[] = {
    { .name = "lease", .type = &value_duration, AT(lease_time), .min = 60,
      .max = 31536000, .fallback = "1h",
      .doc = "how long an address is granted" },
    { .name = "ntp", .type = &value_ntp6, .doc = "time servers" },
    { .name = "boot", .type = &value_text, AT(boot_file),
      .doc = "where guests boot from: a URL like "
             "tftp://[fd00::5]/boot.efi" },
    { .name = "refresh", .type = &value_duration, AT(refresh_time),
      .min = 600, .max = 31536000, .fallback = "1d",
      .doc = "how long guests that only ask for servers believe the answer" },
    { 0 },
};

static bool
parse_dhcp6(const struct member *member UNUSED, const struct node *node,
            void *value, struct diagnostics *diagnostics)
{
    struct network_dhcp6 *dhcp6 = value;

    return members_parse(members, "'dhcp6'", node, dhcp6, &dhcp6->given,
                         NULL, diagnostics);
}

static json_t *
format_dhcp6(const struct member *member UNUSED, const void *value)
{
    const struct network_dhcp6 *dhcp6 = value;

    return members_format(members, dhcp6, dhcp6->given);
}

static json_t *
schema_dhcp6(const struct member *member UNUSED)
{
    return members_schema(members);
}

const struct value_type value_dhcp6 = {
    "a map like {lease: 1h}", parse_dhcp6, format_dhcp6, schema_dhcp6,
};

static bool
has(const struct network_dhcp6 *dhcp6, const char *name)
{
    return dhcp6->given >> member_index(members, name) & 1;
}

void
dhcp6_value_fill(struct network_dhcp6 *dhcp6)
{
    if (!has(dhcp6, "lease")) {
        dhcp6->lease_time = 3600;
    }
    if (!has(dhcp6, "refresh")) {
        dhcp6->refresh_time = 86400;
    }
}
