#include "service/binding.h"

#include "packet/address.h"
#include "packet/cursor.h"

enum { RECORD_LEN = 24 };
static_assert(BINDING_BYTES_MAX == BINDING_MAX * RECORD_LEN, "binding.h");

const char *
binding_result_name(enum binding_result result)
{
    static const char *const names[] = {
#define X(ID, NAME, TEXT) [ID] = NAME,
        BINDING_RESULTS(X)
#undef X
    };

    return names[result];
}

enum binding_result
binding_announce(struct binding_list *list, const struct ip6_addr *addr,
                 unix_sec now)
{
    struct binding *oldest = &list->at[0];

    for (unsigned int i = 0; i < list->n; i++) {
        struct binding *b = &list->at[i];

        if (ip6_addr_eq(b->addr, *addr)) {
            b->announced = now;
            return BINDING_KNOWN;
        }
        oldest = b->announced < oldest->announced ? b : oldest;
    }
    if (list->n < BINDING_MAX) {
        oldest = &list->at[list->n++];
    } else if (now - oldest->announced < BINDING_HOLD) {
        return BINDING_TOO_MANY;
    }
    *oldest = (struct binding) { *addr, now };
    return BINDING_NEW;
}

bool
binding_is_choice(const struct ip6_addr *addr, const struct ip6_addr *prefix,
                  uint8_t prefix_len, bool is_slaac)
{
    static const struct ip6_addr link_local = { { 0xfe, 0x80 } };

    if (ip6_is_within(*addr, link_local, 64)) {
        return !ip6_addr_eq(*addr, link_local);
    }
    return is_slaac && ip6_is_within(*addr, *prefix, prefix_len)
           && !ip6_addr_eq(*addr, ip6_masked(*addr, prefix_len));
}

size_t
binding_encode(const struct binding_list *list,
               uint8_t out[BINDING_BYTES_MAX])
{
    for (unsigned int i = 0; i < list->n; i++) {
        be64 announced = htobe64((uint64_t) list->at[i].announced);
        uint8_t *p = out + (size_t) i * RECORD_LEN;

        memcpy(p, &list->at[i].addr, 16);
        memcpy(p + 16, &announced, sizeof announced);
    }
    return (size_t) list->n * RECORD_LEN;
}

int
binding_decode(const void *data, size_t len, struct binding_list *out)
{
    struct cursor c = cursor_init(data, len);
    struct binding_list list = { .n = (unsigned int) (len / RECORD_LEN) };

    if (len % RECORD_LEN || len > BINDING_BYTES_MAX) {
        return -EBADMSG;
    }
    for (unsigned int i = 0; i < list.n; i++) {
        memcpy(&list.at[i].addr, cursor_take(&c, 16), 16);
        list.at[i].announced = (unix_sec) cursor_u64(&c);
    }
    *out = list;
    return 0;
}
