#include "service/dhcp_lab.h"

#include "frames.h"
#include "packet/address.h"
#include "unit.h"

const uint8_t lab_types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

be32
ip4(const char *text)
{
    be32 addr = 0;

    CHECK(ip4_parse(text, &addr));
    return addr;
}

void
configure(struct lab *lab)
{
    struct str error = STR_INIT;

    CHECK_MSG(!dhcp_server_configure(lab->server, &lab->config, &error),
              "%s", str_text(&error));
    str_fini(&error);
}

struct lab *
lab_open(void)
{
    static const be32 dns[] = { 0x01010101, 0x02020202 };
    struct lease_options options = { .key = { 1 } };
    struct lab *lab = xzalloc(sizeof *lab);

    lab->server = dhcp_server_create();
    lab->leases = lease_table_create(&options);
    lab->relayed = lease_table_create(&options);
    lab->subnets[0] = (struct dhcp_subnet) {
        .network = ip4("10.0.0.0"), .prefix_len = 24, .leases = lab->leases,
        .router = ip4("10.0.0.1"), .dns = dns, .n_dns = 2,
        .domain = "blue.weft", .mtu = 1500,
    };
    lab->subnets[1] = (struct dhcp_subnet) {
        .network = ip4("10.9.0.0"), .prefix_len = 24, .leases = lab->relayed,
        .router = ip4("10.9.0.1"),
    };
    lab->config = (struct dhcp_server_config) {
        .address = ip4("10.0.0.1"), .mac = { { 2, 0, 0, 0, 0, 0xfe } },
        .n_subnets = 2, .subnets = lab->subnets,
    };
    lab->now = NOW;
    lab->port = "p1";
    configure(lab);
    return lab;
}

void
lab_close(struct lab *lab)
{
    CHECK(lease_table_is_sound(lab->leases));
    CHECK(lease_table_is_sound(lab->relayed));
    dhcp_server_destroy(lab->server);
    lease_table_destroy(lab->leases);
    lease_table_destroy(lab->relayed);
    free(lab);
}

void
add_option(struct lab *lab, uint8_t code, const void *value, size_t len)
{
    lab->items[lab->n_items++] = (struct dhcp_item) { code, (uint16_t) len,
                                                      value };
}

void
add_ip4(struct lab *lab, uint8_t code, const char *addr)
{
    static be32 slots[16];
    static unsigned int next;
    be32 *slot = &slots[next++ % 16];

    *slot = ip4(addr);
    add_option(lab, code, slot, sizeof *slot);
}

void
add_u32(struct lab *lab, uint8_t code, uint32_t value)
{
    static be32 slots[16];
    static unsigned int next;
    be32 *slot = &slots[next++ % 16];

    *slot = htobe32(value);
    add_option(lab, code, slot, sizeof *slot);
}

void
begin(struct lab *lab, enum dhcp_type type, uint8_t mac)
{
    uint8_t addr[6] = { 2, 0, 0, 0, 0, mac };

    lab->n_items = 0;
    lab->header = (struct dhcp_header) {
        .op = DHCP_REQUEST_OP, .htype = 1, .hlen = 6, .xid = 0x1234 + mac,
    };
    memcpy(lab->header.chaddr, addr, 6);
    lab->udp = (struct udp4) {
        .ip_dst = UINT32_MAX, .src_port = 68, .dst_port = 67,
    };
    memcpy(lab->udp.eth_src.b, addr, 6);
    memset(lab->udp.eth_dst.b, 0xff, 6);
    if (type) {
        add_option(lab, DHCP_OPT_TYPE, &lab_types[type], 1);
    }
}

enum dhcp_verdict
ask_bytes(struct lab *lab, const void *frame, size_t len)
{
    struct dhcp_question q = { frame, len, lab->port, "web", lab->now };
    const char *why = NULL;

    lab->verdict = dhcp_server_handle(lab->server, &q, &lab->answer);
    if (lab->answer.len) {
        CHECK_MSG(frame_is_whole(lab->answer.frame, lab->answer.len, &why),
                  "%s", why);
        CHECK(!udp4_decode(lab->answer.frame, lab->answer.len,
                           &lab->reply_udp));
        CHECK(!dhcp_decode(lab->reply_udp.payload,
                           lab->reply_udp.payload_len, &lab->reply));
        CHECK(lab->reply.header.op == DHCP_REPLY_OP);
    }
    return lab->verdict;
}

enum dhcp_verdict
ask(struct lab *lab)
{
    uint8_t frame[DHCP_FRAME_MAX];
    unsigned int n_left_out;

    lab->udp.payload_len = dhcp_encode(&lab->header, lab->items,
                                       lab->n_items,
                                       frame + UDP4_HEADERS_LEN,
                                       DHCP_REPLY_MAX, &n_left_out);
    CHECK(!n_left_out);
    return ask_bytes(lab, frame, udp4_encode(frame, &lab->udp));
}

bool
answered(const struct lab *lab, enum dhcp_type type)
{
    uint8_t said;

    return lab->answer.len && lab->answer.type == type
           && dhcp_option_u8(&lab->reply, DHCP_OPT_TYPE, &said)
           && said == type;
}

be32
reply_ip4(const struct lab *lab, uint8_t code)
{
    be32 addr = 0;

    CHECK(dhcp_option_ip4(&lab->reply, code, &addr));
    return addr;
}

uint32_t
reply_u32(const struct lab *lab, uint8_t code)
{
    return be32toh(reply_ip4(lab, code));
}

be32
discover(struct lab *lab, uint8_t mac)
{
    begin(lab, DHCP_DISCOVER, mac);
    CHECK(ask(lab) == DHCP_OFFERED && answered(lab, DHCP_OFFER));
    return lab->reply.header.yiaddr;
}

void
begin_selecting(struct lab *lab, uint8_t mac, be32 addr)
{
    char text[ADDRESS_TEXT_SIZE];

    begin(lab, DHCP_REQUEST, mac);
    add_ip4(lab, DHCP_OPT_SERVER_ID, "10.0.0.1");
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, ip4_format(addr, text));
}

be32
lease(struct lab *lab, uint8_t mac)
{
    be32 addr = discover(lab, mac);

    begin_selecting(lab, mac, addr);
    CHECK(ask(lab) == DHCP_LEASED && answered(lab, DHCP_ACK));
    CHECK(lab->reply.header.yiaddr == addr);
    return addr;
}

void
begin_renewing(struct lab *lab, uint8_t mac, be32 addr)
{
    begin(lab, DHCP_REQUEST, mac);
    lab->header.ciaddr = addr;
    lab->udp.ip_src = addr;
    lab->udp.ip_dst = ip4("10.0.0.1");
    lab->udp.eth_dst = lab->config.mac;
}

void
begin_init_reboot(struct lab *lab, uint8_t mac, const char *addr)
{
    begin(lab, DHCP_REQUEST, mac);
    add_ip4(lab, DHCP_OPT_REQUESTED_ADDRESS, addr);
}

void
plan(struct lab *lab, const char *addr, const char *port, uint8_t mac)
{
    struct lease_reservation r = { .addr = ip4(addr) };

    strcpy(r.port, port);
    if (mac) {
        r.mac = (struct eth_addr) { { 2, 0, 0, 0, 0, mac } };
    }
    CHECK(!lease_reserve(lab->leases, &r, NULL, NULL));
}
