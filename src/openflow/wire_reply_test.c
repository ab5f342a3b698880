/* What of_reply_*() writes is what of_next_*() reads. */
#include "openflow/reply.h"
#include "openflow/wire_test.h"

static void
begin(struct of_reply *reply, struct buf *buf, const struct of_protocol *p,
      enum of_multipart_type type)
{
    struct of_multipart_request request = { .type = type };

    of_reply_begin(reply, buf, p, 9, &request);
}

static struct of_bytes
receive(const struct of_protocol *p, const struct buf *buf,
        enum of_multipart_type type)
{
    struct of_multipart_reply reply;

    CHECK(of_is_multipart_reply(p, buf->data, buf->len));
    CHECK(!of_multipart_reply_decode(p, buf->data, buf->len, &reply, NULL));
    CHECK(reply.xid == 9 && reply.type == type && !reply.more);
    return reply.body;
}

TEST(ports_come_back)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_protocol p = { .version = versions[i] };
        struct of_port_desc desc = { .number = 3, .name = "web",
                                     .state = PORT_STATE_LINK_DOWN }, out;
        struct buf buf = BUF_INIT;
        struct of_reply reply;
        struct of_bytes body;
        enum of_error error;

        begin(&reply, &buf, &p, MP_PORT_DESC);
        of_reply_port_desc(&reply, &desc);
        desc.number = 4;
        of_reply_port_desc(&reply, &desc);
        of_reply_end(&reply);
        body = receive(&p, &buf, MP_PORT_DESC);
        CHECK(of_next_port(&p, &body, &out, &error) && out.number == 3);
        CHECK(of_next_port(&p, &body, &out, &error) && out.number == 4);
        CHECK(!strcmp(out.name, "web") && out.state & PORT_STATE_LINK_DOWN);
        CHECK(!of_next_port(&p, &body, &out, &error) && !error);
        buf_fini(&buf);
    }
}

TEST(meters_come_back)
{
    struct of_protocol p = { .version = OF15 };
    struct meter_mod mod = { .id = 7, .flags = METER_KBPS | METER_BURST,
                             .n_bands = 1 }, out;
    struct buf buf = BUF_INIT;
    struct of_reply reply;
    struct of_bytes body;
    enum of_error error;

    mod.bands[0] = (struct meter_band) { METER_BAND_DROP, 1000, 50, 0 };
    begin(&reply, &buf, &p, MP_METER_CONFIG);
    of_reply_meter_config(&reply, &mod);
    of_reply_end(&reply);
    body = receive(&p, &buf, MP_METER_CONFIG);
    CHECK(of_next_meter(&p, &body, &out, &error));
    CHECK(out.id == 7 && out.flags == mod.flags && out.n_bands == 1
          && out.bands[0].rate == 1000 && out.bands[0].burst_size == 50);
    CHECK(!of_next_meter(&p, &body, &out, &error) && !error);
    buf_fini(&buf);
}

TEST(what_ends_too_early_is_an_error)
{
    struct of_protocol p = { .version = OF15 };
    struct of_port_desc desc = { .number = 3 }, out;
    struct buf buf = BUF_INIT;
    struct of_reply reply;
    struct flow_mod mod;
    struct meter_mod meter;
    bool is_whole;

    begin(&reply, &buf, &p, MP_PORT_DESC);
    of_reply_port_desc(&reply, &desc);
    of_reply_end(&reply);
    for (size_t len = 1; len < buf.len - 16; len++) {
        struct of_bytes body = { buf.data + 16, len };
        enum of_error error;

        CHECK(!of_next_port(&p, &body, &out, &error) && error);
        body = (struct of_bytes) { buf.data + 16, 1 };
        CHECK(!of_next_meter(&p, &body, &meter, &error) && error);
        CHECK(!of_next_flow(&p, &body, &mod, &is_whole, &error) && error);
    }
    buf_fini(&buf);
}

TESTS(
    RUN(ports_come_back),
    RUN(meters_come_back),
    RUN(what_ends_too_early_is_an_error),
)
