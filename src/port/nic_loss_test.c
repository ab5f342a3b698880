/* Devices, namespaces and links that go, and return: what becomes of the ports
 * on them. */
#include "port/nic_lab_test.h"

#include <unistd.h>

#include "packet/eth.h"
#include "port/netns.h"

/* What a worker and the control thread do when a device is lost.  Namespaces
 * are taken apart in the background: that may last. */
static bool
notices_loss(struct port *port)
{
    for (int i = 0; i < 500 && port_is_up(port); i++) {
        if (lab_wait_readable(port, 0, 10)) {
            struct batch batch = { 0 };
            int n = port_rx(port, 0, lab.pool, &batch);

            batch_free_all(&batch);
            if (n < 0) {
                port_fail(port, n);
            }
        }
        port_check_device(port);
    }
    if (port_is_up(port)) {
        return false;
    }
    port_close_failed(port);
    return true;
}

TEST(a_device_that_goes_and_returns_takes_the_port_along)
{
    struct port *port;
    int sock;

    /* netdev: somebody else's device. */
    lab_make_veth();
    port = lab_plug("netdev:dev0");
    lab_run("ip link del dev0");
    CHECK(notices_loss(port));
    CHECK(!port_poll_device(port) && port->error == -ENODEV);
    lab_make_veth();
    CHECK(port_poll_device(port));
    sock = lab_station(lab.netns_fd, "eth0");
    lab_check_passes_frames(port, sock);
    close(sock);
    port_destroy(port);
    lab_run("ip link del dev0");

    /* Ours, deleted in the container: made again. */
    port = lab_plug("veth:eth0,netns=%s", lab.netns_path);
    lab_run_inside("ip link del eth0");
    CHECK(notices_loss(port));
    CHECK(port_poll_device(port));
    sock = lab_station(lab.netns_fd, "eth0");
    lab_check_passes_frames(port, sock);
    close(sock);
    port_destroy(port);

    port = lab_plug("tap:eth0,netns=%s", lab.netns_path);
    lab_run_inside("ip link del eth0");
    CHECK(notices_loss(port));
    CHECK(port_poll_device(port));
    sock = lab_station(lab.netns_fd, "eth0");
    lab_check_passes_frames(port, sock);
    close(sock);
    port_destroy(port);
}

TEST(a_namespace_that_goes_and_returns_takes_the_port_along)
{
    static const char *const types[] = { "tap", "veth" };
    char name[32];

    snprintf(name, sizeof name, "weft-test-%d", getpid());
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct port *port;
        struct str error = STR_INIT;
        int fd, sock;

        lab_run("ip netns add %s", name);
        port = lab_plug("%s:eth0,netns=%s", types[i], name);
        lab_run("ip netns del %s", name);
        CHECK(notices_loss(port));
        CHECK(!port_poll_device(port));
        CHECK(port->error == -ENODEV);

        lab_run("ip netns add %s", name);
        CHECK(port_poll_device(port));
        fd = netns_open(name, &error);
        CHECK(fd >= 0);
        sock = lab_station(fd, "eth0");
        lab_check_passes_frames(port, sock);
        close(sock);
        close(fd);
        port_destroy(port);
        lab_run("ip netns del %s", name);
        str_fini(&error);
    }
}

TEST(a_link_that_is_set_down_is_not_gone)
{
    struct port *port;
    struct lab_frame *frame = xzalloc(sizeof *frame);
    struct batch batch = { 0 };
    int sock;

    lab_make_veth();
    port = lab_plug("netdev:dev0");
    lab_run("ip link set dev0 down");
    lab_wait_readable(port, 0, 1000);
    CHECK(port_rx(port, 0, lab.pool, &batch) == 0);
    lab_make_frame(frame, 100);
    lab_transmit(port, frame);
    CHECK(port->counters.tx_link_down == 1 && port_is_up(port));
    lab_run("ip link set dev0 up");
    sock = lab_station(lab.netns_fd, "eth0");
    lab_check_passes_frames(port, sock);
    close(sock);
    port_destroy(port);
    lab_run("ip link del dev0");

    port = lab_plug("tap:eth0,netns=%s", lab.netns_path);
    lab_run_inside("ip link set eth0 down");
    lab_transmit(port, frame);
    CHECK(port->counters.tx_link_down == 1 && port_is_up(port));
    lab_run_inside("ip link set eth0 up");
    sock = lab_station(lab.netns_fd, "eth0");
    lab_check_passes_frames(port, sock);
    close(sock);
    port_destroy(port);
    free(frame);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_device_that_goes_and_returns_takes_the_port_along),
        RUN(a_namespace_that_goes_and_returns_takes_the_port_along),
        RUN(a_link_that_is_set_down_is_not_gone),
    };

    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
