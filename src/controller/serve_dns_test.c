/* Names at the gateway, as the topology has them. */
#include "controller/serve_dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/dns_upstream.h"
#include "controller/service_lab.h"
#include "controller/udp_frame.h"
#include "packet/address.h"
#include "unit.h"

enum { RCODE_OFS = 3, ANCOUNT_OFS = 6, NXDOMAIN = 3 };

static const char networks[] = "  blue: {subnet: 10.1.0.0/24}\n"
                               "  red: {subnet: 10.1.0.0/24}\n";
static const char ports[]
    = "  web: {network: blue, tap: web, address: 10.1.0.10}\n"
      "  db: {network: blue, tap: db, address: 10.1.0.20}\n"
      "  spy: {network: red, tap: spy, address: 10.1.0.30}\n";

/* Asks for an A record; true: it is there, else there is no such name. */
static bool
knows(struct service_lab *lab, const char *port, const char *labels)
{
    uint8_t data[64] = { 0, 7, 1, 0, 0, 1 }, frame[UDP_FRAME_MAX];
    size_t n = strlen(labels) + 1;
    struct udp_frame f = {
        .eth_src = { { 2, 0, 0, 0, 0, 1 } }, .src_port = 4053, .dst_port = 53,
        .data = data, .len = 12 + n + 4,
    }, answer;
    be32 from, to;

    CHECK(ip4_parse("10.1.0.10", &from) && ip4_parse("10.1.0.1", &to));
    f.src = udp_ip4_mapped(from);
    f.dst = udp_ip4_mapped(to);
    memcpy(data + 12, labels, n);
    data[12 + n + 1] = 1;
    data[12 + n + 3] = 1;
    service_lab_receive(lab, SERVICE_DNS, port, frame,
                        udp_frame_encode(&f, frame));
    CHECK(lab->n_sent == 1);
    CHECK(udp_frame_decode(lab->sent[0].frame, lab->sent[0].len, &answer));
    CHECK(answer.src_port == 53 && answer.dst_port == 4053);
    CHECK(answer.len >= 12);
    if (answer.data[ANCOUNT_OFS + 1]) {
        return true;
    }
    CHECK((answer.data[RCODE_OFS] & 15) == NXDOMAIN);
    return false;
}

TEST(a_network_knows_its_own_ports_and_forgets_those_that_left)
{
    struct service_lab *lab = service_lab_open(networks, ports);
    struct serve_dns *dns = serve_dns_create(&lab->host, NULL);

    CHECK(knows(lab, "web", "\2db\4blue\4weft"));
    CHECK(knows(lab, "web", "\7gateway\4blue\4weft"));
    CHECK(!knows(lab, "web", "\3spy\3red\4weft"));
    CHECK(!knows(lab, "spy", "\2db\4blue\4weft"));
    service_lab_apply(lab, networks,
                      "  web: {network: blue, tap: web, address: 10.1.0.10}\n"
                      "  new: {network: blue, tap: new}\n");
    serve_dns_changed(dns);
    CHECK(!knows(lab, "web", "\2db\4blue\4weft"));
    CHECK(knows(lab, "web", "\3new\4blue\4weft"));
    CHECK(serve_dns_counters(dns)->n[DNS_ANSWERED] == 3);
    serve_dns_destroy(dns);
    service_lab_close(lab);
}

static void
nobody_answers(void *aux UNUSED, unsigned int upstream UNUSED,
               unsigned int source UNUSED, const void *data UNUSED,
               size_t len UNUSED)
{
}

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

TEST(resolvers_are_read_again_when_they_are_others)
{
    char path[] = "/tmp/resolv.conf-XXXXXX";
    struct service_lab *lab = service_lab_open(networks, ports);
    struct dns_upstream *u;
    int fd = mkstemp(path);

    CHECK(fd >= 0 && !close(fd));
    write_file(path, "nameserver 192.0.2.1\n");
    u = dns_upstream_create(&lab->loop, path, nobody_answers, NULL);
    CHECK(dns_upstream_count(u) == 1 && !dns_upstream_reload(u, path));
    write_file(path, "# again\nnameserver 192.0.2.1\n");
    CHECK(!dns_upstream_reload(u, path));
    write_file(path, "nameserver 192.0.2.1\nnameserver 2001:db8::1\n");
    CHECK(dns_upstream_reload(u, path) && dns_upstream_count(u) == 2);
    /* Somebody is writing it. */
    write_file(path, "");
    CHECK(!dns_upstream_reload(u, path) && dns_upstream_count(u) == 2);
    CHECK(!unlink(path));
    CHECK(!dns_upstream_reload(u, path) && dns_upstream_count(u) == 2);
    dns_upstream_destroy(u);
    service_lab_close(lab);
}

TESTS(
    RUN(a_network_knows_its_own_ports_and_forgets_those_that_left),
    RUN(resolvers_are_read_again_when_they_are_others),
)
