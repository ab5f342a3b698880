/* Ports on real devices: tap, netdev, veth, internal, a VM's tap. */
#include "port/nic_lab_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "packet/eth.h"
#include "port/netns.h"

/* A TCP super-frame over IPv4 with its checksum still owed, behind a VLAN tag
 * if `tagged`. */
static void
make_super_frame(struct lab_frame *frame, uint32_t len, bool tagged)
{
    uint32_t l3 = tagged ? 18 : 14, l4 = l3 + 20;
    uint8_t *p = frame->data;

    lab_make_frame(frame, len);
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

TEST(every_class_passes_frames_both_ways)
{
    struct port *port;
    int sock, host_fd;

    port = lab_plug("tap:eth0,netns=%s,mtu=1500", lab.netns_path);
    sock = lab_station(lab.netns_fd, "eth0");
    lab_check_passes_frames(port, sock);
    port_destroy(port);
    close(sock);

    port = lab_plug("veth:eth0,netns=%s", lab.netns_path);
    sock = lab_station(lab.netns_fd, "eth0");
    lab_check_passes_frames(port, sock);
    port_destroy(port);
    close(sock);

    lab_make_veth();
    port = lab_plug("netdev:dev0");
    sock = lab_station(lab.netns_fd, "eth0");
    lab_check_passes_frames(port, sock);
    port_destroy(port);
    close(sock);
    lab_run("ip link del dev0");

    port = lab_plug("internal:int0,addr=192.0.2.1/24");
    host_fd = netns_open("", NULL);
    sock = lab_station(host_fd, "int0");
    lab_check_passes_frames(port, sock);
    port_destroy(port);
    close(sock);
    close(host_fd);
}

TEST(settings_are_made_as_asked_for)
{
    struct port *port = lab_plug("tap:eth0,netns=%s,mtu=9000,queues=2,"
                                 "mac=02:00:00:00:77:01,"
                                 "addr=10.0.0.1/24+fd00::1/64", lab.netns_path);

    CHECK(port->mtu == 9000 && port->n_rxq == 2 && port->n_txq == 2);
    lab_run_inside("ip link show eth0 | grep -q 'mtu 9000'");
    lab_run_inside("ip link show eth0 | grep -q 02:00:00:00:77:01");
    lab_run_inside("ip link show eth0 | grep -q 'alias weft:test-nic:eth0'");
    lab_run_inside("ip -4 addr show eth0"
                   " | grep -q '10.0.0.1/24 brd 10.0.0.255'");
    lab_run_inside("ip -6 addr show eth0 | grep -q 'fd00::1/64'");
    port_destroy(port);
    lab_run_inside("! ip link show eth0 2>/dev/null");

    port = lab_plug("veth:eth0,netns=%s,mtu=1400,queues=2", lab.netns_path);
    CHECK(port->mtu == 1400 && port->n_rxq == 2);
    lab_run_inside("ip link show eth0 | grep -q 'mtu 1400'");
    port_destroy(port);
    lab_run_inside("! ip link show eth0 2>/dev/null");
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
        err = port_create(&config, 1, &lab.env, &port, &error);
        CHECK_MSG(err && err != -ENODEV && !port && error.len,
                  "%s: %d %s", texts[i], err, str_text(&error));
    }
    str_fini(&error);
    lab_run("! ip link show v0 2>/dev/null && ! ip link show eth0 2>/dev/null");
}

TEST(a_64_kb_frame_travels_whole)
{
    static const char *const froms[] = { "tap", "veth" };
    static struct lab_frame frame, heard;

    lab_make_veth();
    lab_run_inside("ip link set eth0 name eth1");
    for (size_t i = 0; i < ARRAY_SIZE(froms); i++) {
        struct port *from = lab_plug("%s:eth0,netns=%s", froms[i],
                                     lab.netns_path);
        struct port *to = lab_plug("netdev:dev0");
        int in = lab_station(lab.netns_fd, "eth0");
        int out = lab_station(lab.netns_fd, "eth1");
        struct batch batch = { 0 };
        struct packet *pkt;

        make_super_frame(&frame, 65000, false);
        lab_send(in, &frame);
        pkt = lab_receive(from, ETH_TYPE_IP);
        CHECK(pkt && pkt->len == 65000 && pkt->offload.gso_size == 1448);
        CHECK(pkt->offload.hdr_len == 54 && packet_n_wire(pkt) == 45);
        CHECK(from->counters.rx_super_frames == 1);

        batch_add(&batch, pkt);
        port_tx(to, 0, &batch, false);
        CHECK(lab_hear(out, &heard, ETH_TYPE_IP, 1000));
        CHECK(heard.len == 65000 && heard.vnet.gso_size == 1448
              && heard.vnet.gso_type == GSO_TCPV4);
        CHECK(!memcmp(heard.data, frame.data, 65000));
        CHECK(to->counters.tx_packets == 45
              && to->counters.tx_super_frames == 1);

        /* And back. */
        lab_send(out, &frame);
        pkt = lab_receive(to, ETH_TYPE_IP);
        CHECK(pkt && pkt->len == 65000);
        batch_add(&batch, pkt);
        port_tx(from, 0, &batch, false);
        CHECK(lab_hear(in, &heard, ETH_TYPE_IP, 1000) && heard.len == 65000);

        close(in);
        close(out);
        port_destroy(from);
        port_destroy(to);
    }
    lab_run("ip link del dev0");
}

TEST(a_vlan_tag_is_restored)
{
    static struct lab_frame frame;
    struct port *port;
    struct packet *pkt;
    int sock;

    lab_make_veth();
    port = lab_plug("netdev:dev0");
    sock = lab_station(lab.netns_fd, "eth0");

    make_super_frame(&frame, 30000, true);
    lab_send(sock, &frame);
    pkt = lab_receive(port, ETH_TYPE_VLAN);
    CHECK(pkt && pkt->len == 30000);
    CHECK(!memcmp(pkt->data, frame.data, 30000));
    CHECK(pkt->offload.csum_start == 18 + 20);
    CHECK(pkt->offload.hdr_len == 18 + 40);
    CHECK(pkt->offload.gso_size == 1448);
    packet_free(pkt);

    /* 802.1ad outside, 802.1Q inside. */
    lab_make_frame(&frame, 100);
    memcpy(frame.data + 12, "\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x06", 10);
    lab_send(sock, &frame);
    pkt = lab_receive(port, ETH_TYPE_QINQ);
    CHECK(pkt && pkt->len == 100 && !memcmp(pkt->data, frame.data, 100));
    packet_free(pkt);

    close(sock);
    port_destroy(port);
    lab_run("ip link del dev0");
}

TEST(nonsense_offload_is_dropped_and_counted)
{
    static struct lab_frame frame;
    struct port *port = lab_plug("tap:eth0,netns=%s", lab.netns_path);
    int sock = lab_station(lab.netns_fd, "eth0");

    make_super_frame(&frame, 1000, false);
    frame.vnet.gso_type = GSO_NONE;
    frame.vnet.gso_size = 0;
    frame.vnet.csum_start = 20;         /* the IP header's own fields */
    frame.vnet.csum_offset = 6;
    lab_send(sock, &frame);
    CHECK(!lab_receive(port, ETH_TYPE_IP));
    CHECK(port->counters.rx_bad_offload == 1);
    CHECK(port->counters.rx_dropped == 1);
    close(sock);
    port_destroy(port);
}

static bool
host_answers_arp(int sock)
{
    static struct lab_frame frame;
    uint8_t *p = frame.data;
    static const uint8_t arp[] = {
        0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 8, 192, 0, 2, 2,
        0, 0, 0, 0, 0, 0, 192, 0, 2, 1,
    };

    lab_make_frame(&frame, 60);
    memset(p, 0xff, 6);
    put_be16(p + 12, htobe16(ETH_TYPE_ARP));
    memcpy(p + 14, arp, sizeof arp);
    lab_send(sock, &frame);
    while (lab_hear(sock, &frame, ETH_TYPE_ARP, 300)) {
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

    lab_make_veth();
    lab_run("ip addr add 192.0.2.1/24 dev dev0 && ip link set dev0 up");
    sock = lab_station(lab.netns_fd, "eth0");
    CHECK(host_answers_arp(sock));
    expect_file(path, "0\n");

    port = lab_plug("netdev:dev0");
    CHECK(!host_answers_arp(sock));
    {
        struct packet *pkt = lab_receive(port, ETH_TYPE_ARP);

        CHECK(pkt);
        packet_free(pkt);
    }
    expect_file(path, "1\n");
    lab_run("ip -d link show dev0 | grep -q 'promiscuity 1'");

    port_destroy(port);
    CHECK(host_answers_arp(sock));
    expect_file(path, "0\n");
    lab_run("ip -d link show dev0 | grep -q 'promiscuity 0'");
    lab_run("ip link show dev0 | grep -q 'state UP'");
    lab_run("ip addr show dev0 | grep -q 192.0.2.1/24");

    /* A device with an IPv6 address keeps it, and one that was down is put
     * down again. */
    lab_run("ip addr add fd00::7/64 dev dev0");
    port = lab_plug("netdev:dev0");
    CHECK(!host_answers_arp(sock));
    expect_file(path, "0\n");
    port_destroy(port);
    lab_run("ip addr show dev0 | grep -q fd00::7/64");
    lab_run("ip link set dev0 down");
    port = lab_plug("netdev:dev0");
    lab_wait_running("dev0");
    close(sock);
    sock = lab_station(lab.netns_fd, "eth0");
    lab_check_passes_frames(port, sock);
    port_destroy(port);
    lab_run("! ip link show dev0 | grep -q ',UP'");

    close(sock);
    lab_run("ip link del dev0");
}

TEST(frames_longer_than_the_device_takes_are_counted)
{
    static struct lab_frame frame;
    struct port *port;

    lab_make_veth();
    port = lab_plug("netdev:dev0");
    lab_make_frame(&frame, 3000);
    lab_transmit(port, &frame);
    CHECK(port->counters.tx_too_long == 1 && port->counters.tx_dropped == 1);
    CHECK(port->counters.tx_packets == 0 && port->counters.tx_bytes == 0);
    port_destroy(port);
    lab_run("ip link del dev0");
}

/* Opens the char device as a VM manager does. */
static int
open_as_vm(const char *name)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    CHECK(fd >= 0 && !ioctl(fd, TUNSETIFF, &ifr));
    lab_wait_running(name);
    return fd;
}

TEST(a_vms_tap_is_made_for_its_manager)
{
    static struct lab_frame frame, heard;
    struct port *port = lab_plug("tap:vm0,vm=yes,user=nobody,mtu=2000");
    uint8_t bytes[4096];
    struct packet *pkt;
    ssize_t n;
    int fd;

    lab_run("ip -d link show vm0 | grep -q 'persist on'");
    lab_run("ip -d link show vm0 | grep -q 'mtu 2000'");
    lab_run("ip -d link show vm0 | grep -q 'user nobody'");
    fd = open_as_vm("vm0");

    lab_make_frame(&frame, 200);
    memcpy(bytes, &frame.vnet, sizeof frame.vnet);
    memcpy(bytes + sizeof frame.vnet, frame.data, 200);
    CHECK(write(fd, bytes, 210) == 210);
    pkt = lab_receive(port, LAB_ETH_TYPE);
    CHECK(pkt && pkt->len == 200);
    packet_free(pkt);

    lab_transmit(port, &frame);
    do {
        n = read(fd, &heard, sizeof heard);
        CHECK(n > 0);
    } while (get_be16(heard.data + 12) != htobe16(LAB_ETH_TYPE));
    CHECK(n == 210 && !memcmp(heard.data, frame.data, 200));

    close(fd);
    port_destroy(port);
    lab_run("! ip link show vm0 2>/dev/null");
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
        { "tap:eth0,netns=", lab.netns_path },
        { "veth:eth0,queues=2,netns=", lab.netns_path },
        { "netdev:dev0", "" },
        { "tap:vm0,vm=yes", "" },
        { "internal:int0", "" },
    };
    char helpers[64];
    unsigned int n_ours = count_fds("/proc/self/fd");
    unsigned int n_helpers;

    helper_fds_dir(helpers);
    n_helpers = count_fds(helpers);
    lab_run("ip link add dev0 type veth peer name dev1");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        for (unsigned int k = 0; k < 200; k++) {
            port_destroy(lab_plug("%s%s", texts[i][0], texts[i][1]));
        }
        assert_int_equal(count_fds("/proc/self/fd"), n_ours);
        assert_int_equal(count_fds(helpers), n_helpers);
    }
    lab_run("ip link del dev0");
    lab_run("! ip -o link | grep -qv -e lo: -e ifb");
    lab_run("test -z \"$(nft list tables)\"");
    lab_run_inside("! ip -o link | grep -qv -e lo: -e ifb");
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
        RUN(frames_longer_than_the_device_takes_are_counted),
        RUN(a_vms_tap_is_made_for_its_manager),
        RUN(two_hundred_cycles_leave_nothing),
    };

    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
