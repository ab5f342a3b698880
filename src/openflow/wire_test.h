/* For the codecs' tests: there and back again, bytes from text, and what
 * ovs-ofctl reads out of our bytes. */
#ifndef WEFT_OPENFLOW_WIRE_TEST_H
#define WEFT_OPENFLOW_WIRE_TEST_H

#include <unistd.h>

#include "lib/str.h"
#include "openflow/openflow.h"
#include "unit.h"

static const enum of_version versions[] UNUSED = { OF10, OF13, OF14, OF15 };

/* Encodes, decodes into `out` and encodes again: the same bytes.  The bytes
 * stay in `buf` (whose `out` borrows from them). */
static inline void
round_trip(const struct of_protocol *protocol, const struct of_message *msg,
           struct buf *buf, struct of_message *out)
{
    struct buf again = BUF_INIT;
    struct str why = STR_INIT;
    enum of_error error;

    CHECK_MSG(!of_message_encode(buf, protocol, msg), "%s in %s",
              of_type_name(msg->type), of_version_name(protocol->version));
    CHECK((size_t) of_frame_len(buf->data, buf->len) == buf->len);
    error = of_message_decode(protocol, buf->data, buf->len, out, &why);
    CHECK_MSG(!error, "%s in %s: %s: %s", of_type_name(msg->type),
              of_version_name(protocol->version), of_error_name(error),
              str_text(&why));
    CHECK(out->type == msg->type && out->xid == msg->xid
          && out->version == protocol->version);
    CHECK(!of_message_encode(&again, protocol, out));
    for (size_t i = 0; again.len != buf->len && i < buf->len; i++) {
        print_error("%02x%s", buf->data[i], i % 8 == 7 ? " " : "");
    }
    CHECK_MSG(again.len == buf->len
              && !memcmp(again.data, buf->data, buf->len), "%s in %s",
              of_type_name(msg->type), of_version_name(protocol->version));
    buf_fini(&again);
    str_fini(&why);
}

/* "04 0e0050 ..." */
static inline void
put_hex(struct buf *buf, const char *hex)
{
    unsigned int byte;
    int n;

    while (sscanf(hex, " %2x%n", &byte, &n) == 1) {
        buf_put_u8(buf, (uint8_t) byte);
        hex += n;
    }
}

/* Decodes hex of which the length and version are filled in. */
static inline enum of_error
decode_hex(enum of_version version, const char *hex, struct of_message *msg,
           struct buf *buf)
{
    struct of_protocol protocol = { .version = version };

    buf_clear(buf);
    put_hex(buf, hex);
    buf->data[0] = (uint8_t) version;
    buf_patch_u16(buf, 2, (uint16_t) buf->len);
    return of_message_decode(&protocol, buf->data, buf->len, msg, NULL);
}

/* What hex is, to a decoder. */
struct hex_case {
    const char *hex;
    enum of_error error;
};

static inline void
check_hex(enum of_version version, const struct hex_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf buf = BUF_INIT;
        struct of_message msg;
        enum of_error error = decode_hex(version, cases[i].hex, &msg, &buf);

        CHECK_MSG(error == cases[i].error, "case %zu: %s", i,
                  of_error_name(error));
        if (!error) {
            of_message_fini(&msg);
        }
        buf_fini(&buf);
    }
}

/* What ovs-ofctl says about a stream of messages; skips where there is none. */
static inline void
ovs_parse(const struct buf *buf, struct str *out)
{
    char path[] = "/tmp/of_wire_XXXXXX", command[160], line[4096];
    int fd;
    FILE *pipe;

    if (system("ovs-ofctl --version >/dev/null 2>&1")) {
        skip();
    }
    fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK(write(fd, buf->data, buf->len) == (ssize_t) buf->len);
    close(fd);
    snprintf(command, sizeof command, "ovs-ofctl ofp-parse %s 2>&1", path);
    pipe = popen(command, "r");
    CHECK(pipe);
    while (fgets(line, sizeof line, pipe)) {
        str_add(out, line);
    }
    CHECK_MSG(!pclose(pipe), "%s", str_text(out));
    unlink(path);
}

#define CHECK_SAYS(S, WORDS)                                                 \
    CHECK_MSG(strstr(str_text(S), WORDS), "'%s' not in:\n%s", WORDS,         \
              str_text(S))

#endif
