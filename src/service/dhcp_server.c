#include "service/dhcp_server.h"

#include <stdlib.h>

#include "packet/address.h"
#include "service/dhcp_fqdn.h"
#include "service/dhcp_served.h"

enum { MAX_ITEMS = 256 };

#define EVERYBODY UINT32_MAX      /* 255.255.255.255 */

struct dhcp_server {
    be32 address;
    struct eth_addr mac;
    unsigned int n_subnets;
    struct dhcp_served *subnets;
    struct dhcp_server_counters counters;
};

/* One question on its way to its answer. */
struct exchange {
    struct dhcp_server *server;
    const struct dhcp_question *question;
    struct dhcp_answer *answer;
    const struct dhcp_served *subnet;
    struct udp4 udp;
    enum dhcp_type type;
    struct lease_client client;
    struct lease_holder holder;
    char hostname[LEASE_HOSTNAME_MAX];    /* empty: none that we believe */
    bool is_rapid;                /* two messages, not four */
    be32 server_id;               /* how this client knows us */
    uint8_t fqdn[DHCP_FQDN_MAX];  /* the answer's option 81 */
    struct dhcp_message msg;
};

/* --- Configuration ------------------------------------------------------ */

struct dhcp_server *
dhcp_server_create(void)
{
    return xzalloc(sizeof(struct dhcp_server));
}

static void
subnets_destroy(struct dhcp_served *subnets, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        dhcp_served_fini(&subnets[i]);
    }
    free(subnets);
}

void
dhcp_server_destroy(struct dhcp_server *s)
{
    if (s) {
        subnets_destroy(s->subnets, s->n_subnets);
        free(s);
    }
}

int
dhcp_server_configure(struct dhcp_server *s,
                      const struct dhcp_server_config *config,
                      struct str *error)
{
    struct dhcp_served *subnets = xcalloc(config->n_subnets + 1, sizeof *subnets);

    for (unsigned int i = 0; i < config->n_subnets; i++) {
        int err = dhcp_served_init(&subnets[i], &config->subnets[i],
                                   error);

        if (err) {
            subnets_destroy(subnets, i);
            return err;
        }
    }
    subnets_destroy(s->subnets, s->n_subnets);
    s->subnets = subnets;
    s->n_subnets = config->n_subnets;
    s->address = config->address;
    s->mac = config->mac;
    for (unsigned int i = 0; i < config->n_subnets; i++) {
        dhcp_served_set_ranges(&config->subnets[i], config->address);
    }
    return 0;
}

const struct dhcp_server_counters *
dhcp_server_counters(const struct dhcp_server *s)
{
    return &s->counters;
}

/* --- Who asks what ------------------------------------------------------ */

static const struct dhcp_served *
subnet_of(const struct dhcp_server *s, be32 addr)
{
    for (unsigned int i = 0; i < s->n_subnets; i++) {
        if (dhcp_served_has(&s->subnets[i], addr)) {
            return &s->subnets[i];
        }
    }
    return NULL;
}

/* NULL: behind a relay that we do not serve. */
static const struct dhcp_served *
choose_subnet(const struct exchange *x)
{
    const struct dhcp_header *h = &x->msg.header;
    const struct dhcp_served *subnet;
    struct dhcp_value link;

    if (h->giaddr) {
        link = dhcp_sub_option_find(dhcp_option_find(&x->msg, DHCP_OPT_RELAY),
                                    DHCP_RELAY_LINK);
        return subnet_of(x->server, link.len == 4 ? get_be32(link.p)
                                                  : h->giaddr);
    }
    subnet = h->ciaddr ? subnet_of(x->server, h->ciaddr) : NULL;
    return subnet ? subnet : &x->server->subnets[0];
}

/* Option 61, else the hardware address in the form that most clients give to
 * that option, so that one that begins to send it keeps its lease. */
static bool
identify(struct exchange *x)
{
    struct dhcp_value id = dhcp_option_find(&x->msg, DHCP_OPT_CLIENT_ID);
    const struct dhcp_header *h = &x->msg.header;

    if (id.len > LEASE_CLIENT_MAX) {
        return false;
    }
    if (id.len >= 2) {            /* RFC 2132, 9.14: shorter is none */
        memcpy(x->client.bytes, id.p, id.len);
        x->client.len = (uint8_t) id.len;
    } else {
        x->client.bytes[0] = h->htype;
        memcpy(x->client.bytes + 1, h->chaddr, h->hlen);
        x->client.len = (uint8_t) (1 + h->hlen);
    }
    x->holder.port = x->question->port;
    x->holder.client = &x->client;
    memcpy(x->holder.mac.b, h->chaddr, sizeof x->holder.mac.b);
    return true;
}

/* By its own name, or by the one that its relay gives us (RFC 5107). */
static be32
name_server(const struct exchange *x)
{
    struct dhcp_value override = dhcp_sub_option_find(
        dhcp_option_find(&x->msg, DHCP_OPT_RELAY), DHCP_RELAY_SERVER_ID);

    return x->msg.header.giaddr && override.len == 4 && get_be32(override.p)
           ? get_be32(override.p) : x->server->address;
}

/* The first label, if it is one (RFC 1123, 2.1): it becomes a name. */
static void
read_hostname(struct exchange *x)
{
    struct dhcp_value v = dhcp_option_find(&x->msg, DHCP_OPT_HOSTNAME);
    char label[LEASE_HOSTNAME_MAX];
    size_t n = 0;

    if (!v.p && dhcp_fqdn_label(dhcp_option_find(&x->msg, DHCP_OPT_FQDN),
                                label, sizeof label)) {
        v = (struct dhcp_value) { (const uint8_t *) label, strlen(label) };
    }

    for (; n < v.len && v.p[n] && v.p[n] != '.'; n++) {
        uint8_t c = v.p[n];

        if (c >= 'A' && c <= 'Z') {
            c = (uint8_t) (c - 'A' + 'a');
        }
        if (n == sizeof x->hostname - 1
            || !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                 || (c == '-' && n))) {
            n = 0;
            break;
        }
        x->hostname[n] = (char) c;
    }
    if (n && x->hostname[n - 1] == '-') {
        n = 0;
    }
    x->hostname[n] = '\0';
}

static bool
is_for_us(const struct exchange *x)
{
    const struct dhcp_server *s = x->server;
    be32 dst = x->udp.ip_dst;

    return dst == EVERYBODY || dst == s->address
           || dst == (s->subnets[0].network
                      | ~ip4_mask(s->subnets[0].prefix_len));
}

/* False, with a verdict: nothing to answer. */
static bool
check_header(const struct exchange *x, enum dhcp_verdict *verdict)
{
    const struct dhcp_header *h = &x->msg.header;

    if (h->op != DHCP_REQUEST_OP) {
        *verdict = DHCP_FROM_SERVER;
    } else if (h->htype != DHCP_HTYPE_ETHERNET || h->hlen != 6) {
        *verdict = DHCP_HARDWARE;
    } else if (h->hops > DHCP_MAX_HOPS) {
        *verdict = DHCP_HOPS;
    } else if (!h->giaddr
               && memcmp(h->chaddr, x->udp.eth_src.b, h->hlen)) {
        /* Or one guest could take an address for each MAC it can think of. */
        *verdict = DHCP_FOREIGN_CHADDR;
    } else if (!is_for_us(x)) {
        *verdict = DHCP_OTHER_SERVER;
    } else {
        return true;
    }
    return false;
}

static bool
receive(struct exchange *x, enum dhcp_verdict *verdict)
{
    const struct dhcp_question *q = x->question;
    struct dhcp_value type;
    int err;

    *verdict = DHCP_NOT_DHCP;
    err = x->server->n_subnets ? udp4_decode(q->frame, q->len, &x->udp)
                               : -EPROTO;
    if (err == -EILSEQ) {
        *verdict = DHCP_BAD_CHECKSUM;
    }
    if (err || x->udp.dst_port != DHCP_SERVER_PORT) {
        return false;
    }
    err = dhcp_decode(x->udp.payload, x->udp.payload_len, &x->msg);
    if (err) {
        *verdict = err == -EPROTO ? DHCP_NOT_DHCP : DHCP_MALFORMED;
        return false;
    }
    if (!check_header(x, verdict)) {
        return false;
    }
    type = dhcp_option_find(&x->msg, DHCP_OPT_TYPE);
    if (!type.p) {
        *verdict = DHCP_BOOTP;
        return false;
    }
    if (type.len != 1 || !identify(x)) {
        *verdict = DHCP_MALFORMED;
        return false;
    }
    x->type = *type.p;
    x->subnet = choose_subnet(x);
    if (!x->subnet) {
        *verdict = DHCP_UNKNOWN_RELAY;
        return false;
    }
    x->server_id = name_server(x);
    read_hostname(x);
    return true;
}

/* --- Answers ------------------------------------------------------------ */

struct items {
    unsigned int n;
    uint64_t has[4];              /* by number: never twice */
    struct dhcp_item at[MAX_ITEMS];
};

static void
put(struct items *items, uint8_t code, const void *value, size_t len)
{
    uint64_t bit = UINT64_C(1) << code % 64;

    if (value && !(items->has[code / 64] & bit)) {
        items->has[code / 64] |= bit;
        items->at[items->n++] = (struct dhcp_item) { code, (uint16_t) len,
                                                     value };
    }
}

static void
put_configured(struct items *items, const struct exchange *x, uint8_t code)
{
    struct dhcp_value v = dhcp_option_set_find(&x->subnet->options, code);

    put(items, code, v.p, v.len);
}

/* Who asks what becomes of its name is told. */
static void
put_fqdn(struct items *items, struct exchange *x)
{
    struct dhcp_value asked = dhcp_option_find(&x->msg, DHCP_OPT_FQDN);
    struct dhcp_value v = dhcp_option_set_find(&x->subnet->options,
                                               DHCP_OPT_DOMAIN);
    char domain[DHCP_FQDN_MAX + 1];
    size_t len;

    if (v.len >= sizeof domain) {
        return;
    }
    memcpy(domain, v.p ? v.p : (const uint8_t *) "", v.len);
    domain[v.len] = '\0';
    len = dhcp_fqdn_answer(asked, x->question->hostname,
                           v.len ? domain : NULL, x->fqdn);
    if (len) {
        put(items, DHCP_OPT_FQDN, x->fqdn, len);
    }
}

/* What the client wants to know, in its order (RFC 2132, 9.8); but the mask
 * before the router (3.3), and a frame's length that is not the usual one even
 * if it does not ask: much breaks without. */
static void
put_parameters(struct items *items, struct exchange *x)
{
    const struct dhcp_option_set *set = &x->subnet->options;
    struct dhcp_value wanted = dhcp_option_find(&x->msg,
                                                DHCP_OPT_PARAMETERS);
    const char *hostname = x->question->hostname;
    struct dhcp_value mtu = dhcp_option_set_find(set, DHCP_OPT_MTU);

    put_configured(items, x, DHCP_OPT_MASK);
    put_fqdn(items, x);
    for (size_t i = 0; i < wanted.len; i++) {
        put_configured(items, x, wanted.p[i]);
        if (wanted.p[i] == DHCP_OPT_HOSTNAME && hostname) {
            put(items, DHCP_OPT_HOSTNAME, hostname, strlen(hostname));
        }
    }
    if (!wanted.p) {
        for (unsigned int i = 0; i < set->n_usual; i++) {
            put_configured(items, x, set->usual[i]);
        }
    }
    if (mtu.len == 2 && get_be16(mtu.p) != htobe16(1500)) {
        put(items, DHCP_OPT_MTU, mtu.p, mtu.len);
    }
}

/* RFC 2131, 4.1: whom an answer reaches, and how. */
static void
address_answer(const struct exchange *x, const struct dhcp_header *reply,
               struct udp4 *udp)
{
    const struct dhcp_header *h = &x->msg.header;

    *udp = (struct udp4) {
        .eth_src = x->server->mac,
        .eth_dst = x->udp.eth_src,
        .ip_src = x->server->address,
        .src_port = DHCP_SERVER_PORT,
        .dst_port = DHCP_CLIENT_PORT,
    };
    if (h->giaddr) {
        udp->ip_dst = h->giaddr;
        udp->dst_port = DHCP_SERVER_PORT;
    } else if (x->answer->type != DHCP_NAK && h->ciaddr) {
        udp->ip_dst = h->ciaddr;
    } else if (x->answer->type != DHCP_NAK && reply->yiaddr
               && !(h->flags & DHCP_BROADCAST)) {
        udp->ip_dst = reply->yiaddr;      /* By its MAC: it has no ARP yet. */
    } else {
        udp->ip_dst = EVERYBODY;
        memset(udp->eth_dst.b, 0xff, sizeof udp->eth_dst.b);
    }
}

/* How many bytes of DHCP the client, or its relay, takes. */
static size_t
room_for(const struct exchange *x)
{
    uint16_t size;

    if (!dhcp_option_u16(&x->msg, DHCP_OPT_MAX_SIZE, &size)) {
        size = DHCP_MIN_DATAGRAM;
    }
    size = MIN(MAX(size, (uint16_t) DHCP_MIN_DATAGRAM),
               x->subnet->max_datagram);
    return (size_t) size - DHCP_IP_OVERHEAD;
}

static void
send_answer(struct exchange *x, const struct dhcp_header *reply,
            const struct items *items)
{
    struct dhcp_answer *answer = x->answer;
    unsigned int n_left_out;
    struct udp4 udp;

    address_answer(x, reply, &udp);
    udp.payload_len = dhcp_encode(reply, items->at, items->n,
                                  answer->frame + UDP4_HEADERS_LEN,
                                  room_for(x), &n_left_out);
    answer->len = udp4_encode(answer->frame, &udp);
    x->server->counters.n_options_left_out += n_left_out;
}

static struct dhcp_header
reply_header(const struct exchange *x)
{
    const struct dhcp_header *h = &x->msg.header;
    struct dhcp_header reply = {
        .op = DHCP_REPLY_OP,
        .htype = h->htype,
        .hlen = h->hlen,
        .xid = h->xid,
        .flags = h->flags,
        .giaddr = h->giaddr,
    };

    memcpy(reply.chaddr, h->chaddr, sizeof reply.chaddr);
    return reply;
}

/* What every answer begins and ends with.  The client's identifier is echoed
 * (RFC 6842), and what the relay said (RFC 3046, 2.2). */
static void
put_frame_of(struct items *items, const struct exchange *x,
             const uint8_t *type)
{
    struct dhcp_value id = dhcp_option_find(&x->msg, DHCP_OPT_CLIENT_ID);
    struct dhcp_value relay = dhcp_option_find(&x->msg, DHCP_OPT_RELAY);

    items->n = 0;
    memset(items->has, 0, sizeof items->has);
    put(items, DHCP_OPT_TYPE, type, 1);
    put(items, DHCP_OPT_SERVER_ID, &x->server_id, 4);
    put(items, DHCP_OPT_CLIENT_ID, id.p, id.len);
    put(items, DHCP_OPT_RELAY, relay.p, relay.len);
}

/* OFFER and ACK; `time` 0: an ACK for INFORM, which is about no lease. */
static void
grant(struct exchange *x, enum dhcp_type type, be32 addr, uint32_t time)
{
    const struct dhcp_served *subnet = x->subnet;
    struct dhcp_header reply = reply_header(x);
    be32 lease = htobe32(time), t1 = htobe32(time / 2);
    be32 t2 = htobe32((uint32_t) ((uint64_t) time * 7 / 8));
    uint8_t wire_type = (uint8_t) type;
    struct items items;

    x->answer->type = type;
    x->answer->addr = addr;
    reply.yiaddr = time ? addr : 0;
    reply.ciaddr = type == DHCP_ACK ? x->msg.header.ciaddr : 0;
    reply.siaddr = subnet->boot_server;
    memcpy(reply.file, subnet->boot_file, sizeof reply.file);

    put_frame_of(&items, x, &wire_type);
    if (time) {
        put(&items, DHCP_OPT_LEASE_TIME, &lease, 4);
        put_configured(&items, x, DHCP_OPT_T1);
        put_configured(&items, x, DHCP_OPT_T2);
        if (time != DHCP_TIME_FOREVER) {
            put(&items, DHCP_OPT_T1, &t1, 4);
            put(&items, DHCP_OPT_T2, &t2, 4);
        }
    }
    if (x->is_rapid) {
        put(&items, DHCP_OPT_RAPID_COMMIT, "", 0);
    }
    put_parameters(&items, x);
    send_answer(x, &reply, &items);
}

static enum dhcp_verdict
refuse(struct exchange *x, const char *why)
{
    struct dhcp_header reply = reply_header(x);
    uint8_t type = DHCP_NAK;
    struct items items;

    x->answer->type = DHCP_NAK;
    if (reply.giaddr) {
        reply.flags |= DHCP_BROADCAST;    /* RFC 2131, 4.3.2 */
    }
    put_frame_of(&items, x, &type);
    put(&items, DHCP_OPT_MESSAGE, why, strlen(why));
    send_answer(x, &reply, &items);
    return DHCP_REFUSED;
}

/* --- By type ------------------------------------------------------------ */

/* What the client would like, within what the operator allows. */
static uint32_t
lease_time(const struct exchange *x)
{
    const struct dhcp_served *subnet = x->subnet;
    uint32_t time;

    if (!dhcp_option_u32(&x->msg, DHCP_OPT_LEASE_TIME, &time)) {
        return subnet->default_time;
    }
    return MIN(MAX(time, subnet->min_time), subnet->max_time);
}

/* The lease, then the ACK; 0, or the reason that there is none. */
static int
give_lease(struct exchange *x, be32 addr)
{
    uint32_t time = lease_time(x);
    unix_sec now = x->question->now;
    int err;

    err = lease_bind(x->subnet->leases, &x->holder, addr,
                     x->hostname[0] ? x->hostname : NULL, now,
                     time == DHCP_TIME_FOREVER ? LEASE_FOREVER : now + time,
                     &x->answer->changes);
    if (!err) {
        grant(x, DHCP_ACK, addr, time);
    }
    return err;
}

static enum dhcp_verdict
ack(struct exchange *x, be32 addr)
{
    switch (give_lease(x, addr)) {
    case 0:
        return DHCP_LEASED;
    case -EDQUOT:
        return DHCP_PORT_LIMIT;
    case -ENOSPC:
        return DHCP_POOL_EMPTY;
    case -EADDRINUSE:
        return refuse(x, "this address is somebody else's");
    default:
        return refuse(x, "this address is not for you");
    }
}

/* RFC 4039.  What the offer changed comes before what the lease does. */
static enum dhcp_verdict
ack_at_once(struct exchange *x, be32 addr)
{
    struct lease_changes *changes = &x->answer->changes;
    struct lease_changes offered = *changes;
    enum dhcp_verdict verdict;

    x->is_rapid = true;
    verdict = ack(x, addr);
    for (unsigned int i = 0; i < changes->n; i++) {
        offered.at[offered.n++] = changes->at[i];
    }
    *changes = offered;
    return verdict;
}

static enum dhcp_verdict
on_discover(struct exchange *x)
{
    be32 wanted = 0, addr;
    int err;

    dhcp_option_ip4(&x->msg, DHCP_OPT_REQUESTED_ADDRESS, &wanted);
    err = lease_offer(x->subnet->leases, &x->holder, wanted,
                      x->question->now, &addr, &x->answer->changes);
    if (err) {
        return err == -EDQUOT ? DHCP_PORT_LIMIT : DHCP_POOL_EMPTY;
    }
    if (x->subnet->is_rapid
        && dhcp_option_is_there(&x->msg, DHCP_OPT_RAPID_COMMIT)) {
        return ack_at_once(x, addr);
    }
    grant(x, DHCP_OFFER, addr, lease_time(x));
    return DHCP_OFFERED;
}

/* RFC 2131, 4.3.2: silence where nothing is known of the client. */
static enum dhcp_verdict
on_init_reboot(struct exchange *x, be32 addr)
{
    struct lease_table *leases = x->subnet->leases;
    be32 planned = lease_reserved_for(leases, &x->holder);
    struct lease_record was;

    if (!dhcp_served_has(x->subnet, addr)) {
        return refuse(x, "this address is of another network");
    }
    if (!lease_of(leases, &x->holder, x->question->now, &was)) {
        if (!planned) {
            return DHCP_UNKNOWN_CLIENT;
        }
        was.addr = 0;
    }
    if (addr != was.addr && addr != planned) {
        return refuse(x, "your address is another");
    }
    return ack(x, addr);
}

static enum dhcp_verdict
on_request(struct exchange *x)
{
    be32 ciaddr = x->msg.header.ciaddr, server, wanted;
    bool has_wanted;

    has_wanted = dhcp_option_ip4(&x->msg, DHCP_OPT_REQUESTED_ADDRESS,
                                 &wanted) && wanted;
    if (dhcp_option_is_there(&x->msg, DHCP_OPT_SERVER_ID)) {  /* SELECTING */
        if (!dhcp_option_ip4(&x->msg, DHCP_OPT_SERVER_ID, &server)
            || server != x->server_id) {
            lease_withdraw(x->subnet->leases, &x->holder);
            return DHCP_OTHER_SERVER;
        }
        return has_wanted ? ack(x, wanted) : DHCP_NO_ADDRESS;
    }
    if (ciaddr) {                 /* RENEWING, REBINDING */
        return dhcp_served_has(x->subnet, ciaddr)
               ? ack(x, ciaddr)
               : refuse(x, "this address is of another network");
    }
    return has_wanted ? on_init_reboot(x, wanted) : DHCP_NO_ADDRESS;
}

/* False: it names a server, and not us. */
static bool
server_is_ours(const struct exchange *x)
{
    be32 server;

    return !dhcp_option_is_there(&x->msg, DHCP_OPT_SERVER_ID)
           || (dhcp_option_ip4(&x->msg, DHCP_OPT_SERVER_ID, &server)
               && server == x->server_id);
}

static enum dhcp_verdict
on_decline(struct exchange *x)
{
    be32 addr;

    if (!server_is_ours(x)) {
        return DHCP_OTHER_SERVER;
    }
    if (!dhcp_option_ip4(&x->msg, DHCP_OPT_REQUESTED_ADDRESS, &addr)) {
        return DHCP_NO_ADDRESS;
    }
    x->answer->addr = addr;
    return lease_decline(x->subnet->leases, &x->holder, addr,
                         x->question->now, &x->answer->changes)
           ? DHCP_NOT_HOLDER : DHCP_DECLINED;
}

static enum dhcp_verdict
on_release(struct exchange *x)
{
    be32 addr = x->msg.header.ciaddr;

    if (!server_is_ours(x)) {
        return DHCP_OTHER_SERVER;
    }
    if (!addr) {
        return DHCP_NO_ADDRESS;
    }
    x->answer->addr = addr;
    return lease_release(x->subnet->leases, &x->holder, addr,
                         x->question->now, &x->answer->changes)
           ? DHCP_NOT_HOLDER : DHCP_RELEASED;
}

/* RFC 2131, 4.3.5: to the address that it has by other means; some only say in
 * the IP header which one. */
static enum dhcp_verdict
on_inform(struct exchange *x)
{
    struct dhcp_header *h = &x->msg.header;

    if (!h->ciaddr && !h->giaddr) {
        h->ciaddr = x->udp.ip_src;
    }
    if (!h->ciaddr) {
        return DHCP_NO_ADDRESS;
    }
    if (!dhcp_served_has(x->subnet, h->ciaddr)) {
        return DHCP_OTHER_SERVER;
    }
    grant(x, DHCP_ACK, h->ciaddr, 0);
    return DHCP_INFORMED;
}

static enum dhcp_verdict
handle(struct exchange *x)
{
    enum dhcp_verdict verdict;

    if (!receive(x, &verdict)) {
        return verdict;
    }
    switch (x->type) {
    case DHCP_DISCOVER:
        return on_discover(x);
    case DHCP_REQUEST:
        return on_request(x);
    case DHCP_DECLINE:
        return on_decline(x);
    case DHCP_RELEASE:
        return on_release(x);
    case DHCP_INFORM:
        return on_inform(x);
    case DHCP_OFFER:
    case DHCP_ACK:
    case DHCP_NAK:
        return DHCP_FROM_SERVER;
    default:
        return DHCP_UNKNOWN_TYPE;
    }
}

enum dhcp_verdict
dhcp_server_handle(struct dhcp_server *s, const struct dhcp_question *q,
                   struct dhcp_answer *answer)
{
    struct exchange x;
    enum dhcp_verdict verdict;

    x.server = s;
    x.question = q;
    x.answer = answer;
    x.is_rapid = false;
    answer->len = 0;
    answer->addr = 0;
    answer->changes.n = 0;
    verdict = handle(&x);
    s->counters.n[verdict]++;
    return verdict;
}
