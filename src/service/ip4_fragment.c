#include "service/ip4_fragment.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_COPIED = 0x80,
       HEADER_MAX = 60, PIECE_MAX = 65535 };

bool
ip4_may_fragment(const void *frame, size_t len)
{
    const uint8_t *f = frame;
    struct ip4_header ip;

    if (len < ETH_HEADER_LEN + sizeof ip
        || get_be16(f + 12) != htobe16(ETH_TYPE_IP)
        || !ip4_is_sound((const struct ip4_header *) (const void *)
                         (f + ETH_HEADER_LEN), len - ETH_HEADER_LEN)) {
        return false;
    }
    memcpy(&ip, f + ETH_HEADER_LEN, sizeof ip);
    return !(be16toh(ip.frag) & IP4_FRAG_DONT);
}

/* The header of all pieces but the first: options that are not copied are left
 * out.  Its length. */
static size_t
later_header(const uint8_t *header, size_t header_len, uint8_t *later)
{
    size_t n = sizeof(struct ip4_header), i = n;

    memcpy(later, header, n);
    while (i < header_len && header[i] != OPTION_END) {
        size_t len = header[i] == OPTION_NOP ? 1
                     : i + 1 < header_len    ? header[i + 1] : 0;

        if (!len || len > header_len - i
            || (header[i] != OPTION_NOP && len < 2)) {
            break;
        }
        if (header[i] & OPTION_COPIED) {
            memcpy(later + n, header + i, len);
            n += len;
        }
        i += len;
    }
    while (n % 4) {
        later[n++] = OPTION_END;
    }
    later[0] = (uint8_t) (0x40 | n / 4);
    return n;
}

static void
seal(uint8_t *header, size_t header_len, size_t data_len, uint16_t frag)
{
    struct ip4_header ip;

    memcpy(&ip, header, sizeof ip);
    ip.total_len = htobe16((uint16_t) (header_len + data_len));
    ip.frag = htobe16(frag);
    ip.csum = 0;
    memcpy(header, &ip, sizeof ip);
    ip.csum = checksum_fold(checksum_add(0, header, header_len));
    memcpy(header, &ip, sizeof ip);
}

void
ip4_fragment(const void *frame, size_t len UNUSED, uint16_t mtu,
             ip4_fragment_function *emit, void *aux)
{
    const uint8_t *packet = (const uint8_t *) frame + ETH_HEADER_LEN;
    uint8_t piece[ETH_HEADER_LEN + PIECE_MAX], later[HEADER_MAX];
    struct ip4_header ip;
    size_t header_len, later_len, total, done;
    uint16_t frag;

    memcpy(&ip, packet, sizeof ip);
    header_len = ip4_header_len(&ip);
    later_len = later_header(packet, header_len, later);
    total = be16toh(ip.total_len) - header_len;
    frag = be16toh(ip.frag);
    memcpy(piece, frame, ETH_HEADER_LEN);
    for (done = 0; done < total;) {
        const uint8_t *header = done ? later : packet;
        size_t n = done ? later_len : header_len;
        size_t room = (mtu - n) & ~(size_t) 7;
        size_t data = MIN(room, total - done);
        bool is_last = done + data == total;

        memcpy(piece + ETH_HEADER_LEN, header, n);
        memcpy(piece + ETH_HEADER_LEN + n, packet + header_len + done, data);
        seal(piece + ETH_HEADER_LEN, n, data,
             (uint16_t) ((frag & IP4_FRAG_OFS) + done / 8)
             | (is_last ? frag & IP4_FRAG_MORE : IP4_FRAG_MORE));
        emit(aux, piece, ETH_HEADER_LEN + n + data);
        done += data;
    }
}
