#include "port/nic_lab_test.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet/eth.h"
#include "port/netns.h"

struct nic_lab lab;

void
lab_run(const char *format, ...)
{
    char command[512];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    CHECK_MSG(system(command) == 0, "%s", command);
}

void
lab_run_inside(const char *command)
{
    int home = netns_enter(lab.netns_fd);

    lab_run("%s", command);
    netns_leave(home);
}

struct port *
lab_plug(const char *format, ...)
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
    CHECK_MSG(!port_create(&config, 1, &lab.env, &port, &error), "%s: %s",
              text, str_text(&error));
    CHECK_MSG(port_is_up(port), "%s: %s", text, str_text(&error));
    str_fini(&error);
    return port;
}

void
lab_wait_running(const char *name)
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

int
lab_station(int fd, const char *name)
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htobe16(ETH_P_ALL),
    };
    int home = netns_enter(fd);
    int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    int on = 1, size = 1 << 22;

    lab_wait_running(name);
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

void
lab_make_frame(struct lab_frame *frame, uint32_t len)
{
    static const uint8_t dst[6] = { 2, 0, 0, 0, 0, 9 };
    static const uint8_t src[6] = { 2, 0, 0, 0, 0, 8 };

    memset(frame, 0, sizeof *frame);
    frame->len = len;
    memcpy(frame->data, dst, 6);
    memcpy(frame->data + 6, src, 6);
    put_be16(frame->data + 12, htobe16(LAB_ETH_TYPE));
    for (uint32_t i = 14; i < len; i++) {
        frame->data[i] = (uint8_t) (i * 7);
    }
}

void
lab_send(int sock, const struct lab_frame *frame)
{
    struct iovec iov[] = {
        { (void *) &frame->vnet, sizeof frame->vnet },
        { (void *) frame->data, frame->len },
    };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

    assert_int_equal(sendmsg(sock, &msg, 0),
                     (int) (sizeof frame->vnet + frame->len));
}

bool
lab_hear(int sock, struct lab_frame *frame, uint16_t type, int timeout)
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

bool
lab_wait_readable(struct port *port, unsigned int queue, int timeout)
{
    struct pollfd pfd = {
        .fd = port->class->rx_fd(port, queue),
        .events = POLLIN,
    };

    return poll(&pfd, 1, timeout) > 0;
}

struct packet *
lab_receive(struct port *port, uint16_t type)
{
    while (lab_wait_readable(port, 0, 1000)) {
        struct batch batch = { 0 };
        struct packet *found = NULL;

        if (port_rx(port, 0, lab.pool, &batch) < 0) {
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

void
lab_transmit(struct port *port, const struct lab_frame *frame)
{
    struct batch batch = { 0 };
    struct packet *pkt = packet_alloc(lab.pool, frame->len);

    memcpy(pkt->data, frame->data, frame->len);
    pkt->len = frame->len;
    CHECK(vnet_decode(&frame->vnet, pkt));
    batch_add(&batch, pkt);
    port_tx(port, 0, &batch, false);
}

void
lab_check_passes_frames(struct port *port, int sock)
{
    static const uint32_t lens[] = { 60, 61, 590, 1513, 1514 };
    static struct lab_frame frame, heard;

    for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
        struct packet *pkt;

        lab_make_frame(&frame, lens[i]);
        lab_send(sock, &frame);
        pkt = lab_receive(port, LAB_ETH_TYPE);
        CHECK_MSG(pkt && pkt->len == lens[i] && pkt->in_port == port->id,
                  "%s: %u bytes, got %u", port->config.type, lens[i],
                  pkt ? pkt->len : 0);
        CHECK(!memcmp(pkt->data, frame.data, lens[i]));
        CHECK(packet_headroom(pkt) >= PACKET_HEADROOM - VLAN_TAG_LEN);
        packet_free(pkt);

        lab_transmit(port, &frame);
        CHECK(lab_hear(sock, &heard, LAB_ETH_TYPE, 1000));
        CHECK(heard.len == lens[i]
              && !memcmp(heard.data, frame.data, lens[i]));
    }
    CHECK(packet_pool_in_use(lab.pool) == 0);
}

void
lab_make_veth(void)
{
    lab_run("ip link add dev0 type veth peer name eth0 netns %s",
            lab.netns_path);
    lab_run_inside("ip link set eth0 up");
}

int
lab_set_up(void **state UNUSED)
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
    lab.netns_fd = netns_create_private();
    if (lab.netns_fd < 0 || helper_spawn(&options, &lab.env.helper, &error)) {
        print_error("%s\n", str_text(&error));
        return -1;
    }
    lab_run("ip link set lo up");
    lab_run_inside("echo 0 | tee /proc/sys/net/ipv6/conf/all/disable_ipv6"
                   " > /proc/sys/net/ipv6/conf/default/disable_ipv6");
    snprintf(lab.netns_path, sizeof lab.netns_path, "/proc/%d/fd/%d", getpid(),
             lab.netns_fd);
    lab.pool = packet_pool_create(256, 64);
    return 0;
}

int
lab_tear_down(void **state UNUSED)
{
    helper_close(lab.env.helper);
    packet_pool_destroy(lab.pool);
    close(lab.netns_fd);
    return 0;
}
