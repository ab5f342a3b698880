#include "service/dhcp6_server.h"

#include "packet/address.h"
#include "service/dhcp6_exchange.h"

static const struct {
    const char *name, *text;
} verdicts[] = {
#define X(ID, NAME, TEXT) [ID] = { NAME, TEXT },
    DHCP6_VERDICTS(X)
#undef X
};

const char *
dhcp6_verdict_name(enum dhcp6_verdict verdict)
{
    return verdicts[verdict].name;
}

const char *
dhcp6_verdict_text(enum dhcp6_verdict verdict)
{
    return verdicts[verdict].text;
}

void
dhcp6_server_init(struct dhcp6_server *s, const struct dhcp6_config *config)
{
    s->config = *config;
}

/* --- Who asks what (RFC 8415, 16) --------------------------------------- */

/* What each type of a client's message must have. */
static const struct rule {
    bool is_clients;
    bool needs_client, needs_server, no_server;
    bool no_unicast;              /* RFC 8415, 16: dropped */
    bool no_ia;
} rules[] = {
    [DHCP6_SOLICIT] = { true, .needs_client = true, .no_server = true,
                        .no_unicast = true },
    [DHCP6_REQUEST] = { true, .needs_client = true, .needs_server = true },
    [DHCP6_CONFIRM] = { true, .needs_client = true, .no_server = true,
                        .no_unicast = true },
    [DHCP6_RENEW] = { true, .needs_client = true, .needs_server = true },
    [DHCP6_REBIND] = { true, .needs_client = true, .no_server = true,
                       .no_unicast = true },
    [DHCP6_RELEASE] = { true, .needs_client = true, .needs_server = true },
    [DHCP6_DECLINE] = { true, .needs_client = true, .needs_server = true },
    [DHCP6_INFORMATION_REQUEST] = { true, .no_unicast = true,
                                    .no_ia = true },
};

static bool
has_ia(struct dhcp6_options options)
{
    return dhcp6_option_find(options, DHCP6_OPT_IA_NA).p
           || dhcp6_option_find(options, DHCP6_OPT_IA_TA).p
           || dhcp6_option_find(options, DHCP6_OPT_IA_PD).p;
}

static bool
server_is_us(const struct exchange *x)
{
    return x->server_id.len == sizeof x->duid
           && !memcmp(x->server_id.p, x->duid, sizeof x->duid);
}

/* False, with a verdict: it is not for us, or for nobody. */
static bool
check_rules(struct exchange *x, enum dhcp6_verdict *verdict)
{
    const struct rule *rule = &rules[x->msg.type];

    if (!x->client_id.p && rule->needs_client) {
        *verdict = DHCP6_NO_CLIENT_ID;
    } else if (x->client_id.p && (x->client_id.len < DHCP6_DUID_MIN
                                  || x->client_id.len > DHCP6_DUID_MAX)) {
        *verdict = DHCP6_MALFORMED;
    } else if ((!x->server_id.p && rule->needs_server)
               || (x->server_id.p && rule->no_server)
               || (rule->no_ia && has_ia(x->msg.options))) {
        *verdict = DHCP6_INVALID;
    } else if (x->server_id.p && !server_is_us(x)) {
        *verdict = DHCP6_OTHER_SERVER;
    } else if (rule->no_unicast && x->question->is_unicast && !x->n_relays) {
        *verdict = DHCP6_UNICAST;
    } else {
        return true;
    }
    return false;
}

/* Peels off the relays; what is left is the client's. */
static bool
peel(struct exchange *x, struct dhcp6_options *message,
     enum dhcp6_verdict *verdict)
{
    struct dhcp6_options inside = { x->question->data, x->question->len };

    *verdict = DHCP6_MALFORMED;
    while (inside.len && inside.p[0] == DHCP6_RELAY_FORW) {
        struct dhcp6_relay *relay = &x->relays[x->n_relays];

        if (x->n_relays == DHCP6_HOP_LIMIT) {
            *verdict = DHCP6_HOPS;
            return false;
        }
        if (dhcp6_relay_decode(inside.p, inside.len, relay)) {
            return false;
        }
        if (relay->hops >= DHCP6_HOP_LIMIT) {
            *verdict = DHCP6_HOPS;
            return false;
        }
        x->n_relays++;
        inside = dhcp6_option_find(relay->options, DHCP6_OPT_RELAY_MSG);
        if (!inside.p) {
            return false;
        }
    }
    *message = inside;
    return true;
}

/* The relay next to the client that names a link says which (13.1). */
static bool
is_our_link(const struct exchange *x)
{
    const struct dhcp6_config *config = &x->server->config;

    for (unsigned int i = x->n_relays; i-- > 0;) {
        const struct ip6_addr *link = &x->relays[i].link;

        if (ip6_addr_is_set(*link)) {
            return ip6_is_within(*link, config->prefix, config->prefix_len);
        }
    }
    return true;
}

/* The first label of the name that the client gives itself (RFC 4704, 4). */
static void
read_hostname(struct exchange *x)
{
    struct dhcp6_options v = dhcp6_option_find(x->msg.options,
                                               DHCP6_OPT_FQDN);
    size_t n = v.len >= 2 ? v.p[1] : 0;

    x->hostname[0] = '\0';
    if (!n || n > v.len - 2 || n >= sizeof x->hostname) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char c = (char) v.p[2 + i];

        if (c >= 'A' && c <= 'Z') {
            c = (char) (c - 'A' + 'a');
        }
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
              || (c == '-' && i && i < n - 1))) {
            x->hostname[0] = '\0';
            return;
        }
        x->hostname[i] = c;
    }
    x->hostname[n] = '\0';
}

static bool
receive(struct exchange *x, enum dhcp6_verdict *verdict)
{
    struct dhcp6_options bytes;

    if (!peel(x, &bytes, verdict)) {
        return false;
    }
    if (dhcp6_decode(bytes.p, bytes.len, &x->msg)) {
        *verdict = !bytes.len ? DHCP6_NOT_DHCP
                   : bytes.p[0] == DHCP6_RELAY_REPL ? DHCP6_FROM_SERVER
                                                    : DHCP6_MALFORMED;
        return false;
    }
    if (x->msg.type == DHCP6_ADVERTISE || x->msg.type == DHCP6_REPLY
        || x->msg.type == DHCP6_RECONFIGURE) {
        *verdict = DHCP6_FROM_SERVER;
        return false;
    }
    if (x->msg.type >= ARRAY_SIZE(rules) || !rules[x->msg.type].is_clients) {
        *verdict = DHCP6_UNKNOWN_TYPE;
        return false;
    }
    x->client_id = dhcp6_option_find(x->msg.options, DHCP6_OPT_CLIENT_ID);
    x->server_id = dhcp6_option_find(x->msg.options, DHCP6_OPT_SERVER_ID);
    if (!check_rules(x, verdict)) {
        return false;
    }
    if (!is_our_link(x)) {
        *verdict = DHCP6_UNKNOWN_LINK;
        return false;
    }
    if (x->client_id.p) {
        x->client.len = (uint8_t) x->client_id.len;
        memcpy(x->client.bytes, x->client_id.p, x->client_id.len);
    }
    read_hostname(x);
    return true;
}

/* --- The front of an answer, and its end -------------------------------- */

static void
begin_reply(struct exchange *x, enum dhcp6_type type)
{
    struct dhcp6_writer *w = &x->reply;

    dhcp6_writer_init(w, x->bytes, sizeof x->bytes);
    dhcp6_put_u32(w, (uint32_t) type << 24 | x->msg.xid);
    if (x->client_id.p) {
        dhcp6_put_option(w, DHCP6_OPT_CLIENT_ID, x->client_id.p,
                         x->client_id.len);
    }
    dhcp6_put_option(w, DHCP6_OPT_SERVER_ID, x->duid, sizeof x->duid);
}

/* Around the message, from the client's relay outwards (RFC 8415, 19.3). */
static void
wrap(struct exchange *x, const struct dhcp6_relay *relay)
{
    struct dhcp6_options id = dhcp6_option_find(relay->options,
                                                DHCP6_OPT_INTERFACE_ID);
    uint8_t inner[DHCP6_REPLY_MAX];
    size_t len = x->reply.len, start;

    memcpy(inner, x->bytes, len);
    dhcp6_writer_init(&x->reply, x->bytes, sizeof x->bytes);
    dhcp6_put_u8(&x->reply, DHCP6_RELAY_REPL);
    dhcp6_put_u8(&x->reply, relay->hops);
    dhcp6_put(&x->reply, &relay->link, sizeof relay->link);
    dhcp6_put(&x->reply, &relay->peer, sizeof relay->peer);
    if (id.p) {
        dhcp6_put_option(&x->reply, DHCP6_OPT_INTERFACE_ID, id.p, id.len);
    }
    start = dhcp6_begin(&x->reply, DHCP6_OPT_RELAY_MSG);
    dhcp6_put(&x->reply, inner, len);
    dhcp6_end(&x->reply, start);
    x->n_unwrapped += x->reply.n_left_out;
}

/* Relays' envelopes must find room behind what is written first. */
static size_t
room_for_relays(const struct exchange *x)
{
    size_t n = 0;

    for (unsigned int i = 0; i < x->n_relays; i++) {
        n += DHCP6_RELAY_HEADER_LEN + 2 * DHCP6_OPTION_HEADER_LEN
             + dhcp6_option_find(x->relays[i].options,
                                 DHCP6_OPT_INTERFACE_ID).len;
    }
    return n;
}

static void
finish(struct exchange *x)
{
    struct dhcp6_answer *answer = x->answer;

    x->server->n_options_left_out += x->reply.n_left_out;
    for (unsigned int i = x->n_relays; i-- > 0;) {
        wrap(x, &x->relays[i]);
    }
    if (x->n_unwrapped) {
        return;
    }
    answer->is_relayed = x->n_relays > 0;
    answer->len = x->reply.len;
    memcpy(answer->data, x->bytes, x->reply.len);
}

/* --- By type ------------------------------------------------------------ */

/* 18.4: unicast was never allowed to it. */
static enum dhcp6_verdict
tell_multicast(struct exchange *x)
{
    begin_reply(x, DHCP6_REPLY);
    dhcp6_put_status(&x->reply, DHCP6_USE_MULTICAST, "send to ff02::1:2");
    return DHCP6_TOLD_MULTICAST;
}

/* 18.3.1, 18.3.9 */
static enum dhcp6_verdict
on_solicit(struct exchange *x)
{
    x->is_rapid = dhcp6_option_find(x->msg.options,
                                    DHCP6_OPT_RAPID_COMMIT).p != NULL
                  && x->server->config.is_stateful;
    begin_reply(x, x->is_rapid ? DHCP6_REPLY : DHCP6_ADVERTISE);
    if (x->is_rapid) {
        dhcp6_put_option(&x->reply, DHCP6_OPT_RAPID_COMMIT, NULL, 0);
    } else {
        dhcp6_put_option(&x->reply, DHCP6_OPT_PREFERENCE, "\xff", 1);
    }
    exchange_put_ias(x, x->is_rapid ? IA_COMMIT : IA_OFFER);
    exchange_put_parameters(x);
    return !x->n_given ? DHCP6_NOTHING_GIVEN
           : x->is_rapid ? DHCP6_LEASED : DHCP6_ADVERTISED;
}

/* 18.3.2, 18.3.4, 18.3.5 */
static enum dhcp6_verdict
on_request(struct exchange *x)
{
    begin_reply(x, DHCP6_REPLY);
    exchange_put_ias(x, x->msg.type == DHCP6_REQUEST ? IA_COMMIT : IA_RENEW);
    exchange_put_parameters(x);
    return x->n_given ? DHCP6_LEASED : DHCP6_NOTHING_GIVEN;
}

/* 18.3.3: nothing is said of a client that names no address. */
static enum dhcp6_verdict
on_confirm(struct exchange *x)
{
    bool is_on_link = true;
    unsigned int n = exchange_count_addresses(x, &is_on_link);

    if (!n) {
        return DHCP6_NOTHING_KNOWN;
    }
    begin_reply(x, DHCP6_REPLY);
    if (is_on_link) {
        dhcp6_put_status(&x->reply, DHCP6_SUCCESS, "all are of this network");
    } else {
        dhcp6_put_status(&x->reply, DHCP6_NOT_ON_LINK,
                         "another network's address");
    }
    return DHCP6_CONFIRMED;
}

/* 18.3.6, 18.3.7 */
static enum dhcp6_verdict
on_give_up(struct exchange *x)
{
    bool is_release = x->msg.type == DHCP6_RELEASE;

    begin_reply(x, DHCP6_REPLY);
    dhcp6_put_status(&x->reply, DHCP6_SUCCESS, "done");
    exchange_give_up(x);
    return is_release ? DHCP6_RELEASED : DHCP6_DECLINED;
}

/* 18.3.8 */
static enum dhcp6_verdict
on_information_request(struct exchange *x)
{
    be32 refresh = htobe32(x->server->config.refresh_time);

    begin_reply(x, DHCP6_REPLY);
    exchange_put_parameters(x);
    if (refresh) {
        dhcp6_put_option(&x->reply, DHCP6_OPT_REFRESH_TIME, &refresh,
                         sizeof refresh);
    }
    return DHCP6_INFORMED;
}

static enum dhcp6_verdict
handle(struct exchange *x)
{
    enum dhcp6_verdict verdict;

    if (!receive(x, &verdict)) {
        return verdict;
    }
    x->room = room_for_relays(x);
    if (x->room > DHCP6_REPLY_MAX / 2) {
        return DHCP6_HOPS;
    }
    if (x->question->is_unicast && !x->n_relays) {
        return tell_multicast(x);
    }
    switch ((enum dhcp6_type) x->msg.type) {
    case DHCP6_SOLICIT:
        return on_solicit(x);
    case DHCP6_CONFIRM:
        return on_confirm(x);
    case DHCP6_RELEASE:
    case DHCP6_DECLINE:
        return on_give_up(x);
    case DHCP6_INFORMATION_REQUEST:
        return on_information_request(x);
    default:
        return on_request(x);
    }
}

/* DUID-LL (11.4): the network's own MAC stays what it is. */
static void
make_duid(struct exchange *x)
{
    static const uint8_t front[] = { 0, 3, 0, 1 };

    memcpy(x->duid, front, sizeof front);
    memcpy(x->duid + sizeof front, x->server->config.mac.b, 6);
}

enum dhcp6_verdict
dhcp6_server_handle(struct dhcp6_server *s, const struct dhcp6_question *q,
                    struct dhcp6_answer *answer)
{
    struct exchange x = { .server = s, .question = q, .answer = answer };
    enum dhcp6_verdict verdict;

    answer->len = 0;
    answer->changes.n = 0;
    make_duid(&x);
    verdict = handle(&x);
    s->n[verdict]++;
    if (verdict < DHCP6_NOT_DHCP) {
        finish(&x);
    }
    return verdict;
}
