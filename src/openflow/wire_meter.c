/* Meters: meter-mod, statistics, configuration, features. */
#include "openflow/wire_multipart.h"

enum { BAND_LEN = 16, BAND_EXPERIMENTER = 0xffff };

static enum of_error
decode_band(struct cursor *c, struct meter_mod *mm, struct str *why)
{
    uint16_t type = cursor_u16(c);
    uint16_t len = cursor_u16(c);
    struct meter_band *band;

    if (cursor_overrun(c) || len != BAND_LEN
        || cursor_left(c) < BAND_LEN - 4) {
        str_setf(why, "a meter band of %u bytes", len);
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if (type != METER_BAND_DROP && type != METER_BAND_DSCP_REMARK) {
        str_setf(why, "a meter band of type %u", type);
        return OF_METER_MOD_FAILED_BAD_BAND;
    }
    if (mm->n_bands == METER_MAX_BANDS) {
        return OF_METER_MOD_FAILED_OUT_OF_BANDS;
    }
    band = &mm->bands[mm->n_bands++];
    band->type = type;
    band->rate = cursor_u32(c);
    band->burst_size = cursor_u32(c);
    band->prec_level = cursor_u8(c);
    cursor_skip(c, 3);
    if (type == METER_BAND_DROP) {
        band->prec_level = 0;
    }
    return OF_OK;
}

enum of_error
meter_bands_decode(struct cursor *c, struct meter_mod *mm, struct str *why)
{
    enum of_error error = OF_OK;

    while (!error && cursor_left(c)) {
        error = decode_band(c, mm, why);
    }
    return error;
}

enum of_error
meter_mod_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                 struct of_message *msg, struct str *why)
{
    struct meter_mod *mm = &msg->meter_mod;
    uint16_t command = cursor_u16(c);

    mm->flags = cursor_u16(c);
    mm->id = cursor_u32(c);
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if (command > METER_MOD_DELETE) {
        str_setf(why, "meter command %u", command);
        return OF_METER_MOD_FAILED_BAD_COMMAND;
    }
    mm->command = command;
    if (command == METER_MOD_DELETE) {
        mm->flags = 0;
        cursor_skip(c, cursor_left(c));
        return OF_OK;
    }
    if (mm->flags & ~(METER_KBPS | METER_PKTPS | METER_BURST | METER_STATS)
        || ((mm->flags & METER_KBPS) && (mm->flags & METER_PKTPS))) {
        str_setf(why, "meter flags 0x%x", mm->flags);
        return OF_METER_MOD_FAILED_BAD_FLAGS;
    }
    return meter_bands_decode(c, mm, why);
}

static void
put_bands(struct buf *buf, const struct meter_mod *mm)
{
    for (unsigned int i = 0; i < mm->n_bands; i++) {
        const struct meter_band *band = &mm->bands[i];

        buf_put_u16(buf, (uint16_t) band->type);
        buf_put_u16(buf, BAND_LEN);
        buf_put_u32(buf, band->rate);
        buf_put_u32(buf, band->burst_size);
        buf_put_u8(buf, band->type == METER_BAND_DROP ? 0
                                                      : band->prec_level);
        buf_put_zeros(buf, 3);
    }
}

int
meter_mod_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                 const struct of_message *msg)
{
    const struct meter_mod *mm = &msg->meter_mod;

    buf_put_u16(buf, (uint16_t) mm->command);
    buf_put_u16(buf, (uint16_t) mm->flags);
    buf_put_u32(buf, mm->id);
    put_bands(buf, mm);
    return 0;
}

void
of_reply_meter_stats(struct of_reply *r, const struct of_meter_stats *m)
{
    size_t mark = reply_begin_item(r);

    buf_put_u32(r->buf, m->id);
    buf_put_u16(r->buf, 0);
    buf_put_zeros(r->buf, 6);
    buf_put_u32(r->buf, m->ref_count);
    buf_put_u64(r->buf, m->in.packets);
    buf_put_u64(r->buf, m->in.bytes);
    buf_put_u32(r->buf, m->duration_sec);
    buf_put_u32(r->buf, m->duration_nsec);
    for (unsigned int i = 0; i < m->n_bands; i++) {
        buf_put_u64(r->buf, m->bands[i].packets);
        buf_put_u64(r->buf, m->bands[i].bytes);
    }
    buf_patch_u16(r->buf, mark + 4, (uint16_t) (r->buf->len - mark));
    reply_end_item(r, mark);
}

void
of_reply_meter_config(struct of_reply *r, const struct meter_mod *mm)
{
    size_t mark = reply_begin_item(r);

    buf_put_u16(r->buf, 0);
    buf_put_u16(r->buf, (uint16_t) mm->flags);
    buf_put_u32(r->buf, mm->id);
    put_bands(r->buf, mm);
    buf_patch_u16(r->buf, mark, (uint16_t) (r->buf->len - mark));
    reply_end_item(r, mark);
}

void
of_reply_meter_features(struct of_reply *r,
                        const struct of_meter_features *f)
{
    size_t mark = reply_begin_item(r);

    buf_put_u32(r->buf, f->max_meters);
    buf_put_u32(r->buf, f->band_types);
    buf_put_u32(r->buf, f->flags);
    buf_put_u8(r->buf, f->max_bands);
    buf_put_u8(r->buf, f->max_color);
    /* 1.5 would have 8 bytes more, of which the field's tools know nothing. */
    buf_put_zeros(r->buf, 2);
    reply_end_item(r, mark);
}
