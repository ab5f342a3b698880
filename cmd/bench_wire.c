/* A wire of two real ports: their devices and the data path, no tables.
 *
 *     weft-bench wire tap:eth0,netns=a tap:eth0,netns=b
 *
 * Runs until a signal ends it; prints "ready" when frames pass.  What a switch
 * reaches beside it is the switch's own cost; what it reaches itself is that
 * of port/. */
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bench.h"
#include "datapath/datapath.h"
#include "port/helper.h"

static void
wire_upcall(void *aux UNUSED, struct upcall *upcall)
{
    struct dp_action_output *out;

    out = dp_actions_add(&upcall->actions, DP_ACTION_OUTPUT, sizeof *out);
    out->port = upcall->pkt->in_port == 1 ? 2 : 1;
}

static void
wire_credit(void *aux UNUSED, uint64_t credit UNUSED, uint64_t packets UNUSED,
            uint64_t bytes UNUSED, msec used UNUSED)
{
}

static uint64_t
wire_version(void *aux UNUSED)
{
    return 0;
}

static int
open_ports(char **argv, struct helper *helper, struct port *ports[2])
{
    struct port_env env = { .helper = helper };
    struct str error = STR_INIT;

    for (unsigned int i = 0; i < 2; i++) {
        struct port_config config;

        if (port_config_parse(argv[i], &config, &error)
            || port_create(&config, i + 1, &env, &ports[i], &error)) {
            fprintf(stderr, "weft-bench: %s\n", str_text(&error));
            str_fini(&error);
            if (i) {
                port_destroy(ports[0]);
            }
            return 1;
        }
    }
    return 0;
}

/* Blocks the signals that end us; before the first thread, which inherits it. */
static int
open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void
print_counters(const struct datapath *dp)
{
    struct datapath_counters c;

    datapath_read_counters(dp, &c);
#define X(NAME, TEXT) \
    printf("%12llu %s\n", (unsigned long long) c.NAME, TEXT);
    DATAPATH_COUNTERS(X)
#undef X
}

static void
run_until_signal(struct port *ports[2], int signal_fd)
{
    struct datapath_config config = { .upcalls_per_second = 0 };
    struct datapath_calls calls = {
        .upcall = wire_upcall, .credit_done = wire_credit,
        .version = wire_version,
    };
    struct datapath *dp = datapath_create(&config, &calls);
    struct signalfd_siginfo info;

    for (unsigned int i = 0; i < 2; i++) {
        datapath_add_port(dp, ports[i]);
    }
    puts("ready");
    fflush(stdout);
    if (read(signal_fd, &info, sizeof info) < 0) {
        perror("weft-bench: signals");
    }
    for (unsigned int i = 0; i < 2; i++) {
        datapath_remove_port(dp, ports[i]);
    }
    print_counters(dp);
    datapath_destroy(dp);
}

int
bench_wire(int argc, char **argv)
{
    struct helper_options options = { .instance = "bench" };
    struct str error = STR_INIT;
    struct helper *helper = NULL;
    struct port *ports[2];
    int signal_fd, status;

    if (argc != 3) {
        fputs("usage: weft-bench wire PORT PORT\n", stderr);
        return 2;
    }
    signal_fd = open_signals();
    if (helper_spawn(&options, &helper, &error)) {
        fprintf(stderr, "weft-bench: %s\n", str_text(&error));
        str_fini(&error);
        return 1;
    }
    status = open_ports(argv + 1, helper, ports);
    if (!status) {
        run_until_signal(ports, signal_fd);
        port_destroy(ports[0]);
        port_destroy(ports[1]);
    }
    helper_close(helper);
    close(signal_fd);
    return status;
}
