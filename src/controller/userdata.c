#include "controller/userdata.h"

#include "packet/cursor.h"

static const char *const names[N_SERVICES] = {
#define X(ID, NAME) [ID] = NAME,
    SERVICES(X)
#undef X
};

const char *
service_name(enum service_id service)
{
    return names[service];
}

void
userdata_encode(const struct userdata *u, uint8_t out[USERDATA_LEN])
{
    be64 object = htobe64(u->object);

    memset(out, 0, USERDATA_LEN);
    out[0] = USERDATA_VERSION;
    out[1] = (uint8_t) u->service;
    memcpy(&out[4], &object, sizeof object);
}

bool
userdata_decode(const void *data, size_t len, struct userdata *u)
{
    struct cursor c = cursor_init(data, len);
    uint8_t version = cursor_u8(&c), service = cursor_u8(&c);
    uint64_t object;

    cursor_skip(&c, 2);
    object = cursor_u64(&c);
    if (cursor_overrun(&c) || cursor_left(&c)
        || version != USERDATA_VERSION || service >= N_SERVICES) {
        return false;
    }
    *u = (struct userdata) { service, object };
    return true;
}
