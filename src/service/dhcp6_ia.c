#include "packet/address.h"
#include "service/dhcp6_exchange.h"

static bool
is_on_link(const struct exchange *x, const struct ip6_addr *addr)
{
    const struct dhcp6_config *config = &x->server->config;

    return ip6_is_within(*addr, config->prefix, config->prefix_len);
}

/* The next whole address of an IA. */
static bool
next_address(struct dhcp6_options *left, struct dhcp6_address *out)
{
    struct dhcp6_option option;

    while (dhcp6_options_next(left, &option)) {
        if (option.code == DHCP6_OPT_ADDRESS
            && dhcp6_address_decode(option.value, out)) {
            return true;
        }
    }
    return false;
}

unsigned int
exchange_count_addresses(const struct exchange *x, bool *all_on_link)
{
    struct dhcp6_options left = x->msg.options;
    struct dhcp6_option option;
    struct dhcp6_address a;
    struct dhcp6_ia ia;
    unsigned int n = 0;

    while (dhcp6_options_next(&left, &option)) {
        if (option.code != DHCP6_OPT_IA_NA
            || !dhcp6_ia_decode(option.value, &ia)) {
            continue;
        }
        while (next_address(&ia.options, &a)) {
            *all_on_link &= is_on_link(x, &a.addr);
            n++;
        }
    }
    return n;
}

/* --- One IA ------------------------------------------------------------- */

static struct lease6_holder
holder(const struct exchange *x, const struct dhcp6_ia *ia)
{
    static const struct eth_addr unknown;

    return (struct lease6_holder) {
        x->question->port, &x->client, ia->iaid,
        x->n_relays ? unknown : x->question->mac,
    };
}

/* A port's plan is for its own NIC: not for what is behind a relay there. */
static int
choose(const struct exchange *x, const struct lease6_holder *h,
       struct ip6_addr *addr)
{
    const struct dhcp6_config *config = &x->server->config;
    struct lease6_subnet subnet = {
        .prefix = config->prefix, .len = config->prefix_len,
        .gateway = config->gateway, .seed = config->seed,
        .is_planned = config->is_planned, .aux = config->aux,
    };

    if (!x->n_relays) {
        subnet.planned = x->question->planned;
    }
    return lease6_choose(config->leases, h, &subnet, x->question->now, addr);
}

static void
put_address(struct exchange *x, const struct ip6_addr *addr,
            uint32_t preferred, uint32_t valid)
{
    size_t start = dhcp6_begin(&x->reply, DHCP6_OPT_ADDRESS);

    dhcp6_put(&x->reply, addr, sizeof *addr);
    dhcp6_put_u32(&x->reply, preferred);
    dhcp6_put_u32(&x->reply, valid);
    dhcp6_end(&x->reply, start);
}

/* A client begins to renew at half of the preferred lifetime (14.2). */
static uint32_t
preferred_of(uint32_t valid)
{
    return valid == DHCP6_INFINITY ? valid : valid / 8 * 5 + valid % 8;
}

static size_t
begin_ia(struct exchange *x, uint16_t code, uint32_t iaid, uint32_t preferred)
{
    size_t start = dhcp6_begin(&x->reply, code);
    bool is_forever = preferred == DHCP6_INFINITY;

    dhcp6_put_u32(&x->reply, iaid);
    dhcp6_put_u32(&x->reply, is_forever ? preferred : preferred / 2);
    dhcp6_put_u32(&x->reply, is_forever ? preferred : preferred / 5 * 4);
    return start;
}

static void
refuse(struct exchange *x, uint16_t code, uint32_t iaid,
       enum dhcp6_status status, const char *why)
{
    size_t start = begin_ia(x, code, iaid, 0);

    dhcp6_put_status(&x->reply, status, why);
    dhcp6_end(&x->reply, start);
}

static void
bind_lease(struct exchange *x, const struct lease6_holder *h,
           const struct ip6_addr *addr)
{
    const struct dhcp6_config *config = &x->server->config;
    uint32_t valid = config->lease_time;
    struct lease6_record record = {
        .addr = *addr, .state = LEASE_BOUND, .iaid = h->iaid,
        .expires = valid == DHCP6_INFINITY ? LEASE_FOREVER
                                           : x->question->now + valid,
        .client = x->client, .mac = h->mac,
    };

    assert(strlen(h->port) < sizeof record.port);
    memcpy(record.port, h->port, strlen(h->port));
    memcpy(record.hostname, x->hostname, sizeof record.hostname);
    lease6_bind(config->leases, h, &record, &x->answer->changes);
}

/* What the client has and shall not use any more (18.3.4, 18.3.5). */
static void
end_others(struct exchange *x, const struct dhcp6_ia *ia,
           const struct ip6_addr *keep)
{
    struct dhcp6_options left = ia->options;
    struct dhcp6_address a;

    while (next_address(&left, &a)) {
        if (!keep || !ip6_addr_eq(a.addr, *keep)) {
            put_address(x, &a.addr, 0, 0);
        }
    }
}

static bool
names_other_link(const struct exchange *x, const struct dhcp6_ia *ia)
{
    struct dhcp6_options left = ia->options;
    struct dhcp6_address a;

    while (next_address(&left, &a)) {
        if (!is_on_link(x, &a.addr)) {
            return true;
        }
    }
    return false;
}

static void
refuse_address(struct exchange *x, const struct dhcp6_ia *ia,
               enum ia_purpose purpose, int err)
{
    size_t start = begin_ia(x, DHCP6_OPT_IA_NA, ia->iaid, 0);

    if (purpose == IA_RENEW) {
        end_others(x, ia, NULL);
    }
    dhcp6_put_status(&x->reply, DHCP6_NO_ADDRS_AVAIL,
                     err == -EDQUOT ? "the port has its share"
                     : err == -EOPNOTSUPP ? "choose it yourself"
                                          : "none is free");
    dhcp6_end(&x->reply, start);
}

static void
put_ia_na(struct exchange *x, const struct dhcp6_ia *ia,
          enum ia_purpose purpose)
{
    uint32_t valid = x->server->config.lease_time;
    uint32_t preferred = preferred_of(valid);
    struct lease6_holder h = holder(x, ia);
    struct ip6_addr addr;
    size_t start;
    int err;

    if (purpose == IA_COMMIT && !x->is_rapid && names_other_link(x, ia)) {
        refuse(x, DHCP6_OPT_IA_NA, ia->iaid, DHCP6_NOT_ON_LINK,
               "another network's address");
        return;
    }
    err = !x->server->config.is_stateful ? -EOPNOTSUPP
          : x->n_ias++ < DHCP6_MAX_IAS ? choose(x, &h, &addr) : -EDQUOT;
    if (err) {
        refuse_address(x, ia, purpose, err);
        return;
    }
    if (purpose != IA_OFFER) {
        bind_lease(x, &h, &addr);
    }
    start = begin_ia(x, DHCP6_OPT_IA_NA, ia->iaid, preferred);
    put_address(x, &addr, preferred, valid);
    if (purpose == IA_RENEW) {
        end_others(x, ia, &addr);
    }
    dhcp6_end(&x->reply, start);
    x->n_given++;
}

/* --- All IAs ------------------------------------------------------------ */

/* An IA_TA is an IAID alone. */
static void
refuse_temporary(struct exchange *x, struct dhcp6_options value)
{
    struct cursor c = cursor_init(value.p, value.len);
    uint32_t iaid = cursor_u32(&c);
    size_t start;

    if (cursor_overrun(&c)) {
        return;
    }
    start = dhcp6_begin(&x->reply, DHCP6_OPT_IA_TA);
    dhcp6_put_u32(&x->reply, iaid);
    dhcp6_put_status(&x->reply, DHCP6_NO_ADDRS_AVAIL,
                     "no temporary addresses here");
    dhcp6_end(&x->reply, start);
}

void
exchange_put_ias(struct exchange *x, enum ia_purpose purpose)
{
    struct dhcp6_options left = x->msg.options;
    struct dhcp6_option option;
    struct dhcp6_ia ia;

    x->reply.size -= x->room;
    while (dhcp6_options_next(&left, &option)) {
        if (option.code == DHCP6_OPT_IA_TA) {
            refuse_temporary(x, option.value);
        } else if (option.code == DHCP6_OPT_IA_NA
                   && dhcp6_ia_decode(option.value, &ia)) {
            put_ia_na(x, &ia, purpose);
        } else if (option.code == DHCP6_OPT_IA_PD
                   && dhcp6_ia_decode(option.value, &ia)) {
            refuse(x, DHCP6_OPT_IA_PD, ia.iaid, DHCP6_NO_PREFIX_AVAIL,
                   "no prefixes here");
        }
    }
    x->reply.size += x->room;
}

/* True: all that it gives up was its own. */
static bool
give_up_ia(struct exchange *x, const struct dhcp6_ia *ia)
{
    struct lease6_table *leases = x->server->config.leases;
    struct lease6_changes *changes = &x->answer->changes;
    struct lease6_holder h = holder(x, ia);
    struct dhcp6_options left = ia->options;
    struct dhcp6_address a;
    bool is_release = x->msg.type == DHCP6_RELEASE, all = true;
    unix_sec now = x->question->now;

    while (next_address(&left, &a)) {
        all &= !(is_release
                 ? lease6_release(leases, &h, &a.addr, now, changes)
                 : lease6_decline(leases, &h, &a.addr, now, changes));
    }
    return all;
}

void
exchange_give_up(struct exchange *x)
{
    struct dhcp6_options left = x->msg.options;
    struct dhcp6_option option;
    struct dhcp6_ia ia;

    x->reply.size -= x->room;
    while (dhcp6_options_next(&left, &option)) {
        bool is_prefix = option.code == DHCP6_OPT_IA_PD;

        if ((option.code != DHCP6_OPT_IA_NA && !is_prefix)
            || !dhcp6_ia_decode(option.value, &ia)) {
            continue;
        }
        if (is_prefix || x->n_ias++ >= DHCP6_MAX_IAS
            || !give_up_ia(x, &ia)) {
            refuse(x, option.code, ia.iaid, DHCP6_NO_BINDING,
                   "it is not yours");
        }
    }
    x->reply.size += x->room;
}

/* --- Parameters --------------------------------------------------------- */

static void
put_names(struct exchange *x)
{
    size_t start = dhcp6_begin(&x->reply, DHCP6_OPT_DOMAINS);

    dhcp6_put_name(&x->reply, x->server->config.domain);
    dhcp6_end(&x->reply, start);
}

/* RFC 5908: each server is an option of its own within. */
static void
put_ntp(struct exchange *x)
{
    enum { NTP_SERVER_ADDRESS = 1 };
    const struct dhcp6_config *config = &x->server->config;
    size_t start = dhcp6_begin(&x->reply, DHCP6_OPT_NTP);

    for (unsigned int i = 0; i < config->n_ntp; i++) {
        dhcp6_put_option(&x->reply, NTP_SERVER_ADDRESS, &config->ntp[i],
                         sizeof config->ntp[i]);
    }
    dhcp6_end(&x->reply, start);
}

void
exchange_put_parameters(struct exchange *x)
{
    const struct dhcp6_config *config = &x->server->config;
    struct dhcp6_options oro = dhcp6_option_find(x->msg.options,
                                                 DHCP6_OPT_ORO);

    x->reply.size -= x->room;
    if (config->n_dns && dhcp6_is_wanted(oro, DHCP6_OPT_DNS)) {
        dhcp6_put_option(&x->reply, DHCP6_OPT_DNS, config->dns,
                         config->n_dns * sizeof config->dns[0]);
    }
    if (config->domain && dhcp6_is_wanted(oro, DHCP6_OPT_DOMAINS)) {
        put_names(x);
    }
    if (config->n_ntp && dhcp6_is_wanted(oro, DHCP6_OPT_NTP)) {
        put_ntp(x);
    }
    if (config->boot_file && dhcp6_is_wanted(oro, DHCP6_OPT_BOOT_FILE)) {
        dhcp6_put_option(&x->reply, DHCP6_OPT_BOOT_FILE, config->boot_file,
                         strlen(config->boot_file));
    }
    x->reply.size += x->room;
}
