#include "cli/pcapng.h"

enum {
    MAX_BLOCK = 1 << 20,
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    HEAD = 8,                     /* type and length */
    PACKET_FIXED = HEAD + 20,
    STATISTICS_FIXED = HEAD + 12,
    TAIL = 4,
    EPB_FLAGS = 2, EPB_OUTBOUND = 2, EPB_DIRECTION = 3,
    ISB_IFDROP = 5,
};

static uint32_t
get_u32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof value);
    return value;
}

/* The value of option `code` among those in [p, end), when it is `size` long. */
static const uint8_t *
find_option(const uint8_t *p, const uint8_t *end, uint16_t code,
            uint16_t size)
{
    while (end - p >= 4) {
        uint32_t head = get_u32(p);
        uint16_t len = (uint16_t) (head >> 16);

        p += 4;
        if (end - p < len) {
            return NULL;
        }
        if ((head & 0xffff) == code && len == size) {
            return p;
        }
        p += MIN((len + 3) & ~3, end - p);
    }
    return NULL;
}

static int
take_frame(struct pcapng *ng, const uint8_t *block, uint32_t len)
{
    const uint8_t *end = block + len - TAIL;
    struct pcapng_frame frame;
    const uint8_t *flags;
    uint32_t padded;

    if (len < PACKET_FIXED + TAIL) {
        return -EBADMSG;
    }
    frame.len = get_u32(block + 20);
    frame.wire_len = get_u32(block + 24);
    if (frame.len > (uint32_t) (end - block) - PACKET_FIXED) {
        return -EBADMSG;
    }
    frame.time = (nsec) ((uint64_t) get_u32(block + 12) << 32
                         | get_u32(block + 16));
    frame.data = block + PACKET_FIXED;
    padded = MIN((frame.len + 3) & ~3u,
                 (uint32_t) (end - block) - PACKET_FIXED);
    flags = find_option(frame.data + padded, end, EPB_FLAGS, 4);
    frame.is_tx = flags && (get_u32(flags) & EPB_DIRECTION) == EPB_OUTBOUND;
    return ng->frame(ng->aux, &frame);
}

static int
take_block(struct pcapng *ng, const uint8_t *block, uint32_t len)
{
    const uint8_t *lost;

    switch (get_u32(block)) {
    case BLOCK_SECTION:
        return len >= 28 && get_u32(block + HEAD) == BYTE_ORDER_MAGIC
                   ? 1 : -EBADMSG;
    case BLOCK_PACKET:
        return take_frame(ng, block, len);
    case BLOCK_STATISTICS:
        if (len < STATISTICS_FIXED + TAIL) {
            return -EBADMSG;
        }
        lost = find_option(block + STATISTICS_FIXED, block + len - TAIL,
                           ISB_IFDROP, 8);
        if (lost) {
            memcpy(&ng->n_lost, lost, sizeof ng->n_lost);
        }
        return 1;
    default:
        return 1;
    }
}

int
pcapng_feed(struct pcapng *ng, const void *data, size_t data_len)
{
    const uint8_t *p;
    size_t left;
    int result = 1;

    str_add_bytes(&ng->pending, data, data_len);
    p = (const uint8_t *) ng->pending.text;
    left = ng->pending.len;
    while (result > 0 && left >= HEAD) {
        uint32_t len = get_u32(p + 4);

        if (len < HEAD + TAIL || len % 4 || len > MAX_BLOCK) {
            return -EBADMSG;
        }
        if (left < len) {
            break;
        }
        result = take_block(ng, p, len);
        p += len;
        left -= len;
    }
    memmove(ng->pending.text, p, left);
    ng->pending.len = left;
    return result;
}

void
pcapng_fini(struct pcapng *ng)
{
    str_fini(&ng->pending);
}
