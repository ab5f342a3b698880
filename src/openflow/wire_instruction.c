/* Instructions on the wire, both ways. */
#include "openflow/wire_action_impl.h"
#include "openflow/wire_oxs.h"

enum {
    INST_GOTO = 1, INST_METADATA, INST_WRITE, INST_APPLY, INST_CLEAR,
    INST_METER, INST_STAT_TRIGGER, INST_EXPERIMENTER = 0xffff,
};

enum { TRIGGER_PERIODIC = 1 << 0, TRIGGER_ONLY_FIRST = 1 << 1 };
enum { NS_PER_SEC = 1000000000 };

static enum of_error
decode_stat_trigger(struct cursor *c, struct action_stat_trigger *a,
                    struct str *why)
{
    uint32_t flags = cursor_u32(c);
    struct oxs at;

    if (oxs_decode(c, &at)) {
        return OF_BAD_INSTRUCTION_BAD_LEN;
    }
    if (flags & ~(uint32_t) (TRIGGER_PERIODIC | TRIGGER_ONLY_FIRST)
        || at.present & ~(unsigned int) (OXS_DURATION | OXS_PACKETS
                                         | OXS_BYTES)) {
        str_setf(why, "a trigger knows duration, packets and bytes");
        return OF_BAD_INSTRUCTION_UNSUP_INST;
    }
    a->is_periodic = flags & TRIGGER_PERIODIC;
    a->only_first = flags & TRIGGER_ONLY_FIRST;
    a->threshold[STAT_DURATION] = (uint64_t) at.duration_sec * NS_PER_SEC
                                  + at.duration_nsec;
    a->threshold[STAT_PACKETS] = at.packets;
    a->threshold[STAT_BYTES] = at.bytes;
    a->present = (uint8_t) ((at.present & OXS_DURATION ? 1 << STAT_DURATION
                                                       : 0)
                            | (at.present & OXS_PACKETS ? 1 << STAT_PACKETS
                                                        : 0)
                            | (at.present & OXS_BYTES ? 1 << STAT_BYTES : 0));
    return OF_OK;
}

static enum of_error
decode_instruction(enum of_version version, uint16_t type, struct cursor *c,
                   struct flow_mod *fm, struct action_stat_trigger *trigger,
                   struct str *why)
{
    struct instructions *in = &fm->instructions;

    switch (type) {
    case INST_GOTO:
        in->has_goto = true;
        in->goto_table = cursor_u8(c);
        cursor_skip(c, 3);
        return OF_OK;
    case INST_METADATA:
        cursor_skip(c, 4);
        in->metadata = htobe64(cursor_u64(c));
        in->metadata_mask = htobe64(cursor_u64(c));
        return OF_OK;
    case INST_WRITE: case INST_APPLY:
        cursor_skip(c, 4);
        return actions_decode(version, c, &fm->storage[type == INST_WRITE],
                              NULL, why);
    case INST_CLEAR:
        cursor_skip(c, 4);
        in->clear = true;
        return OF_OK;
    case INST_METER:
        in->meter = cursor_u32(c);
        if (!in->meter) {
            str_setf(why, "meters count from 1");
            return OF_BAD_ACTION_BAD_METER;
        }
        return OF_OK;
    case INST_STAT_TRIGGER:
        return version >= OF15 ? decode_stat_trigger(c, trigger, why)
               : OF_BAD_INSTRUCTION_UNKNOWN_INST;
    case INST_EXPERIMENTER:
        return OF_BAD_INSTRUCTION_BAD_EXPERIMENTER;
    default:
        str_setf(why, "an instruction of type %u", type);
        return OF_BAD_INSTRUCTION_UNKNOWN_INST;
    }
}

/* 1.5 made a meter an action; at the very beginning that is the instruction. */
static void
take_first_meter(struct flow_mod *fm)
{
    struct actions *apply = &fm->storage[0];
    const struct action_number *first = (const void *) apply->data;

    if (apply->len && first->h.type == ACTION_METER
        && !fm->instructions.meter) {
        uint32_t len = first->h.len;

        fm->instructions.meter = first->number;
        apply->len -= len;
        memmove(apply->data, apply->data + len, apply->len);
    }
}

enum of_error
instructions_decode(enum of_version version, struct cursor *c,
                    struct flow_mod *fm, struct str *why)
{
    struct action_stat_trigger trigger = { .present = 0 }, *out;
    unsigned int seen = 0;

    if (version == OF10) {
        return actions_decode(version, c, &fm->storage[0], &fm->instructions,
                              why);
    }
    while (cursor_left(c)) {
        uint16_t type = cursor_u16(c);
        uint16_t len = cursor_u16(c);
        struct cursor body;
        enum of_error error;

        if (len < 8 || len % 8 || len - 4u > cursor_left(c)) {
            str_setf(why, "an instruction of %u bytes", len);
            return OF_BAD_INSTRUCTION_BAD_LEN;
        }
        if (type < 32 && seen & 1u << type) {
            return OF_BAD_INSTRUCTION_DUP_INST;
        }
        seen |= type < 32 ? 1u << type : 0;
        body = cursor_sub(c, len - 4u);
        error = decode_instruction(version, type, &body, fm, &trigger, why);
        if (error || cursor_overrun(&body) || cursor_left(&body)) {
            return error ? error : OF_BAD_INSTRUCTION_BAD_LEN;
        }
    }
    if (version >= OF15) {
        take_first_meter(fm);
    }
    if (seen & 1u << INST_STAT_TRIGGER) {
        out = actions_add(&fm->storage[0], ACTION_STAT_TRIGGER, sizeof *out);
        trigger.h = out->h;
        *out = trigger;
    }
    return OF_OK;
}

static bool
encode_actions(struct buf *buf, enum of_version version, uint16_t type,
               const struct instructions *in, uint32_t meter)
{
    size_t mark = begin(buf, type);
    bool all;

    buf_put_u32(buf, 0);
    if (meter) {
        put_u32(buf, 29, meter);
    }
    all = actions_encode(buf, version,
                         type == INST_APPLY ? in->apply : in->write);
    if (buf->len - mark > ACTION_MAX_LEN) {
        buf->len = mark;
        return false;
    }
    end(buf, mark);
    return all;
}

/* Among the actions it was left out. */
static bool
encode_stat_trigger(struct buf *buf, enum of_version version,
                    const struct action_stat_trigger *a)
{
    uint64_t ns = a->threshold[STAT_DURATION];
    const struct oxs at = {
        .present = (a->present >> STAT_DURATION & 1 ? OXS_DURATION : 0)
                   | (a->present >> STAT_PACKETS & 1 ? OXS_PACKETS : 0)
                   | (a->present >> STAT_BYTES & 1 ? OXS_BYTES : 0),
        .duration_sec = (uint32_t) (ns / NS_PER_SEC),
        .duration_nsec = (uint32_t) (ns % NS_PER_SEC),
        .packets = a->threshold[STAT_PACKETS],
        .bytes = a->threshold[STAT_BYTES],
    };
    size_t mark;

    if (version < OF15) {
        return false;
    }
    mark = begin(buf, INST_STAT_TRIGGER);
    buf_put_u32(buf, (a->is_periodic ? TRIGGER_PERIODIC : 0)
                     | (a->only_first ? TRIGGER_ONLY_FIRST : 0));
    oxs_encode(buf, &at);
    end(buf, mark);
    return true;
}

static bool
encode_of10(struct buf *buf, const struct instructions *in)
{
    bool all = actions_encode(buf, OF10, in->apply);
    size_t mark;

    if (in->metadata_mask) {
        mark = begin_nx(buf, NX_WRITE_METADATA);
        buf_put_zeros(buf, 6);
        buf_put_u64(buf, be64toh(in->metadata));
        buf_put_u64(buf, be64toh(in->metadata_mask));
        end(buf, mark);
    }
    return all && !in->write.len && !in->meter && !in->clear && !in->has_goto;
}

bool
instructions_encode(struct buf *buf, enum of_version version,
                    const struct instructions *in)
{
    const struct action_stat_trigger *trigger
        = action_list_trigger(in->apply);
    bool has_apply = in->apply.len > (trigger ? trigger->h.len : 0);
    uint32_t meter_action = version >= OF15 ? in->meter : 0;
    bool all = true;
    size_t mark;

    if (version == OF10) {
        return encode_of10(buf, in);
    }
    if (in->meter && !meter_action) {
        put_u32(buf, INST_METER, in->meter);
    }
    if (trigger) {
        all = encode_stat_trigger(buf, version, trigger);
    }
    if (has_apply || meter_action) {
        all = encode_actions(buf, version, INST_APPLY, in, meter_action)
              && all;
    }
    if (in->clear) {
        put_u32(buf, INST_CLEAR, 0);
    }
    if (in->write.len) {
        all = encode_actions(buf, version, INST_WRITE, in, 0) && all;
    }
    if (in->metadata_mask) {
        mark = begin(buf, INST_METADATA);
        buf_put_u32(buf, 0);
        buf_put_u64(buf, be64toh(in->metadata));
        buf_put_u64(buf, be64toh(in->metadata_mask));
        end(buf, mark);
    }
    if (in->has_goto) {
        put_u8(buf, INST_GOTO, in->goto_table);
    }
    return all;
}
