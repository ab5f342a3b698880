#include "unit.h"

#include "port/port_class.h"

static const char *
reformat(const char *text, struct str *out)
{
    struct port_config config;

    str_clear(out);
    if (port_config_parse(text, &config, out)) {
        return "error";
    }
    str_clear(out);
    port_config_format(&config, out);
    return str_text(out);
}

TEST(port_texts_come_back_in_full)
{
    static const char *const rows[][2] = {
        { "tap:tap1,netns=web", "tap1=tap:tap1,netns=web" },
        { "1=netdev:veth1", "1=netdev:veth1" },
        { "null", "null=null:" },
        { "null:", "null=null:" },
        { "n0=null:", "n0=null:" },
        { "pcap:in=a.pcap,out=b.pcap", "pcap=pcap:in=a.pcap,out=b.pcap" },
        { "p=impair:peer=p2,loss=1%,seed=7",
          "p=impair:peer=p2,loss=1%,seed=7" },
        { "null,a=b", "null=null:a=b" },
        { "veth:eth0,netns=pid:12,addr=10.0.0.1/24",
          "eth0=veth:eth0,netns=pid:12,addr=10.0.0.1/24" },
    };
    struct str out = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_string_equal(reformat(rows[i][0], &out), rows[i][1]);
        /* What was written out reads as itself. */
        assert_string_equal(reformat(rows[i][1], &out), rows[i][1]);
    }
    str_fini(&out);
}

TEST(bad_port_texts_are_refused_with_a_place)
{
    static const char *const rows[][2] = {
        { "", "expected TYPE" },
        { ":x", "expected TYPE" },
        { "=tap:x", "port name" },
        { "a=b=c", "expected TYPE" },
        { "tap:x,", "expected KEY=VALUE, at character 7" },
        { "tap:x,netns", "expected KEY=VALUE, at character 7" },
        { "tap:x,=1", "expected KEY=VALUE" },
        { "tap:x,a=1,a=2", "option given twice, at character 11" },
        { "tap:a\tb", "bad or too long device" },
        { "averyveryverylongtype:x", "expected TYPE" },
    };
    struct port_config config = { .name = "kept" };
    struct str error = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(port_config_parse(rows[i][0], &config, &error) == -EINVAL);
        CHECK_MSG(strstr(str_text(&error), rows[i][1]), "'%s': %s",
                  rows[i][0], str_text(&error));
    }
    assert_string_equal(config.name, "kept");
    str_fini(&error);
}

TEST(a_misspelt_type_is_refused)
{
    struct port_config config;
    struct str error = STR_INIT;
    struct port *port = NULL;

    CHECK(!port_config_parse("p=nosuchtype:x", &config, &error));
    CHECK(port_create(&config, 1, NULL, &port, &error) == -EINVAL);
    CHECK(strstr(str_text(&error), "unknown type 'nosuchtype'"));
    CHECK(!port);
    str_fini(&error);
}

/* A class whose device the test takes away and gives back. */
struct fake {
    struct port port;
    int open_error;
    unsigned int n_opens, n_closes;
};

static int
fake_open(struct port *port, struct str *error UNUSED)
{
    struct fake *fake = CONTAINER_OF(port, struct fake, port);

    if (!fake->open_error) {
        fake->n_opens++;
    }
    return fake->open_error;
}

static void
fake_close(struct port *port)
{
    CONTAINER_OF(port, struct fake, port)->n_closes++;
}

/* Takes frames of up to 100 bytes. */
static void
fake_tx(struct port *port, unsigned int queue UNUSED, struct batch *batch,
        bool borrow)
{
    for (unsigned int i = 0; i < batch->n; i++) {
        if (batch->pkts[i]->len > 100) {
            port_drop_tx(port, batch->pkts[i], &port->counters.tx_too_long);
        }
    }
    if (!borrow) {
        batch_free_all(batch);
    }
}

static const struct port_class fake_class = {
    .type = "fake",
    .size = sizeof(struct fake),
    .open = fake_open,
    .close = fake_close,
    .tx = fake_tx,
};

TEST(a_lost_device_is_closed_once_and_comes_back)
{
    struct fake fake = { .port = { .class = &fake_class, .n_txq = 1 } };
    struct port *port = &fake.port;

    CHECK(port_poll_device(port));
    CHECK(port_is_up(port) && fake.n_opens == 1);

    port_fail(port, -ENODEV);
    port_fail(port, -EIO);
    CHECK(!port_is_up(port) && atomic_load(&port->error) == -ENODEV);
    /* Not reopened while the old device is still held. */
    CHECK(!port_poll_device(port) && fake.n_opens == 1);

    port_close_failed(port);
    port_close_failed(port);
    CHECK(fake.n_closes == 1);

    fake.open_error = -ENODEV;
    CHECK(!port_poll_device(port));
    fake.open_error = 0;
    CHECK(port_poll_device(port) && fake.n_opens == 2);
    CHECK(port_is_up(port) && atomic_load(&port->error) == 0);

    /* An open port is not closed as failed. */
    port_close_failed(port);
    CHECK(fake.n_closes == 1);
}

TEST(tx_counts_wire_packets_that_were_not_dropped)
{
    struct packet_pool *pool = packet_pool_create(4, 1);
    struct fake fake = { .port = { .class = &fake_class, .n_txq = 1 } };
    struct port_counters *c = &fake.port.counters;
    struct batch batch = { 0 };

    for (unsigned int len = 60; len <= 140; len += 40) {
        batch_add(&batch, packet_alloc(pool, len));
        batch.pkts[batch.n - 1]->len = len;
    }
    batch.pkts[1]->offload = (struct offload) {
        .gso_type = GSO_TCPV4, .gso_size = 20, .hdr_len = 54,
    };
    port_tx(&fake.port, 0, &batch, false);

    CHECK(c->tx_packets == 1 + 3 && c->tx_bytes == 60 + 100);
    CHECK(c->tx_dropped == 1 && c->tx_too_long == 1);
    CHECK(c->tx_dropped_bytes == 140 && c->tx_super_frames == 1);
    CHECK(packet_pool_in_use(pool) == 0);
    packet_pool_destroy(pool);
}

TESTS(
    RUN(port_texts_come_back_in_full),
    RUN(bad_port_texts_are_refused_with_a_place),
    RUN(a_misspelt_type_is_refused),
    RUN(a_lost_device_is_closed_once_and_comes_back),
    RUN(tx_counts_wire_packets_that_were_not_dropped),
)
