#include "service/dhcp_options.h"

#include "packet/address.h"

enum { LABEL_MAX = 63, NAME_MAX_LEN = 255 };

/* The server's own business: the operator cannot set them. */
static bool
is_protocol(uint8_t code)
{
    static const uint8_t codes[] = {
        DHCP_OPT_PAD, DHCP_OPT_REQUESTED_ADDRESS, DHCP_OPT_LEASE_TIME,
        DHCP_OPT_OVERLOAD, DHCP_OPT_TYPE, DHCP_OPT_SERVER_ID,
        DHCP_OPT_PARAMETERS, DHCP_OPT_MESSAGE, DHCP_OPT_MAX_SIZE,
        DHCP_OPT_CLIENT_ID, DHCP_OPT_RAPID_COMMIT, DHCP_OPT_RELAY,
        DHCP_OPT_END,
    };

    return memchr(codes, code, sizeof codes);
}

/* Boot options are for those that ask. */
static bool
is_usual(uint8_t code)
{
    return code != DHCP_OPT_BOOT_SERVER && code != DHCP_OPT_BOOT_FILE
           && code != DHCP_OPT_TFTP_SERVERS;
}

static void
begin(struct dhcp_option_set *set, uint8_t code)
{
    if (!set->at[code].is_there && is_usual(code)) {
        set->usual[set->n_usual++] = code;
    }
    set->at[code].is_there = true;
    set->at[code].ofs = (uint16_t) set->bytes.len;
    set->at[code].len = 0;
}

static void
add(struct dhcp_option_set *set, uint8_t code, const void *p, size_t len)
{
    str_add_bytes(&set->bytes, p, len);
    set->at[code].len = (uint16_t) (set->at[code].len + len);
}

static void
put(struct dhcp_option_set *set, uint8_t code, const void *p, size_t len)
{
    if (len) {
        begin(set, code);
        add(set, code, p, len);
    }
}

static void
put_text(struct dhcp_option_set *set, uint8_t code, const char *text)
{
    put(set, code, text ? text : "", text ? strlen(text) : 0);
}

/* RFC 3442: a prefix has as many bytes as it needs. */
static void
put_route(struct dhcp_option_set *set, be32 destination, uint8_t len,
          be32 gateway)
{
    add(set, DHCP_OPT_ROUTES, &len, 1);
    add(set, DHCP_OPT_ROUTES, &destination, (len + 7u) / 8);
    add(set, DHCP_OPT_ROUTES, &gateway, sizeof gateway);
}

static int
put_routes(struct dhcp_option_set *set, const struct dhcp_subnet *subnet,
           struct str *error)
{
    bool has_default = false;

    if (!subnet->n_routes) {
        return 0;
    }
    begin(set, DHCP_OPT_ROUTES);
    for (unsigned int i = 0; i < subnet->n_routes; i++) {
        const struct dhcp_static_route *r = &subnet->routes[i];

        if (r->prefix_len > 32) {
            str_setf(error, "a route's prefix is longer than 32 bits");
            return -EINVAL;
        }
        put_route(set, r->destination & ip4_mask(r->prefix_len),
                  r->prefix_len, r->gateway);
        has_default = has_default || !r->prefix_len;
    }
    /* Who reads this option does not read the router option. */
    if (subnet->router && !has_default) {
        put_route(set, 0, 0, subnet->router);
    }
    return 0;
}

/* RFC 3397, without compression. */
static int
put_name(struct dhcp_option_set *set, const char *name, struct str *error)
{
    size_t total = 1;
    uint8_t zero = 0;

    for (const char *p = name; *p;) {
        uint8_t len = (uint8_t) MIN(strcspn(p, "."), (size_t) LABEL_MAX + 1);

        total += len + 1u;
        if (!len || len > LABEL_MAX || total > NAME_MAX_LEN) {
            str_setf(error, "'%s' is no domain name", name);
            return -EINVAL;
        }
        add(set, DHCP_OPT_SEARCH, &len, 1);
        add(set, DHCP_OPT_SEARCH, p, len);
        p += len;
        p += *p == '.';
    }
    add(set, DHCP_OPT_SEARCH, &zero, 1);
    return 0;
}

static int
put_search(struct dhcp_option_set *set, const struct dhcp_subnet *subnet,
           struct str *error)
{
    int err = 0;

    if (subnet->n_search) {
        begin(set, DHCP_OPT_SEARCH);
    }
    for (unsigned int i = 0; i < subnet->n_search && !err; i++) {
        err = put_name(set, subnet->search[i], error);
    }
    return err;
}

static int
put_extras(struct dhcp_option_set *set, const struct dhcp_subnet *subnet,
           struct str *error)
{
    for (unsigned int i = 0; i < subnet->n_extras; i++) {
        const struct dhcp_item *extra = &subnet->extras[i];

        if (is_protocol(extra->code)) {
            str_setf(error, "option %u is the DHCP server's own business",
                     extra->code);
            return -EINVAL;
        }
        begin(set, extra->code);
        add(set, extra->code, extra->value, extra->len);
    }
    return 0;
}

int
dhcp_option_set_init(struct dhcp_option_set *set,
                     const struct dhcp_subnet *subnet, struct str *error)
{
    be32 mask = ip4_mask(subnet->prefix_len), server;
    be16 mtu = htobe16(subnet->mtu);
    be32 broadcast = subnet->network | ~mask;
    int err;

    *set = (struct dhcp_option_set) { .bytes = STR_INIT };
    put(set, DHCP_OPT_MASK, &mask, sizeof mask);    /* before the router */
    put(set, DHCP_OPT_ROUTER, &subnet->router, subnet->router ? 4 : 0);
    put(set, DHCP_OPT_DNS, subnet->dns, subnet->n_dns * sizeof *subnet->dns);
    put_text(set, DHCP_OPT_DOMAIN, subnet->domain);
    put(set, DHCP_OPT_BROADCAST, &broadcast, subnet->prefix_len < 31 ? 4 : 0);
    put(set, DHCP_OPT_MTU, &mtu, mtu ? sizeof mtu : 0);
    put(set, DHCP_OPT_NTP, subnet->ntp, subnet->n_ntp * sizeof *subnet->ntp);
    put_text(set, DHCP_OPT_BOOT_SERVER, subnet->boot_server);
    put_text(set, DHCP_OPT_BOOT_FILE, subnet->boot_file);
    if (subnet->boot_server && ip4_parse(subnet->boot_server, &server)) {
        put(set, DHCP_OPT_TFTP_SERVERS, &server, sizeof server);
    }
    err = put_routes(set, subnet, error);
    if (!err) {
        err = put_search(set, subnet, error);
    }
    if (!err) {
        err = put_extras(set, subnet, error);
    }
    if (!err && set->bytes.len > UINT16_MAX) {
        str_setf(error, "more options than fit into a message");
        err = -EINVAL;
    }
    if (err) {
        dhcp_option_set_fini(set);
    }
    return err;
}

void
dhcp_option_set_fini(struct dhcp_option_set *set)
{
    str_fini(&set->bytes);
}
