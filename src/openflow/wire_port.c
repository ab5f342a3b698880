/* Ports: descriptions, status, port-mod, and the queues that they have not. */
#include "openflow/wire.h"

enum { PROPERTY_ETHERNET = 0 };

/* ---- Numbers ---- */

/* 1.0's reserved ports are the same with half as many bits. */
uint32_t
port_from_of10(uint16_t port)
{
    return port >= 0xff00 ? UINT32_C(0xffff0000) | port : port;
}

bool
port_to_of10(uint32_t port, uint16_t *out)
{
    *out = (uint16_t) port;
    return port_from_of10(*out) == port;
}

uint32_t
port_number_decode(enum of_version version, struct cursor *c)
{
    return version == OF10 ? port_from_of10(cursor_u16(c)) : cursor_u32(c);
}

/* ---- Descriptions ---- */

/* 1.0 has no speeds beyond 10 Gb/s, and the medium's bits right after. */
enum { OF10_SPEEDS = 0x7f, MEDIA_SHIFT = 11, OF10_MEDIA_SHIFT = 7,
       MEDIA = 0x1f };

static uint32_t
features_from_of10(uint32_t f)
{
    return (f & OF10_SPEEDS) | (f >> OF10_MEDIA_SHIFT & MEDIA) << MEDIA_SHIFT;
}

static uint32_t
features_to_of10(uint32_t f)
{
    return (f & OF10_SPEEDS) | (f >> MEDIA_SHIFT & MEDIA) << OF10_MEDIA_SHIFT;
}

static const uint32_t of10_config =
    PORT_CONFIG_DOWN | PORT_CONFIG_NO_STP | PORT_CONFIG_NO_RECV
    | PORT_CONFIG_NO_RECV_STP | PORT_CONFIG_NO_FLOOD | PORT_CONFIG_NO_FWD
    | PORT_CONFIG_NO_PACKET_IN;
static const uint32_t of13_config =
    PORT_CONFIG_DOWN | PORT_CONFIG_NO_RECV | PORT_CONFIG_NO_FWD
    | PORT_CONFIG_NO_PACKET_IN;

static uint32_t
config_mask(enum of_version version)
{
    return version == OF10 ? of10_config : of13_config;
}

static void
get_address(struct cursor *c, struct eth_addr *addr)
{
    const uint8_t *p = cursor_take(c, sizeof addr->b);

    if (p) {
        memcpy(addr->b, p, sizeof addr->b);
    }
}

static void
get_features(struct cursor *c, struct of_port_desc *desc)
{
    desc->curr = cursor_u32(c);
    desc->advertised = cursor_u32(c);
    desc->supported = cursor_u32(c);
    desc->peer = cursor_u32(c);
}

static void
put_features(struct buf *buf, const struct of_port_desc *desc)
{
    buf_put_u32(buf, desc->curr);
    buf_put_u32(buf, desc->advertised);
    buf_put_u32(buf, desc->supported);
    buf_put_u32(buf, desc->peer);
}

static void
decode_of10(struct cursor *c, struct of_port_desc *desc)
{
    desc->number = port_number_decode(OF10, c);
    get_address(c, &desc->hw_addr);
    wire_text_decode(c, desc->name, sizeof desc->name);
    desc->config = cursor_u32(c) & of10_config;
    desc->state = cursor_u32(c) & PORT_STATE_LINK_DOWN;
    get_features(c, desc);
    desc->curr = features_from_of10(desc->curr);
    desc->advertised = features_from_of10(desc->advertised);
    desc->supported = features_from_of10(desc->supported);
    desc->peer = features_from_of10(desc->peer);
}

static enum of_error
decode_properties(struct cursor *c, struct of_port_desc *desc)
{
    struct wire_property prop;
    enum of_error error;

    while (wire_next_property(c, &prop, &error)) {
        if (prop.type == PROPERTY_ETHERNET) {
            cursor_skip(&prop.body, 4);
            get_features(&prop.body, desc);
            desc->curr_speed = cursor_u32(&prop.body);
            desc->max_speed = cursor_u32(&prop.body);
            if (cursor_overrun(&prop.body)) {
                return OF_BAD_PROPERTY_BAD_LEN;
            }
        }
    }
    return error;
}

enum of_error
port_desc_decode(enum of_version version, struct cursor *c,
                 struct of_port_desc *desc)
{
    enum { BEFORE_PROPERTIES = 40 };
    struct cursor props;
    uint16_t len;

    memset(desc, 0, sizeof *desc);
    if (version == OF10) {
        decode_of10(c, desc);
        return OF_OK;
    }
    desc->number = cursor_u32(c);
    len = cursor_u16(c);          /* padding in 1.3 */
    cursor_skip(c, 2);
    get_address(c, &desc->hw_addr);
    cursor_skip(c, 2);
    wire_text_decode(c, desc->name, sizeof desc->name);
    desc->config = cursor_u32(c) & of13_config;
    desc->state = cursor_u32(c) & (PORT_STATE_LINK_DOWN | PORT_STATE_BLOCKED
                                   | PORT_STATE_LIVE);
    if (version == OF13) {
        get_features(c, desc);
        desc->curr_speed = cursor_u32(c);
        desc->max_speed = cursor_u32(c);
        return OF_OK;
    }
    if (len < BEFORE_PROPERTIES) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    props = cursor_sub(c, len - (size_t) BEFORE_PROPERTIES);
    return decode_properties(&props, desc);
}

static void
encode_of10(struct buf *buf, const struct of_port_desc *desc)
{
    struct of_port_desc d = *desc;

    buf_put_u16(buf, (uint16_t) d.number);
    buf_put(buf, d.hw_addr.b, sizeof d.hw_addr.b);
    wire_text_encode(buf, d.name, sizeof d.name);
    buf_put_u32(buf, d.config & of10_config);
    buf_put_u32(buf, d.state & PORT_STATE_LINK_DOWN);
    d.curr = features_to_of10(d.curr);
    d.advertised = features_to_of10(d.advertised);
    d.supported = features_to_of10(d.supported);
    d.peer = features_to_of10(d.peer);
    put_features(buf, &d);
}

void
port_desc_encode(struct buf *buf, enum of_version version,
                 const struct of_port_desc *desc)
{
    size_t start = buf->len, mark = 0;

    if (version == OF10) {
        encode_of10(buf, desc);
        return;
    }
    buf_put_u32(buf, desc->number);
    buf_put_u32(buf, 0);
    buf_put(buf, desc->hw_addr.b, sizeof desc->hw_addr.b);
    buf_put_u16(buf, 0);
    wire_text_encode(buf, desc->name, sizeof desc->name);
    buf_put_u32(buf, desc->config & of13_config);
    buf_put_u32(buf, desc->state);
    if (version != OF13) {
        mark = wire_begin_property(buf, PROPERTY_ETHERNET);
        buf_put_u32(buf, 0);
    }
    put_features(buf, desc);
    buf_put_u32(buf, desc->curr_speed);
    buf_put_u32(buf, desc->max_speed);
    if (version != OF13) {
        wire_end_property(buf, mark);
        buf_patch_u16(buf, start + 4, (uint16_t) (buf->len - start));
    }
}

/* ---- Messages ---- */

enum of_error
port_status_decode(const struct of_protocol *p, struct cursor *c,
                   struct of_message *msg, struct str *why)
{
    uint8_t reason = cursor_u8(c);

    cursor_skip(c, 7);
    if (reason > PORT_MODIFIED) {
        str_setf(why, "unknown reason %u", reason);
        return OF_BAD_REQUEST_BAD_TYPE;
    }
    msg->port_status.reason = reason;
    return port_desc_decode(p->version, c, &msg->port_status.desc);
}

int
port_status_encode(struct buf *buf, const struct of_protocol *p,
                   const struct of_message *msg)
{
    uint16_t port;

    if (p->version == OF10
        && !port_to_of10(msg->port_status.desc.number, &port)) {
        return -EOPNOTSUPP;
    }
    buf_put_u8(buf, (uint8_t) msg->port_status.reason);
    buf_put_zeros(buf, 7);
    port_desc_encode(buf, p->version, &msg->port_status.desc);
    return 0;
}

static enum of_error
decode_mod_properties(struct cursor *c, struct of_port_mod *pm,
                      struct str *why)
{
    struct wire_property prop;
    enum of_error error;

    while (wire_next_property(c, &prop, &error)) {
        if (prop.type != PROPERTY_ETHERNET) {
            return wire_unknown_property(&prop, why);
        }
        pm->advertise = cursor_u32(&prop.body);
        if (cursor_overrun(&prop.body) || cursor_left(&prop.body)) {
            return OF_BAD_PROPERTY_BAD_LEN;
        }
    }
    return error;
}

enum of_error
port_mod_decode(const struct of_protocol *p, struct cursor *c,
                struct of_message *msg, struct str *why)
{
    struct of_port_mod *pm = &msg->port_mod;
    bool is_10 = p->version == OF10;
    enum of_error error = OF_OK;

    pm->number = port_number_decode(p->version, c);
    cursor_skip(c, is_10 ? 0 : 4);
    get_address(c, &pm->hw_addr);
    cursor_skip(c, is_10 ? 0 : 2);
    pm->config = cursor_u32(c);
    pm->mask = cursor_u32(c);
    if (p->version >= OF14) {
        error = decode_mod_properties(c, pm, why);
    } else {
        pm->advertise = cursor_u32(c);
        cursor_skip(c, 4);
        if (is_10) {
            pm->advertise = features_from_of10(pm->advertise);
        }
    }
    if (!error && (pm->config | pm->mask) & ~config_mask(p->version)) {
        str_setf(why, "unknown bits in a port's configuration");
        error = OF_PORT_MOD_FAILED_BAD_CONFIG;
    }
    return error;
}

int
port_mod_encode(struct buf *buf, const struct of_protocol *p,
                const struct of_message *msg)
{
    const struct of_port_mod *pm = &msg->port_mod;
    bool is_10 = p->version == OF10;
    uint16_t port = 0;

    if ((is_10 && !port_to_of10(pm->number, &port))
        || (pm->config | pm->mask) & ~config_mask(p->version)) {
        return -EOPNOTSUPP;
    }
    if (is_10) {
        buf_put_u16(buf, port);
    } else {
        buf_put_u32(buf, pm->number);
        buf_put_u32(buf, 0);
    }
    buf_put(buf, pm->hw_addr.b, sizeof pm->hw_addr.b);
    buf_put_zeros(buf, is_10 ? 0 : 2);
    buf_put_u32(buf, pm->config);
    buf_put_u32(buf, pm->mask);
    if (p->version < OF14) {
        buf_put_u32(buf, is_10 ? features_to_of10(pm->advertise)
                               : pm->advertise);
        buf_put_u32(buf, 0);
    } else if (pm->advertise) {
        size_t mark = wire_begin_property(buf, PROPERTY_ETHERNET);

        buf_put_u32(buf, pm->advertise);
        wire_end_property(buf, mark);
    }
    return 0;
}

/* ---- Queues' configuration: no port has one ---- */

enum of_error
queue_config_decode(const struct of_protocol *p, struct cursor *c,
                    struct of_message *msg, struct str *why UNUSED)
{
    msg->queue_port = port_number_decode(p->version, c);
    cursor_skip(c, p->version == OF10 ? 2 : 4);
    return OF_OK;
}

int
queue_config_encode(struct buf *buf, const struct of_protocol *p,
                    const struct of_message *msg)
{
    uint16_t port;

    if (p->version != OF10) {
        buf_put_u32(buf, msg->queue_port);
        buf_put_u32(buf, 0);
        return 0;
    }
    if (!port_to_of10(msg->queue_port, &port)) {
        return -EOPNOTSUPP;
    }
    buf_put_u16(buf, port);
    buf_put_u16(buf, 0);
    return 0;
}

enum of_error
queue_config_reply_decode(const struct of_protocol *p, struct cursor *c,
                          struct of_message *msg, struct str *why UNUSED)
{
    msg->queue_port = port_number_decode(p->version, c);
    cursor_skip(c, p->version == OF10 ? 6 : 4);
    cursor_skip(c, cursor_left(c));
    return OF_OK;
}

int
queue_config_reply_encode(struct buf *buf, const struct of_protocol *p,
                          const struct of_message *msg)
{
    int err = queue_config_encode(buf, p, msg);

    if (!err && p->version == OF10) {
        buf_put_u32(buf, 0);
    }
    return err;
}
