/* multipath and bundle on the wire, both ways. */
#include "openflow/wire_action_impl.h"

enum { NXM_OF_IN_PORT = 0x00000002 };       /* a bundle's members are ports */

static enum of_error
check_hash(struct action_decoder *d, const char *action, uint16_t fields)
{
    return fields < N_HASH_FIELDS ? OF_OK : bad_number(d, action, fields);
}

enum of_error
nx_multipath(struct action_decoder *d, struct cursor *c)
{
    struct action_multipath *a = actions_add(d->out, ACTION_MULTIPATH,
                                             sizeof *a);
    const struct field *field;
    struct subfield dst;
    uint16_t ofs_n;
    enum of_error error;

    a->fields = cursor_u16(c);
    a->basis = cursor_u16(c);
    cursor_skip(c, 2);
    a->algorithm = cursor_u16(c);
    a->max_link = cursor_u16(c);
    a->arg = cursor_u32(c);
    cursor_skip(c, 2);
    ofs_n = cursor_u16(c);
    error = get_field(d, c, &field);
    error = error ? error : check_hash(d, "multipath", a->fields);
    error = error ? error : set_packed_subfield(d, field, ofs_n, &dst);
    if (error) {
        return error;
    }
    if (a->algorithm >= N_MULTIPATH_ALGORITHMS) {
        return bad_number(d, "multipath", a->algorithm);
    }
    if (dst.n_bits < 16 && a->max_link >> dst.n_bits) {
        return bad_number(d, "multipath", a->max_link);
    }
    a->dst = dst;
    return OF_OK;
}

static enum of_error
get_members(struct action_decoder *d, struct cursor *c,
            const struct action_bundle *head)
{
    struct action_bundle *a;

    if (cursor_left(c) < 2u * head->n_members) {
        str_setf(d->why, "bundle: %u members do not fit", head->n_members);
        return OF_BAD_ACTION_BAD_LEN;
    }
    a = actions_add(d->out, ACTION_BUNDLE,
                    sizeof *a + head->n_members * sizeof a->members[0]);
    a->fields = head->fields;
    a->basis = head->basis;
    a->algorithm = head->algorithm;
    a->n_members = head->n_members;
    a->dst = head->dst;
    for (unsigned int i = 0; i < head->n_members; i++) {
        a->members[i] = port_from_of10(cursor_u16(c));
    }
    cursor_skip(c, MIN(cursor_left(c), 7u));
    return OF_OK;
}

static enum of_error
get_bundle(struct action_decoder *d, struct cursor *c, bool is_load)
{
    struct action_bundle head = { .n_members = 0 };
    const struct field *field;
    enum of_error error = OF_OK;
    uint32_t member_type, no_field;
    uint16_t ofs_n;

    head.algorithm = cursor_u16(c);
    head.fields = cursor_u16(c);
    head.basis = cursor_u16(c);
    member_type = cursor_u32(c);
    head.n_members = cursor_u16(c);
    ofs_n = cursor_u16(c);
    if (is_load) {
        error = get_field(d, c, &field);
        error = error ? error : set_packed_subfield(d, field, ofs_n,
                                                    &head.dst);
        no_field = 0;
    } else {
        no_field = cursor_u32(c);
    }
    no_field |= cursor_u32(c);
    if (cursor_overrun(c)) {
        return OF_BAD_ACTION_BAD_LEN;
    }
    error = error ? error : check_hash(d, "bundle", head.fields);
    if (error) {
        return error;
    }
    if (head.algorithm >= N_BUNDLE_ALGORITHMS) {
        return bad_number(d, "bundle", head.algorithm);
    }
    if (member_type != NXM_OF_IN_PORT
        || head.n_members > BUNDLE_MAX_MEMBERS || no_field
        || (is_load ? head.dst.n_bits < 16 : ofs_n)) {
        str_setf(d->why, "bundle: an argument that cannot be");
        return OF_BAD_ACTION_BAD_ARGUMENT;
    }
    return get_members(d, c, &head);
}

enum of_error
nx_bundle(struct action_decoder *d, struct cursor *c)
{
    return get_bundle(d, c, false);
}

enum of_error
nx_bundle_load(struct action_decoder *d, struct cursor *c)
{
    return get_bundle(d, c, true);
}

/* ---- Encode ---- */

bool
put_multipath(struct buf *buf, enum of_version version,
              const struct action_multipath *a)
{
    size_t mark = begin_nx(buf, NX_MULTIPATH);

    buf_put_u16(buf, a->fields);
    buf_put_u16(buf, a->basis);
    buf_put_u16(buf, 0);
    buf_put_u16(buf, a->algorithm);
    buf_put_u16(buf, a->max_link);
    buf_put_u32(buf, a->arg);
    buf_put_u16(buf, 0);
    buf_put_u16(buf, ofs_nbits(&a->dst));
    return a->dst.n_bits <= 64 && put_subfield_header(buf, version, &a->dst)
           && put_plain(buf, mark);
}

bool
put_bundle(struct buf *buf, enum of_version version,
           const struct action_bundle *a)
{
    bool is_load = a->dst.n_bits;
    size_t mark = begin_nx(buf, is_load ? NX_BUNDLE_LOAD : NX_BUNDLE);

    buf_put_u16(buf, a->algorithm);
    buf_put_u16(buf, a->fields);
    buf_put_u16(buf, a->basis);
    buf_put_u32(buf, NXM_OF_IN_PORT);
    buf_put_u16(buf, a->n_members);
    buf_put_u16(buf, is_load ? ofs_nbits(&a->dst) : 0);
    if (!is_load) {
        buf_put_u32(buf, 0);
    } else if (a->dst.n_bits > 64
               || !put_subfield_header(buf, version, &a->dst)) {
        return false;
    }
    buf_put_u32(buf, 0);
    for (unsigned int i = 0; i < a->n_members; i++) {
        uint16_t port;

        if (!port_to_of10(a->members[i], &port)) {
            return false;
        }
        buf_put_u16(buf, port);
    }
    return put_plain(buf, mark);
}
