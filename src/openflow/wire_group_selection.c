#include "openflow/wire_group.h"

#include "openflow/wire_match.h"

enum { EXPERIMENTER_NETRONOME = 0x0000154d, PROPERTY_EXPERIMENTER = 0xffff,
       SELECTION_METHOD = 1 };

static enum of_error
bad_value(struct str *why, const char *what)
{
    str_setf(why, "a group's selection method: %s", what);
    return OF_BAD_PROPERTY_BAD_VALUE;
}

/* Fields with their masks where values stand elsewhere. */
static enum of_error
decode_fields(struct cursor *c, struct group_selection *sel, struct str *why)
{
    while (cursor_left(c)) {
        struct group_field *to = &sel->fields[sel->n_fields];
        bool has_mask;
        unsigned int n_bytes;
        const struct field *field = field_header_decode(c, &has_mask,
                                                        &n_bytes);

        if (!field || has_mask || sel->n_fields == GROUP_MAX_FIELDS
            || n_bytes != field_wire_bytes(field)) {
            return bad_value(why, "a field");
        }
        to->id = field->id;
        to->mask = wire_value(c, n_bytes);
        if (cursor_overrun(c)) {
            return OF_BAD_PROPERTY_BAD_LEN;
        }
        sel->n_fields++;
    }
    return OF_OK;
}

static enum of_error
decode_method(struct cursor *c, struct group_mod *gm, struct str *why)
{
    struct group_selection *sel = &gm->selection;
    enum of_error error;

    cursor_skip(c, 4);
    wire_text_decode(c, sel->method, sizeof sel->method);
    sel->param = cursor_u64(c);
    if (cursor_overrun(c)) {
        return OF_BAD_PROPERTY_BAD_LEN;
    }
    if (gm->type != GROUP_SELECT || (gm->command != GROUP_MOD_ADD
                                     && gm->command != GROUP_MOD_MODIFY
                                     && gm->command
                                        != GROUP_MOD_ADD_OR_MODIFY)) {
        return bad_value(why, "the group selects nothing");
    }
    if (strcmp(sel->method, "hash") && strcmp(sel->method, "dp_hash")) {
        return bad_value(why, "it is unknown");
    }
    error = decode_fields(c, sel, why);
    if (!error && sel->n_fields && strcmp(sel->method, "hash")) {
        error = bad_value(why, "dp_hash has its own fields");
    }
    return error;
}

enum of_error
group_selection_decode(struct cursor *c, struct group_mod *gm,
                       struct str *why)
{
    struct wire_property prop;
    enum of_error error, bad = OF_OK;

    while (!bad && wire_next_property(c, &prop, &error)) {
        struct cursor body = prop.body;
        uint32_t experimenter = cursor_u32(&body);
        uint32_t type = cursor_u32(&body);

        if (prop.type != PROPERTY_EXPERIMENTER || cursor_overrun(&body)
            || experimenter != EXPERIMENTER_NETRONOME) {
            bad = wire_unknown_property(&prop, why);
        } else if (type != SELECTION_METHOD) {
            bad = OF_BAD_PROPERTY_BAD_EXP_TYPE;
        } else if (gm->selection.method[0]) {
            bad = OF_BAD_PROPERTY_DUP_TYPE;
        } else {
            bad = decode_method(&body, gm, why);
        }
    }
    return bad ? bad : error;
}

void
group_selection_encode(struct buf *buf, enum of_version version,
                       const struct group_selection *sel)
{
    size_t mark;

    if (!sel->method[0]) {
        return;
    }
    mark = wire_begin_property(buf, PROPERTY_EXPERIMENTER);
    buf_put_u32(buf, EXPERIMENTER_NETRONOME);
    buf_put_u32(buf, SELECTION_METHOD);
    buf_put_u32(buf, 0);
    wire_text_encode(buf, sel->method, sizeof sel->method);
    buf_put_u64(buf, sel->param);
    for (unsigned int i = 0; i < sel->n_fields; i++) {
        const struct field *field = field_by_id(sel->fields[i].id);

        if (field_header_encode(buf, version, field)) {
            wire_put_value(buf, sel->fields[i].mask, field_wire_bytes(field));
        }
    }
    wire_end_property(buf, mark);
}
