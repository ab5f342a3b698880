/* Ports on real devices: tap, netdev, veth, internal, a VM's tap.
 *
 * Runs as root in a network namespace of its own, which plays the host; the
 * containers are namespaces held by descriptors:
 *
 *     [web: eth0] ---- tap, veth ---- port
 *     [web: eth0] ---- veth ---- [host: dev0] ---- netdev port
 */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet/eth.h"
#include "port/netdev.h"
#include "port/netns.h"
#include "port/nic.h"
#include "port/vnet.h"

static struct port_env env;
static struct packet_pool *pool;
static char netns_path[64];     /* how a port's text names the container */
static int netns_fd;

PRINTF_FORMAT(1, 2)
static void
run(const char *format, ...)
{
    char command[512];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    CHECK_MSG(system(command) == 0, "%s", command);
}

/* In the container. */
static void
run_inside(const char *command)
{
    int home = netns_enter(netns_fd);

    run("%s", command);
    netns_leave(home);
}

PRINTF_FORMAT(1, 2)
static struct port *
plug(const char *format, ...)
{
    struct port_config config;
    struct str error = STR_INIT;
    struct port *port = NULL;
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    CHECK(!port_config_parse(text, &config, &error));
    CHECK_MSG(!port_create(&config, 1, &env, &port, &error), "%s: %s",
              text, str_text(&error));
    CHECK_MSG(port_is_up(port), "%s: %s", text, str_text(&error));
    str_fini(&error);
    return port;
}

/* A link drops what is sent before the kernel, in the background, has taken
 * note of its carrier. */
static void
wait_running(const char *name)
{
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq ifr = { 0 };

    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    for (int i = 0; i < 2000 && !(ifr.ifr_flags & IFF_RUNNING); i++) {
        usleep(1000);
        CHECK(!ioctl(sock, SIOCGIFFLAGS, &ifr));
    }
    CHECK(ifr.ifr_flags & IFF_RUNNING);
    close(sock);
}

/* A socket on the link `name` of the namespace `fd`: what runs there. */
static int
station(int fd, const char *name)
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htobe16(ETH_P_ALL),
    };
    int home = netns_enter(fd);
    int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    int on = 1, size = 1 << 22;

    wait_running(name);
    sll.sll_ifindex = (int) if_nametoindex(name);
    CHECK(sll.sll_ifindex > 0 && sock >= 0);
    setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on);
    setsockopt(sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
    setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    CHECK(!bind(sock, (struct sockaddr *) &sll, sizeof sll));
    netns_leave(home);
    return sock;
}

struct frame {
    struct vnet_header vnet;
    uint8_t data[PACKET_MAX_LEN];
    uint32_t len;
};

static const uint16_t test_type = 0x88b5;       /* for local experiments */

static void
make_frame(struct frame *frame, uint32_t len)
{
    static const uint8_t dst[6] = { 2, 0, 0, 0, 0, 9 };
    static const uint8_t src[6] = { 2, 0, 0, 0, 0, 8 };

    memset(frame, 0, sizeof *frame);
    frame->len = len;
    memcpy(frame->data, dst, 6);
    memcpy(frame->data + 6, src, 6);
    put_be16(frame->data + 12, htobe16(test_type));
    for (uint32_t i = 14; i < len; i++) {
        frame->data[i] = (uint8_t) (i * 7);
    }
}

/* A TCP super-frame over IPv4 with its checksum still owed, behind a VLAN tag
 * if `tagged`. */
static void
make_super_frame(struct frame *frame, uint32_t len, bool tagged)
{
    uint32_t l3 = tagged ? 18 : 14, l4 = l3 + 20;
    uint8_t *p = frame->data;

    make_frame(frame, len);
    if (tagged) {
        put_be16(p + 12, htobe16(ETH_TYPE_VLAN));
        put_be16(p + 14, htobe16(0x2000 | 42));
    }
    put_be16(p + l3 - 2, htobe16(ETH_TYPE_IP));
    memset(p + l3, 0, 40);
    p[l3] = 0x45;
    put_be16(p + l3 + 2, htobe16((uint16_t) (len - l3)));
    p[l3 + 8] = 64;
    p[l3 + 9] = 6;
    put_be32(p + l3 + 12, htobe32(0x0a000001));
    put_be32(p + l3 + 16, htobe32(0x0a000002));
    p[l4 + 12] = 0x50;
    frame->vnet = (struct vnet_header) {
        .flags = OFFLOAD_NEEDS_CSUM,
        .gso_type = GSO_TCPV4,
        .gso_size = 1448,
        .hdr_len = (uint16_t) (l4 + 20),
        .csum_start = (uint16_t) l4,
        .csum_offset = 16,
    };
}

static void
send_frame(int sock, const struct frame *frame)
{
    struct iovec iov[] = {
        { (void *) &frame->vnet, sizeof frame->vnet },
        { (void *) frame->data, frame->len },
    };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

    assert_int_equal(sendmsg(sock, &msg, 0),
                     (int) (sizeof frame->vnet + frame->len));
}

/* The next frame of ours that the station hears; false after `timeout`. */
static bool
hear(int sock, struct frame *frame, uint16_t type, int timeout)
{
    struct pollfd pfd = { .fd = sock, .events = POLLIN };

    while (poll(&pfd, 1, timeout) > 0) {
        struct iovec iov[] = {
            { &frame->vnet, sizeof frame->vnet },
            { frame->data, sizeof frame->data },
        };
        struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
        ssize_t n = recvmsg(sock, &msg, 0);

        if (n < 24) {
            continue;
        }
        frame->len = (uint32_t) n - (uint32_t) sizeof frame->vnet;
        if (get_be16(frame->data + 12) == htobe16(type)) {
            return true;
        }
    }
    return false;
}

static bool
wait_readable(struct port *port, unsigned int queue, int timeout)
{
    struct pollfd pfd = {
        .fd = port->class->rx_fd(port, queue),
        .events = POLLIN,
    };

    return poll(&pfd, 1, timeout) > 0;
}

/* The next packet of an Ethertype that enters the port (a kernel also speaks on
 * its own); NULL after a second without one, or when the device is gone. */
static struct packet *
receive(struct port *port, uint16_t type)
{
    while (wait_readable(port, 0, 1000)) {
        struct batch batch = { 0 };
        struct packet *found = NULL;

        if (port_rx(port, 0, pool, &batch) < 0) {
            return NULL;
        }
        for (unsigned int i = 0; i < batch.n; i++) {
            struct packet *pkt = batch.pkts[i];

            if (!found && get_be16(pkt->data + 12) == htobe16(type)) {
                found = pkt;
            } else {
                packet_free(pkt);
            }
        }
        if (found) {
            return found;
        }
    }
    return NULL;
}

static void
transmit(struct port *port, const struct frame *frame)
{
    struct batch batch = { 0 };
    struct packet *pkt = packet_alloc(pool, frame->len);

    memcpy(pkt->data, frame->data, frame->len);
    pkt->len = frame->len;
    CHECK(vnet_decode(&frame->vnet, pkt));
    batch_add(&batch, pkt);
    port_tx(port, 0, &batch, false);
}

/* Both ways, small and large. */
static void
check_passes_frames(struct port *port, int sock)
{
    static const uint32_t lens[] = { 60, 61, 590, 1513, 1514 };
    static struct frame frame, heard;

    for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
        struct packet *pkt;

        make_frame(&frame, lens[i]);
        send_frame(sock, &frame);
        pkt = receive(port, test_type);
        CHECK_MSG(pkt && pkt->len == lens[i] && pkt->in_port == port->id,
                  "%s: %u bytes, got %u", port->config.type, lens[i],
                  pkt ? pkt->len : 0);
        CHECK(!memcmp(pkt->data, frame.data, lens[i]));
        CHECK(packet_headroom(pkt) >= PACKET_HEADROOM - VLAN_TAG_LEN);
        packet_free(pkt);

        transmit(port, &frame);
        CHECK(hear(sock, &heard, test_type, 1000));
        CHECK(heard.len == lens[i]
              && !memcmp(heard.data, frame.data, lens[i]));
    }
    CHECK(packet_pool_in_use(pool) == 0);
}

static void
make_existing_veth(void)
{
    run("ip link add dev0 type veth peer name eth0 netns %s",
        netns_path);
    run_inside("ip link set eth0 up");
}

TEST(every_class_passes_frames_both_ways)
{
    struct port *port;
    int sock, host_fd;

    port = plug("tap:eth0,netns=%s,mtu=1500", netns_path);
    sock = station(netns_fd, "eth0");
    check_passes_frames(port, sock);
    port_destroy(port);
    close(sock);

    port = plug("veth:eth0,netns=%s", netns_path);
    sock = station(netns_fd, "eth0");
    check_passes_frames(port, sock);
    port_destroy(port);
    close(sock);

    make_existing_veth();
    port = plug("netdev:dev0");
    sock = station(netns_fd, "eth0");
    check_passes_frames(port, sock);
    port_destroy(port);
    close(sock);
    run("ip link del dev0");

    port = plug("internal:int0,addr=192.0.2.1/24");
    host_fd = netns_open("", NULL);
    sock = station(host_fd, "int0");
    check_passes_frames(port, sock);
    port_destroy(port);
    close(sock);
    close(host_fd);
}

TEST(settings_are_made_as_asked_for)
{
    struct port *port = plug("tap:eth0,netns=%s,mtu=9000,queues=2,"
                             "mac=02:00:00:00:77:01,"
                             "addr=10.0.0.1/24+fd00::1/64", netns_path);

    CHECK(port->mtu == 9000 && port->n_rxq == 2 && port->n_txq == 2);
    run_inside("ip link show eth0 | grep -q 'mtu 9000'");
    run_inside("ip link show eth0 | grep -q 02:00:00:00:77:01");
    run_inside("ip link show eth0 | grep -q 'alias weft:test-nic:eth0'");
    run_inside("ip -4 addr show eth0 | grep -q '10.0.0.1/24 brd 10.0.0.255'");
    run_inside("ip -6 addr show eth0 | grep -q 'fd00::1/64'");
    port_destroy(port);
    run_inside("! ip link show eth0 2>/dev/null");

    port = plug("veth:eth0,netns=%s,mtu=1400,queues=2", netns_path);
    CHECK(port->mtu == 1400 && port->n_rxq == 2);
    run_inside("ip link show eth0 | grep -q 'mtu 1400'");
    port_destroy(port);
    run_inside("! ip link show eth0 2>/dev/null");
}

TEST(bad_settings_are_refused)
{
    static const char *const texts[] = {
        "tap:", "tap:a23456789abcdef0", "tap:a/b", "tap:eth0,mtu=x",
        "tap:eth0,mtu=70000", "tap:eth0,queues=0", "tap:eth0,queues=9",
        "tap:eth0,mac=01:00:00:00:00:01", "tap:eth0,mac=2",
        "tap:eth0,netns=../x", "tap:eth0,netns=/etc/passwd",
        "tap:eth0,netns=pid:x", "tap:eth0,addr=10.0.0.1/33",
        "tap:eth0,addr=10.0.0.1", "tap:eth0,nets=x", "tap:eth0,user=root",
        "tap:v0,vm=yes,user=nosuchuser", "tap:v0,vm=maybe",
        "tap:v0,vm=yes,addr=10.0.0.1/24", "netdev:lo", "veth:eth0,vm=yes",
    };
    struct str error = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct port_config config;
        struct port *port = NULL;
        int err = port_config_parse(texts[i], &config, &error);

        CHECK(!err);
        str_clear(&error);
        err = port_create(&config, 1, &env, &port, &error);
        CHECK_MSG(err && err != -ENODEV && !port && error.len,
                  "%s: %d %s", texts[i], err, str_text(&error));
    }
    str_fini(&error);
    run("! ip link show v0 2>/dev/null && ! ip link show eth0 2>/dev/null");
}

TEST(a_64_kb_frame_travels_whole)
{
    static const char *const froms[] = { "tap", "veth" };
    static struct frame frame, heard;

    make_existing_veth();
    run_inside("ip link set eth0 name eth1");
    for (size_t i = 0; i < ARRAY_SIZE(froms); i++) {
        struct port *from = plug("%s:eth0,netns=%s", froms[i], netns_path);
        struct port *to = plug("netdev:dev0");
        int in = station(netns_fd, "eth0"), out = station(netns_fd, "eth1");
        struct batch batch = { 0 };
        struct packet *pkt;

        make_super_frame(&frame, 65000, false);
        send_frame(in, &frame);
        pkt = receive(from, ETH_TYPE_IP);
        CHECK(pkt && pkt->len == 65000 && pkt->offload.gso_size == 1448);
        CHECK(pkt->offload.hdr_len == 54 && packet_n_wire(pkt) == 45);
        CHECK(from->counters.rx_super_frames == 1);

        batch_add(&batch, pkt);
        port_tx(to, 0, &batch, false);
        CHECK(hear(out, &heard, ETH_TYPE_IP, 1000));
        CHECK(heard.len == 65000 && heard.vnet.gso_size == 1448
              && heard.vnet.gso_type == GSO_TCPV4);
        CHECK(!memcmp(heard.data, frame.data, 65000));
        CHECK(to->counters.tx_packets == 45
              && to->counters.tx_super_frames == 1);

        /* And back. */
        send_frame(out, &frame);
        pkt = receive(to, ETH_TYPE_IP);
        CHECK(pkt && pkt->len == 65000);
        batch_add(&batch, pkt);
        port_tx(from, 0, &batch, false);
        CHECK(hear(in, &heard, ETH_TYPE_IP, 1000) && heard.len == 65000);

        close(in);
        close(out);
        port_destroy(from);
        port_destroy(to);
    }
    run("ip link del dev0");
}

TEST(a_vlan_tag_is_restored)
{
    static struct frame frame;
    struct port *port;
    struct packet *pkt;
    int sock;

    make_existing_veth();
    port = plug("netdev:dev0");
    sock = station(netns_fd, "eth0");

    make_super_frame(&frame, 30000, true);
    send_frame(sock, &frame);
    pkt = receive(port, ETH_TYPE_VLAN);
    CHECK(pkt && pkt->len == 30000);
    CHECK(!memcmp(pkt->data, frame.data, 30000));
    CHECK(pkt->offload.csum_start == 18 + 20);
    CHECK(pkt->offload.hdr_len == 18 + 40);
    CHECK(pkt->offload.gso_size == 1448);
    packet_free(pkt);

    /* 802.1ad outside, 802.1Q inside. */
    make_frame(&frame, 100);
    memcpy(frame.data + 12, "\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x06", 10);
    send_frame(sock, &frame);
    pkt = receive(port, ETH_TYPE_QINQ);
    CHECK(pkt && pkt->len == 100 && !memcmp(pkt->data, frame.data, 100));
    packet_free(pkt);

    close(sock);
    port_destroy(port);
    run("ip link del dev0");
}

TEST(nonsense_offload_is_dropped_and_counted)
{
    static struct frame frame;
    struct port *port = plug("tap:eth0,netns=%s", netns_path);
    int sock = station(netns_fd, "eth0");

    make_super_frame(&frame, 1000, false);
    frame.vnet.gso_type = GSO_NONE;
    frame.vnet.gso_size = 0;
    frame.vnet.csum_start = 20;         /* the IP header's own fields */
    frame.vnet.csum_offset = 6;
    send_frame(sock, &frame);
    CHECK(!receive(port, ETH_TYPE_IP));
    CHECK(port->counters.rx_bad_offload == 1);
    CHECK(port->counters.rx_dropped == 1);
    close(sock);
    port_destroy(port);
}

static bool
host_answers_arp(int sock)
{
    static struct frame frame;
    uint8_t *p = frame.data;
    static const uint8_t arp[] = {
        0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 8, 192, 0, 2, 2,
        0, 0, 0, 0, 0, 0, 192, 0, 2, 1,
    };

    make_frame(&frame, 60);
    memset(p, 0xff, 6);
    put_be16(p + 12, htobe16(ETH_TYPE_ARP));
    memcpy(p + 14, arp, sizeof arp);
    send_frame(sock, &frame);
    while (hear(sock, &frame, ETH_TYPE_ARP, 300)) {
        if (frame.data[21] == 2) {
            return true;
        }
    }
    return false;
}

static void
expect_file(const char *path, const char *value)
{
    char text[16] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    CHECK_MSG(!strcmp(text, value), "%s: %s", path, text);
}

TEST(the_host_does_not_hear_a_netdev_port_and_gets_its_device_back)
{
    static const char path[] = "/proc/sys/net/ipv6/conf/dev0/disable_ipv6";
    struct port *port;
    int sock;

    make_existing_veth();
    run("ip addr add 192.0.2.1/24 dev dev0 && ip link set dev0 up");
    sock = station(netns_fd, "eth0");
    CHECK(host_answers_arp(sock));
    expect_file(path, "0\n");

    port = plug("netdev:dev0");
    CHECK(!host_answers_arp(sock));
    {
        struct packet *pkt = receive(port, ETH_TYPE_ARP);

        CHECK(pkt);
        packet_free(pkt);
    }
    expect_file(path, "1\n");
    run("ip -d link show dev0 | grep -q 'promiscuity 1'");

    port_destroy(port);
    CHECK(host_answers_arp(sock));
    expect_file(path, "0\n");
    run("ip -d link show dev0 | grep -q 'promiscuity 0'");
    run("ip link show dev0 | grep -q 'state UP'");
    run("ip addr show dev0 | grep -q 192.0.2.1/24");

    /* A device with an IPv6 address keeps it, and one that was down is put
     * down again. */
    run("ip addr add fd00::7/64 dev dev0");
    port = plug("netdev:dev0");
    CHECK(!host_answers_arp(sock));
    expect_file(path, "0\n");
    port_destroy(port);
    run("ip addr show dev0 | grep -q fd00::7/64");
    run("ip link set dev0 down");
    port = plug("netdev:dev0");
    wait_running("dev0");
    close(sock);
    sock = station(netns_fd, "eth0");
    check_passes_frames(port, sock);
    port_destroy(port);
    run("! ip link show dev0 | grep -q ',UP'");

    close(sock);
    run("ip link del dev0");
}

/* What a worker and the control thread do when a device is lost.  Namespaces
 * are taken apart in the background: that may last. */
static bool
notices_loss(struct port *port)
{
    for (int i = 0; i < 500 && port_is_up(port); i++) {
        if (wait_readable(port, 0, 10)) {
            struct batch batch = { 0 };
            int n = port_rx(port, 0, pool, &batch);

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
    make_existing_veth();
    port = plug("netdev:dev0");
    run("ip link del dev0");
    CHECK(notices_loss(port));
    CHECK(!port_poll_device(port) && port->error == -ENODEV);
    make_existing_veth();
    CHECK(port_poll_device(port));
    sock = station(netns_fd, "eth0");
    check_passes_frames(port, sock);
    close(sock);
    port_destroy(port);
    run("ip link del dev0");

    /* Ours, deleted in the container: made again. */
    port = plug("veth:eth0,netns=%s", netns_path);
    run_inside("ip link del eth0");
    CHECK(notices_loss(port));
    CHECK(port_poll_device(port));
    sock = station(netns_fd, "eth0");
    check_passes_frames(port, sock);
    close(sock);
    port_destroy(port);

    port = plug("tap:eth0,netns=%s", netns_path);
    run_inside("ip link del eth0");
    CHECK(notices_loss(port));
    CHECK(port_poll_device(port));
    sock = station(netns_fd, "eth0");
    check_passes_frames(port, sock);
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

        run("ip netns add %s", name);
        port = plug("%s:eth0,netns=%s", types[i], name);
        run("ip netns del %s", name);
        CHECK(notices_loss(port));
        CHECK(!port_poll_device(port));
        CHECK(port->error == -ENODEV);

        run("ip netns add %s", name);
        CHECK(port_poll_device(port));
        fd = netns_open(name, &error);
        CHECK(fd >= 0);
        sock = station(fd, "eth0");
        check_passes_frames(port, sock);
        close(sock);
        close(fd);
        port_destroy(port);
        run("ip netns del %s", name);
        str_fini(&error);
    }
}

TEST(a_link_that_is_set_down_is_not_gone)
{
    struct port *port;
    struct frame *frame = xzalloc(sizeof *frame);
    struct batch batch = { 0 };
    int sock;

    make_existing_veth();
    port = plug("netdev:dev0");
    run("ip link set dev0 down");
    wait_readable(port, 0, 1000);
    CHECK(port_rx(port, 0, pool, &batch) == 0);
    make_frame(frame, 100);
    transmit(port, frame);
    CHECK(port->counters.tx_link_down == 1 && port_is_up(port));
    run("ip link set dev0 up");
    sock = station(netns_fd, "eth0");
    check_passes_frames(port, sock);
    close(sock);
    port_destroy(port);
    run("ip link del dev0");

    port = plug("tap:eth0,netns=%s", netns_path);
    run_inside("ip link set eth0 down");
    transmit(port, frame);
    CHECK(port->counters.tx_link_down == 1 && port_is_up(port));
    run_inside("ip link set eth0 up");
    sock = station(netns_fd, "eth0");
    check_passes_frames(port, sock);
    close(sock);
    port_destroy(port);
    free(frame);
}

TEST(frames_longer_than_the_device_takes_are_counted)
{
    static struct frame frame;
    struct port *port;

    make_existing_veth();
    port = plug("netdev:dev0");
    make_frame(&frame, 3000);
    transmit(port, &frame);
    CHECK(port->counters.tx_too_long == 1 && port->counters.tx_dropped == 1);
    CHECK(port->counters.tx_packets == 0 && port->counters.tx_bytes == 0);
    port_destroy(port);
    run("ip link del dev0");
}

/* Opens the char device as a VM manager does. */
static int
open_as_vm(const char *name)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    CHECK(fd >= 0 && !ioctl(fd, TUNSETIFF, &ifr));
    wait_running(name);
    return fd;
}

TEST(a_vms_tap_is_made_for_its_manager)
{
    static struct frame frame, heard;
    struct port *port = plug("tap:vm0,vm=yes,user=nobody,mtu=2000");
    uint8_t bytes[4096];
    struct packet *pkt;
    ssize_t n;
    int fd;

    run("ip -d link show vm0 | grep -q 'persist on'");
    run("ip -d link show vm0 | grep -q 'mtu 2000'");
    run("ip -d link show vm0 | grep -q 'user nobody'");
    fd = open_as_vm("vm0");

    make_frame(&frame, 200);
    memcpy(bytes, &frame.vnet, sizeof frame.vnet);
    memcpy(bytes + sizeof frame.vnet, frame.data, 200);
    CHECK(write(fd, bytes, 210) == 210);
    pkt = receive(port, test_type);
    CHECK(pkt && pkt->len == 200);
    packet_free(pkt);

    transmit(port, &frame);
    do {
        n = read(fd, &heard, sizeof heard);
        CHECK(n > 0);
    } while (get_be16(heard.data + 12) != htobe16(test_type));
    CHECK(n == 210 && !memcmp(heard.data, frame.data, 200));

    close(fd);
    port_destroy(port);
    run("! ip link show vm0 2>/dev/null");
}

static unsigned int
count_fds(const char *dir)
{
    DIR *d = opendir(dir);
    unsigned int n = 0;

    CHECK(d);
    while (readdir(d)) {
        n++;
    }
    closedir(d);
    return n;
}

static void
helper_fds_dir(char dir[64])
{
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    char text[32] = "";

    CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    snprintf(dir, 64, "/proc/%d/fd", atoi(text));
}

TEST(two_hundred_cycles_leave_nothing)
{
    const char *texts[][2] = {
        { "tap:eth0,netns=", netns_path },
        { "veth:eth0,queues=2,netns=", netns_path },
        { "netdev:dev0", "" },
        { "tap:vm0,vm=yes", "" },
        { "internal:int0", "" },
    };
    char helpers[64];
    unsigned int n_ours = count_fds("/proc/self/fd");
    unsigned int n_helpers;

    helper_fds_dir(helpers);
    n_helpers = count_fds(helpers);
    run("ip link add dev0 type veth peer name dev1");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        for (unsigned int k = 0; k < 200; k++) {
            port_destroy(plug("%s%s", texts[i][0], texts[i][1]));
        }
        assert_int_equal(count_fds("/proc/self/fd"), n_ours);
        assert_int_equal(count_fds(helpers), n_helpers);
    }
    run("ip link del dev0");
    run("! ip -o link | grep -qv -e lo: -e ifb");
    run("test -z \"$(nft list tables)\"");
    run_inside("! ip -o link | grep -qv -e lo: -e ifb");
}

static int
set_up(void **state UNUSED)
{
    struct helper_options options = { .instance = "test-nic" };
    struct str error = STR_INIT;

    if (geteuid()) {
        print_message("needs root: skipped\n");
        exit(77);
    }
    if (unshare(CLONE_NEWNET)) {
        print_message("no network namespaces here: skipped\n");
        exit(77);
    }
    netns_fd = netns_create_private();
    if (netns_fd < 0 || helper_spawn(&options, &env.helper, &error)) {
        print_error("%s\n", str_text(&error));
        return -1;
    }
    run("ip link set lo up");
    run_inside("echo 0 | tee /proc/sys/net/ipv6/conf/all/disable_ipv6"
               " > /proc/sys/net/ipv6/conf/default/disable_ipv6");
    snprintf(netns_path, sizeof netns_path, "/proc/%d/fd/%d", getpid(),
             netns_fd);
    pool = packet_pool_create(256, 64);
    return 0;
}

static int
tear_down(void **state UNUSED)
{
    helper_close(env.helper);
    packet_pool_destroy(pool);
    close(netns_fd);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(every_class_passes_frames_both_ways),
        RUN(settings_are_made_as_asked_for),
        RUN(bad_settings_are_refused),
        RUN(a_64_kb_frame_travels_whole),
        RUN(a_vlan_tag_is_restored),
        RUN(nonsense_offload_is_dropped_and_counted),
        RUN(the_host_does_not_hear_a_netdev_port_and_gets_its_device_back),
        RUN(a_device_that_goes_and_returns_takes_the_port_along),
        RUN(a_namespace_that_goes_and_returns_takes_the_port_along),
        RUN(a_link_that_is_set_down_is_not_gone),
        RUN(frames_longer_than_the_device_takes_are_counted),
        RUN(a_vms_tap_is_made_for_its_manager),
        RUN(two_hundred_cycles_leave_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
