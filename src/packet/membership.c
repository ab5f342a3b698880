#include "packet/membership.h"

#include "packet/address.h"

unsigned int
membership_code8(uint8_t code)
{
    return code < 0x80 ? code : ((code & 0xfu) | 0x10) << ((code >> 4 & 7) + 3);
}

unsigned int
membership_code16(uint16_t code)
{
    return code < 0x8000 ? code
                         : ((code & 0xfffu) | 0x1000)
                           << ((code >> 12 & 7) + 3);
}

bool
membership_is_for_all(const struct ip6_addr *group)
{
    if (ip6_is_mapped4(group)) {
        return !memcmp(&group->b[12], "\xe0\0", 3);
    }
    return (group->b[1] & 0xf) <= 2;
}

static void
read_address(struct cursor *c, bool is_ip6, struct ip6_addr *address)
{
    const uint8_t *p = cursor_take(c, is_ip6 ? 16 : 4);

    if (!p) {
        *address = (struct ip6_addr) { { 0 } };
    } else if (is_ip6) {
        memcpy(address, p, sizeof *address);
    } else {
        *address = ip6_of_ip4(get_be32(p));
    }
}

/* False: the record is cut short, of no kind, or about no group. */
static bool
read_record(struct cursor *c, bool is_ip6, struct membership_record *record)
{
    uint8_t kind = cursor_u8(c), aux_words = cursor_u8(c);

    record->kind = kind;
    record->n_sources = cursor_u16(c);
    read_address(c, is_ip6, &record->group);
    cursor_skip(c, (is_ip6 ? 16 : 4) * (size_t) record->n_sources
                   + 4 * (size_t) aux_words);
    return !cursor_overrun(c) && kind >= IS_INCLUDE && kind <= BLOCK_SOURCES
           && ip6_is_group(&record->group);
}

bool
membership_read_records(struct membership_message *m, struct cursor *c,
                        unsigned int n)
{
    struct membership_record record;

    m->n_records = n;
    m->records = *c;
    for (unsigned int i = 0; i < n; i++) {
        if (!read_record(c, m->is_ip6, &record)) {
            return false;
        }
    }
    return true;
}

bool
membership_next(struct membership_message *m,
                struct membership_record *record)
{
    if (!m->n_records) {
        return false;
    }
    m->n_records--;
    if (m->records.p) {
        return read_record(&m->records, m->is_ip6, record);
    }
    *record = m->only;
    return true;
}
