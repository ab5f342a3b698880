#include "packet/crc32c.h"

#include "packet/ip.h"

uint32_t
crc32c_add_by_table(uint32_t crc, const void *data_, size_t len)
{
    /* What four bits do to the remainder; polynomial 0x82f63b78, reflected. */
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
        0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const uint8_t *data = data_;

    for (; len; data++, len--) {
        crc ^= *data;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
add_by_instruction(uint32_t crc, const uint8_t *data, size_t len)
{
    uint64_t wide = crc;

    for (; len >= 8; data += 8, len -= 8) {
        wide = __builtin_ia32_crc32di(wide, get_be64(data));
    }
    crc = (uint32_t) wide;
    for (; len; data++, len--) {
        crc = __builtin_ia32_crc32qi(crc, *data);
    }
    return crc;
}
#endif

uint32_t
crc32c_add(uint32_t crc, const void *data, size_t len)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) {
        return add_by_instruction(crc, data, len);
    }
#endif
    return crc32c_add_by_table(crc, data, len);
}

be32
crc32c_sctp(const uint8_t *sctp, size_t len)
{
    static const uint8_t zero[4];
    uint32_t crc = crc32c_add(CRC32C_INIT, sctp, SCTP_CSUM_OFS);

    crc = crc32c_add(crc, zero, sizeof zero);
    crc = crc32c_add(crc, sctp + SCTP_HEADER_LEN, len - SCTP_HEADER_LEN);
    /* The remainder is sent least significant byte first. */
    return htole32(crc32c_finish(crc));
}
