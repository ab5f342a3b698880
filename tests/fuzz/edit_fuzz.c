/* Edits of any frame: tags, labels, TTLs, every field that lies in packets.
 *
 * The input is a program: a byte says how many edits follow, each of them 1 byte
 * of what and 34 of how (see struct step); the rest is the frame.  The frame ends
 * where its memory ends.  After each edit:
 *   - a refused one changed nothing;
 *   - no offset contradicts what a fresh extraction finds.  Either may know
 *     more: an extraction stops at labels and at a third tag, an edit does not
 *     look what lies below a tag that it popped;
 *   - a field that was set reads as it was set.
 *
 * Covers: src/packet/edit.c */
#include <stdio.h>
#include <stdlib.h>

#include "packet/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADROOM = 64, MAX_STEPS = 8, N_VERBS = 9 };

struct step {
    uint8_t verb;                 /* 0..7 below, else set the field `field` */
    uint8_t field;
    uint8_t flags;
    uint8_t value[16];
    uint8_t mask[16];
};


static void
require(bool holds, const char *what, const struct step *step)
{
    if (!holds) {
        const struct field *field = field_by_id(step->field % N_FIELDS);

        fprintf(stderr, "edit %d, field %s: not so: %s\n",
                step->verb % N_VERBS, field->name, what);
        abort();
    }
}

static u128
number(const uint8_t bytes[16])
{
    u128 n;

    memcpy(&n, bytes, sizeof n);
    return n;
}

/* What an extraction says about the bytes as they are now. */
static bool
read_again(const struct packet *pkt, struct packet *fresh, struct flow *flow)
{
    struct flow_key key;

    *fresh = *pkt;
    fresh->l2_5_ofs = fresh->l3_ofs = fresh->l4_ofs = PACKET_NO_OFS;
    if (flow_key_extract(fresh, &key)) {
        return false;
    }
    flow_from_key(flow, &key);
    return true;
}

static bool
agree(uint16_t ofs, uint16_t fresh)
{
    return ofs == fresh || ofs == PACKET_NO_OFS || fresh == PACKET_NO_OFS;
}

/* Returns NULL where the edit was not one that sets a field. */
static const struct field *
apply(struct packet *pkt, const struct step *step, bool *done)
{
    uint32_t word = (uint32_t) number(step->value);
    uint16_t half = (uint16_t) word;
    const struct field *field;

    switch (step->verb % N_VERBS) {
    case 0:
        *done = packet_vlan_push(pkt, step->flags & 1 ? 0x88a8 : 0x8100, half);
        return NULL;
    case 1:
        *done = packet_vlan_pop(pkt);
        return NULL;
    case 2:
        *done = packet_mpls_push(pkt, step->flags & 1 ? 0x8848 : 0x8847, word);
        return NULL;
    case 3:
        *done = packet_mpls_pop(pkt, step->flags & 1 ? 0x86dd : 0x0800);
        return NULL;
    case 4:
        *done = packet_dec_ttl(pkt);
        return NULL;
    case 5:
        *done = packet_dec_mpls_ttl(pkt);
        return NULL;
    case 6:
        *done = packet_copy_ttl_out(pkt);
        return NULL;
    case 7:
        *done = packet_copy_ttl_in(pkt);
        return NULL;
    default:
        field = field_by_id(step->field % N_FIELDS);
        if (!(field->flags & FIELD_WIRE)) {
            *done = false;
            return NULL;
        }
        *done = packet_set_field(pkt, field->id, number(step->value),
                                 number(step->mask));
        return field;
    }
}

static void
check_step(struct packet *pkt, const struct step *step)
{
    struct packet before = *pkt, fresh;
    uint8_t *bytes = malloc(pkt->len ? pkt->len : 1);
    const struct field *field;
    struct flow flow;
    bool done;

    memcpy(bytes, pkt->data, pkt->len);
    field = apply(pkt, step, &done);
    if (!done) {
        require(pkt->data == before.data && pkt->len == before.len
                    && !memcmp(pkt->data, bytes, pkt->len),
                "refused, so nothing changed", step);
    } else {
        require(read_again(pkt, &fresh, &flow), "still a frame", step);
        require(agree(pkt->l2_5_ofs, fresh.l2_5_ofs)
                    && agree(pkt->l3_ofs, fresh.l3_ofs)
                    && agree(pkt->l4_ofs, fresh.l4_ofs),
                "offsets are right", step);
        if (field && field_prereq_met(field, &flow)) {
            u128 mask = number(step->mask) & field_ones(field);

            if (field->id == FIELD_VLAN_VID) {
                mask &= ~(u128) FLOW_VLAN_PRESENT;  /* Always set. */
            } else if (field->id == FIELD_VLAN_TCI
                       && !(number(step->value) & mask
                            & FLOW_VLAN_PRESENT)) {
                mask = 0;       /* Without a tag, or with the next one. */
            }
            require((field_get(field, &flow) & mask)
                        == (number(step->value) & mask),
                    "it reads as it was set", step);
        }
    }
    free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int n_steps = size ? data[0] % (MAX_STEPS + 1) : 0;
    const uint8_t *steps = data + 1;
    struct packet pkt, fresh;
    struct flow flow;
    uint8_t *buf;

    if (size < 1 + n_steps * sizeof(struct step)) {
        return 0;
    }
    data += 1 + n_steps * sizeof(struct step);
    size -= 1 + n_steps * sizeof(struct step);

    buf = malloc(HEADROOM + size);
    memcpy(buf + HEADROOM, data, size);
    pkt = (struct packet) {
        .data = buf + HEADROOM,
        .len = (uint32_t) size,
        .buf = buf,
        .buf_size = (uint32_t) (HEADROOM + size),
    };
    if (read_again(&pkt, &fresh, &flow)) {
        pkt = fresh;
        for (unsigned int i = 0; i < n_steps; i++) {
            struct step step;

            memcpy(&step, steps + i * sizeof step, sizeof step);
            check_step(&pkt, &step);
        }
    }
    free(buf);
    return 0;
}
