/* The items of multipart replies: switch, flows, tables, ports, queues. */
#include "openflow/wire_action.h"
#include "openflow/wire_match.h"
#include "openflow/wire_multipart.h"
#include "openflow/wire_oxs.h"

static enum of_version
version_of(const struct of_reply *r)
{
    return r->protocol->version;
}

static void
patch_length(struct of_reply *r, size_t mark)
{
    buf_patch_u16(r->buf, mark, (uint16_t) (r->buf->len - mark));
}

void
of_reply_desc(struct of_reply *r, const struct of_desc *desc)
{
    size_t mark = reply_begin_item(r);

    wire_text_encode(r->buf, desc->manufacturer, sizeof desc->manufacturer);
    wire_text_encode(r->buf, desc->hardware, sizeof desc->hardware);
    wire_text_encode(r->buf, desc->software, sizeof desc->software);
    wire_text_encode(r->buf, desc->serial, sizeof desc->serial);
    wire_text_encode(r->buf, desc->datapath, sizeof desc->datapath);
    reply_end_item(r, mark);
}

/* ---- Flows ---- */

/* Fields that 1.0 cannot say are left out: the match looks wider than it is. */
static void
flow_of10(struct buf *buf, const struct of_flow_stats *f)
{
    static const struct match any;

    buf_put_u8(buf, f->table);
    buf_put_u8(buf, 0);
    if (!match_of10_encode(buf, f->match)) {
        match_of10_encode(buf, &any);
    }
    buf_put_u32(buf, f->duration_sec);
    buf_put_u32(buf, f->duration_nsec);
    buf_put_u16(buf, f->priority);
    buf_put_u16(buf, f->idle_timeout);
    buf_put_u16(buf, f->hard_timeout);
    buf_put_zeros(buf, 6);
    buf_put_u64(buf, be64toh(f->cookie));
    buf_put_u64(buf, f->packets);
    buf_put_u64(buf, f->bytes);
}

static void
flow_nicira(struct buf *buf, const struct of_flow_stats *f)
{
    size_t len_ofs;

    buf_put_u8(buf, f->table);
    buf_put_u8(buf, 0);
    buf_put_u32(buf, f->duration_sec);
    buf_put_u32(buf, f->duration_nsec);
    buf_put_u16(buf, f->priority);
    buf_put_u16(buf, f->idle_timeout);
    buf_put_u16(buf, f->hard_timeout);
    len_ofs = buf->len;
    buf_put_u16(buf, 0);
    /* Ages are one more than they are; 0: unknown. */
    buf_put_u16(buf, (uint16_t) MIN(f->idle_sec + 1, 0xffffu));
    buf_put_u16(buf, (uint16_t) MIN(f->modified_sec + 1, 0xffffu));
    buf_put_u64(buf, be64toh(f->cookie));
    buf_put_u64(buf, f->packets);
    buf_put_u64(buf, f->bytes);
    match_nxm_encode(buf, len_ofs, f->match, NULL);
}

static void
flow_of13(struct buf *buf, enum of_version version,
          const struct of_flow_stats *f)
{
    buf_put_u8(buf, f->table);
    buf_put_u8(buf, 0);
    buf_put_u32(buf, f->duration_sec);
    buf_put_u32(buf, f->duration_nsec);
    buf_put_u16(buf, f->priority);
    buf_put_u16(buf, f->idle_timeout);
    buf_put_u16(buf, f->hard_timeout);
    buf_put_u16(buf, (uint16_t) f->flags);
    buf_put_u16(buf, version >= OF14 ? f->importance : 0);
    buf_put_u16(buf, 0);
    buf_put_u64(buf, be64toh(f->cookie));
    buf_put_u64(buf, f->packets);
    buf_put_u64(buf, f->bytes);
}

static void
flow_of15(struct buf *buf, const struct of_flow_stats *f)
{
    buf_put_u16(buf, 0);
    buf_put_u8(buf, f->table);
    buf_put_u8(buf, 0);
    buf_put_u16(buf, f->priority);
    buf_put_u16(buf, f->idle_timeout);
    buf_put_u16(buf, f->hard_timeout);
    buf_put_u16(buf, (uint16_t) f->flags);
    buf_put_u16(buf, f->importance);
    buf_put_u64(buf, be64toh(f->cookie));
}

static void
flow_of15_stats(struct buf *buf, const struct of_flow_stats *f)
{
    struct oxs stats = {
        .present = OXS_DURATION | OXS_IDLE_TIME | OXS_PACKETS | OXS_BYTES,
        .duration_sec = f->duration_sec, .duration_nsec = f->duration_nsec,
        .idle_sec = f->idle_sec, .packets = f->packets, .bytes = f->bytes,
    };

    oxs_encode(buf, &stats);
}

static void
put_match(struct buf *buf, enum of_version version, const struct match *match)
{
    static const struct match any;

    if (!match_oxm_encode(buf, version, match)) {
        match_oxm_encode(buf, version, &any);
    }
}

void
of_reply_flow(struct of_reply *r, const struct of_flow_stats *f)
{
    enum of_version version = version_of(r);
    size_t mark = reply_begin_item(r);

    buf_put_u16(r->buf, 0);
    if (r->is_nicira) {
        flow_nicira(r->buf, f);
    } else if (version == OF10) {
        flow_of10(r->buf, f);
    } else if (version < OF15) {
        flow_of13(r->buf, version, f);
        put_match(r->buf, version, f->match);
    } else {
        flow_of15(r->buf, f);
        put_match(r->buf, version, f->match);
        flow_of15_stats(r->buf, f);
    }
    instructions_encode(r->buf, version, f->instructions);
    patch_length(r, mark);
    reply_end_item(r, mark);
}

void
of_reply_flow_only_stats(struct of_reply *r, const struct of_flow_stats *f)
{
    size_t mark = reply_begin_item(r);

    buf_put_u16(r->buf, 0);
    buf_put_u16(r->buf, 0);
    buf_put_u8(r->buf, f->table);
    buf_put_u8(r->buf, f->reason);
    buf_put_u16(r->buf, f->priority);
    put_match(r->buf, OF15, f->match);
    flow_of15_stats(r->buf, f);
    patch_length(r, mark);
    reply_end_item(r, mark);
}

void
of_reply_aggregate(struct of_reply *r, const struct of_aggregate *a)
{
    size_t mark = reply_begin_item(r);

    if (version_of(r) >= OF15) {
        struct oxs stats = {
            .present = OXS_PACKETS | OXS_BYTES | OXS_FLOWS,
            .packets = a->packets, .bytes = a->bytes, .flows = a->flows,
        };

        oxs_encode(r->buf, &stats);
    } else {
        buf_put_u64(r->buf, a->packets);
        buf_put_u64(r->buf, a->bytes);
        buf_put_u32(r->buf, a->flows);
        buf_put_u32(r->buf, 0);
    }
    reply_end_item(r, mark);
}

/* ---- Tables, ports, queues ---- */

enum { OF10_WILDCARDS_ALL = (1 << 22) - 1 };

void
of_reply_table(struct of_reply *r, const struct of_table_stats *t)
{
    size_t mark = reply_begin_item(r);

    buf_put_u8(r->buf, t->table);
    buf_put_zeros(r->buf, 3);
    if (version_of(r) == OF10) {
        wire_text_encode(r->buf, t->name, sizeof t->name);
        buf_put_u32(r->buf, OF10_WILDCARDS_ALL);
        buf_put_u32(r->buf, t->max_entries);
    }
    buf_put_u32(r->buf, t->active);
    buf_put_u64(r->buf, t->lookups);
    buf_put_u64(r->buf, t->matched);
    reply_end_item(r, mark);
}

static void
put_port(struct buf *buf, enum of_version version, uint32_t port,
         size_t of10_padding)
{
    if (version == OF10) {
        buf_put_u16(buf, (uint16_t) port);
        buf_put_zeros(buf, of10_padding);
    } else {
        buf_put_u32(buf, port);
    }
}

static void
put_main_counters(struct buf *buf, const struct of_port_stats *p)
{
    buf_put_u64(buf, p->rx_packets);
    buf_put_u64(buf, p->tx_packets);
    buf_put_u64(buf, p->rx_bytes);
    buf_put_u64(buf, p->tx_bytes);
    buf_put_u64(buf, p->rx_dropped);
    buf_put_u64(buf, p->tx_dropped);
    buf_put_u64(buf, p->rx_errors);
    buf_put_u64(buf, p->tx_errors);
}

static void
put_ethernet_counters(struct buf *buf, const struct of_port_stats *p)
{
    buf_put_u64(buf, p->rx_frame_err);
    buf_put_u64(buf, p->rx_over_err);
    buf_put_u64(buf, p->rx_crc_err);
    buf_put_u64(buf, p->collisions);
}

static void
port_stats_of14(struct buf *buf, const struct of_port_stats *p)
{
    size_t start = buf->len, mark;

    buf_put_u32(buf, 0);
    buf_put_u32(buf, p->number);
    buf_put_u32(buf, p->duration_sec);
    buf_put_u32(buf, p->duration_nsec);
    put_main_counters(buf, p);
    mark = wire_begin_property(buf, 0);
    buf_put_u32(buf, 0);
    put_ethernet_counters(buf, p);
    wire_end_property(buf, mark);
    buf_patch_u16(buf, start, (uint16_t) (buf->len - start));
}

void
of_reply_port_stats(struct of_reply *r, const struct of_port_stats *p)
{
    enum of_version version = version_of(r);
    size_t mark = reply_begin_item(r);

    if (version >= OF14) {
        port_stats_of14(r->buf, p);
        reply_end_item(r, mark);
        return;
    }
    put_port(r->buf, version, p->number, 6);
    buf_put_zeros(r->buf, version == OF10 ? 0 : 4);
    put_main_counters(r->buf, p);
    put_ethernet_counters(r->buf, p);
    if (version != OF10) {
        buf_put_u32(r->buf, p->duration_sec);
        buf_put_u32(r->buf, p->duration_nsec);
    }
    reply_end_item(r, mark);
}

void
of_reply_port_desc(struct of_reply *r, const struct of_port_desc *desc)
{
    size_t mark = reply_begin_item(r);

    port_desc_encode(r->buf, version_of(r), desc);
    reply_end_item(r, mark);
}

void
of_reply_queue_stats(struct of_reply *r, const struct of_queue_stats *q)
{
    enum of_version version = version_of(r);
    size_t mark = reply_begin_item(r);

    if (version >= OF14) {
        buf_put_u16(r->buf, 48);
        buf_put_zeros(r->buf, 6);
    }
    put_port(r->buf, version, q->port, 2);
    buf_put_u32(r->buf, q->queue);
    buf_put_u64(r->buf, q->tx_bytes);
    buf_put_u64(r->buf, q->tx_packets);
    buf_put_u64(r->buf, q->tx_errors);
    if (version != OF10) {
        buf_put_u32(r->buf, q->duration_sec);
        buf_put_u32(r->buf, q->duration_nsec);
    }
    reply_end_item(r, mark);
}
