/* Hosts that ask each other what the way between them carries, on a wire that
 * may be cut or too narrow. */
#include "controller/serve_probe.h"

#include <stdlib.h>

#include "controller/random_intents.h"
#include "lib/clock.h"
#include "packet/address.h"
#include "unit.h"

enum { TUNNEL = 1000, INTERVAL = 20, N_HOSTS = 2 };

#define CLOUD(MORE)                                                          \
    "version: 1\nhosts:\n  h0: {tunnel: 192.0.2.1}\n"                        \
    "  h1: {tunnel: 192.0.2.2}\n  h2: {tunnel: 192.0.2.3}\n"                 \
    "networks:\n  a: {subnet: 10.1.0.0/24, segment: {vxlan: 1}" MORE "}\n"   \
    "  b: {subnet: 10.2.0.0/24, segment: {vxlan: 2}}\n"                      \
    "ports:\n  w: {network: a, tap: w, host: h0}\n"                          \
    "  d: {network: a, tap: d, host: h1}\n"                                  \
    "  e: {network: b, tap: e, host: h2}\n"                                  \
    "  f: {network: b, tap: f, host: h1}\n"

struct lab {
    uv_loop_t loop;
    struct host {
        struct lab *lab;
        struct ip6_addr end;
        struct ipam *ipam;
        struct topology *topology;
        struct unit_set dirty;
        struct packet_in_table packet_ins;
        struct service_host services;
        struct serve_probe *probes;
        unsigned int n_sent;
    } hosts[N_HOSTS];
    size_t carries;               /* behind the Ethernet header; 0: cut */
};

static void
receive(struct host *host, uint32_t number, const struct ip6_addr *from,
        const void *frame, size_t len)
{
    struct flow flow = { .key = { .in_port = htobe32(number) } };
    const struct packet_in in = { .flow = &flow, .frame = frame, .len = len };

    flow.key.tun_family = 4;
    flow.key.tun_src4 = get_be32(&from->b[12]);
    host->packet_ins.services[SERVICE_PROBE].function(
        host->packet_ins.services[SERVICE_PROBE].aux, &in);
}

/* The wire is as quick as a call. */
static bool
send_tunnel(void *aux, uint32_t number, uint32_t key,
            const struct ip6_addr *end, const void *frame, size_t len)
{
    struct host *host = aux;
    struct lab *lab = host->lab;
    struct host *to = &lab->hosts[host == lab->hosts];
    uint8_t *copy = xmemdup(frame, len);

    CHECK(number == TUNNEL && key == SEGMENT_PROBE_KEY);
    host->n_sent++;
    if (ip6_addr_eq(*end, to->end) && len <= ETH_HEADER_LEN + lab->carries) {
        receive(to, TUNNEL, &host->end, copy, len);
    }
    free(copy);
    return true;
}

static void
host_open(struct lab *lab, unsigned int i)
{
    static const char *const names[] = { "h0", "h1" };
    struct host *host = &lab->hosts[i];
    struct topology_config config = { .host = names[i] };

    host->lab = lab;
    host->end = ip6_of_ip4(htobe32(0xc0000201 + i));
    host->ipam = config.ipam = ipam_create(NULL);
    host->topology = topology_create(&config);
    topology_set_switch_port(host->topology, "vxlan", TUNNEL, true,
                             &host->dirty);
    host->services = (struct service_host) {
        .loop = &lab->loop, .topology = host->topology,
        .packet_ins = &host->packet_ins, .send_tunnel = send_tunnel,
        .aux = host,
    };
    host->probes = serve_probe_create(&host->services, INTERVAL);
}

static void
apply(struct lab *lab, const char *text)
{
    for (unsigned int i = 0; i < N_HOSTS; i++) {
        struct intent *set = intent_of_text(text);

        topology_set_intent(lab->hosts[i].topology, set,
                            &lab->hosts[i].dirty);
        intent_unref(set);
        serve_probe_changed(lab->hosts[i].probes);
    }
}

static struct lab *
lab_open(const char *text, size_t carries)
{
    struct lab *lab = xzalloc(sizeof *lab);

    uv_loop_init(&lab->loop);
    lab->carries = carries;
    for (unsigned int i = 0; i < N_HOSTS; i++) {
        host_open(lab, i);
    }
    apply(lab, text);
    return lab;
}

static void
lab_close(struct lab *lab)
{
    for (unsigned int i = 0; i < N_HOSTS; i++) {
        serve_probe_destroy(lab->hosts[i].probes);
    }
    uv_run(&lab->loop, UV_RUN_DEFAULT);
    CHECK(!uv_loop_close(&lab->loop));
    for (unsigned int i = 0; i < N_HOSTS; i++) {
        unit_set_fini(&lab->hosts[i].dirty);
        topology_destroy(lab->hosts[i].topology);
        ipam_destroy(lab->hosts[i].ipam);
    }
    free(lab);
}

/* The only path of h0. */
struct seen {
    unsigned int n;
    char host[8], state[24];
    unsigned int mtu, wanted, underlay;
    usec rtt;
};

static void
see(void *aux, const struct controller_tunnel *t)
{
    struct seen *seen = aux;

    seen->n++;
    snprintf(seen->host, sizeof seen->host, "%s", t->host);
    snprintf(seen->state, sizeof seen->state, "%s", t->state);
    seen->mtu = t->mtu;
    seen->wanted = t->mtu_wanted;
    seen->underlay = t->underlay_mtu;
    seen->rtt = t->rtt_smoothed;
}

static struct seen
look(const struct lab *lab)
{
    struct seen seen = { 0 };

    serve_probe_visit(lab->hosts[0].probes, see, &seen);
    return seen;
}

static void
run_until(struct lab *lab, const char *state, unsigned int mtu)
{
    struct seen seen = look(lab);

    while (strcmp(seen.state, state) || seen.mtu != mtu) {
        uv_run(&lab->loop, UV_RUN_ONCE);
        seen = look(lab);
    }
}

static uint64_t
count(const struct lab *lab, enum probe_result result)
{
    return serve_probe_count(lab->hosts[0].probes, result);
}

TEST(a_host_with_which_a_network_is_shared_is_asked_and_no_other)
{
    struct lab *lab = lab_open(CLOUD(""), 1450);
    struct seen seen;

    CHECK(!strcmp(look(lab).state, "unknown"));
    run_until(lab, "up", 1450);
    seen = look(lab);
    CHECK(seen.n == 1 && !strcmp(seen.host, "h1") && seen.rtt > 0);
    CHECK(seen.wanted == 1450 && seen.underlay == 1500);
    CHECK(count(lab, PROBE_HEARD) >= 2 && !count(lab, PROBE_UNASKED)
          && count(lab, PROBE_ANSWERED));
    /* Guests were told less: that is what it has to carry. */
    apply(lab, CLOUD(", mtu: 1300"));
    run_until(lab, "up", 1300);
    CHECK(look(lab).wanted == 1300);
    lab_close(lab);
}

TEST(what_a_path_carries_is_found_and_told)
{
    struct lab *lab = lab_open(CLOUD(""), 1450);
    const struct serve_probe *probes = lab->hosts[0].probes;

    run_until(lab, "up", 1450);
    lab->carries = 1350;
    run_until(lab, "mtu-too-small", 1350);
    CHECK(look(lab).underlay == 1400);
    CHECK(serve_probe_count_event(probes, PATH_SHRANK) == 1);
    lab->carries = 0;
    run_until(lab, "down", 0);
    CHECK(serve_probe_count_event(probes, PATH_WENT_DOWN) == 1);
    lab->carries = 1450;
    run_until(lab, "up", 1450);
    CHECK(serve_probe_count_event(probes, PATH_CAME_BACK) == 1);
    /* Without a tunnel of our own nothing is known, and nothing sent. */
    topology_set_switch_port(lab->hosts[0].topology, "vxlan", 0, false,
                             &lab->hosts[0].dirty);
    run_until(lab, "unknown", 0);
    lab_close(lab);
}

TEST(strangers_and_what_was_not_asked_change_nothing)
{
    static uint8_t frame[ETH_HEADER_LEN + PATH_FRAME_MAX];
    struct lab *lab = lab_open(CLOUD(""), 0);
    struct host *host = &lab->hosts[0];
    struct ip6_addr stranger = ip6_of_ip4(htobe32(0xc0000263));
    struct ip6_addr known = lab->hosts[1].end;
    struct path_frame f = { PATH_FRAME_ASK, 100, 7, 0 };
    size_t len = path_frame_encode(&f, frame);

    receive(host, TUNNEL, &stranger, frame, len);
    receive(host, TUNNEL, &host->end, frame, len);          /* ourselves */
    receive(host, TUNNEL + 1, &known, frame, len);          /* no tunnel */
    CHECK(count(lab, PROBE_STRANGE) == 3);
    receive(host, TUNNEL, &known, frame, len - 1);
    receive(host, TUNNEL, &known, frame, 0);
    CHECK(count(lab, PROBE_MALFORMED) == 2 && !host->n_sent);
    f.kind = PATH_FRAME_ANSWER;
    len = path_frame_encode(&f, frame);
    for (f.token = 0; f.token < 1000; f.token++) {
        path_frame_encode(&f, frame);
        receive(host, TUNNEL, &known, frame, len);
    }
    CHECK(count(lab, PROBE_UNASKED) == 1000 && !count(lab, PROBE_HEARD));
    CHECK(!strcmp(look(lab).state, "unknown") && !host->n_sent);
    /* One that is a host of the file has its answer, whatever it shares. */
    f.kind = PATH_FRAME_ASK;
    len = path_frame_encode(&f, frame);
    known = ip6_of_ip4(htobe32(0xc0000203));
    receive(host, TUNNEL, &known, frame, len);
    CHECK(count(lab, PROBE_ANSWERED) == 1 && host->n_sent == 1);
    lab_close(lab);
}

TEST(many_hosts_are_asked_one_after_the_other)
{
    enum { MANY = 100 };
    struct str text = STR_INIT;
    unsigned int n_most = 0, n_before = 0;
    struct lab *lab;

    str_add(&text, "version: 1\nhosts:\n");
    for (unsigned int i = 0; i < MANY; i++) {
        str_addf(&text, "  h%u: {tunnel: 192.0.2.%u}\n", i, i + 1);
    }
    str_add(&text, "networks:\n  a: {segment: {vxlan: 1}}\nports:\n");
    for (unsigned int i = 0; i < MANY; i++) {
        str_addf(&text, "  p%u: {network: a, tap: t%u, host: h%u}\n", i, i,
                 i);
    }
    lab = lab_open(str_text(&text), 0);
    CHECK(look(lab).n == MANY - 1);
    /* Two questions a round. */
    while (lab->hosts[0].n_sent < 2 * 2 * MANY) {
        n_before = lab->hosts[0].n_sent;
        uv_run(&lab->loop, UV_RUN_ONCE);
        n_most = MAX(n_most, lab->hosts[0].n_sent - n_before);
    }
    CHECK_MSG(n_most <= 2 * PROBE_MAX_AT_ONCE, "%u at once", n_most);
    lab_close(lab);
    str_fini(&text);
}

TEST(a_host_that_is_gone_is_not_asked_any_more)
{
    struct lab *lab = lab_open(CLOUD(""), 1450);

    run_until(lab, "up", 1450);
    apply(lab, "version: 1\n");
    CHECK(!look(lab).n);
    uv_run(&lab->loop, UV_RUN_NOWAIT);
    CHECK(!uv_loop_alive(&lab->loop));      /* no timer is left */
    apply(lab, CLOUD(""));
    run_until(lab, "up", 1450);
    lab_close(lab);
}

TESTS(
    RUN(a_host_with_which_a_network_is_shared_is_asked_and_no_other),
    RUN(what_a_path_carries_is_found_and_told),
    RUN(strangers_and_what_was_not_asked_change_nothing),
    RUN(many_hosts_are_asked_one_after_the_other),
    RUN(a_host_that_is_gone_is_not_asked_any_more),
)
