/* weft-bench: how fast the parts are, in memory.
 *
 * Each row of `benches` is one subcommand in a file of its own.  Figures are
 * medians of several rounds; lines begin with RESULT. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} benches[] = {
    { "forward", bench_forward,
      "packets through the data path, memory to memory" },
    { "packet", bench_packet,
      "each step that touches a packet: buffers, keys, edits, segments" },
    { "tunnel", bench_tunnel,
      "encapsulation and decapsulation by tunnel ports, without sockets" },
    { "misses", bench_misses,
      "new cache entries, through the whole switch" },
    { "victim", bench_victim,
      "a port's rate beside one that attacks the tuple space" },
    { "wire", bench_wire,
      "two real ports and the data path, until a signal" },
    { "invalidate", bench_invalidate,
      "finding the cache entries that changed tables touch" },
    { "tables", bench_tables,
      "flow-mods one by one and in a bundle, bytes per entry, delete all" },
    { "openflow", bench_openflow,
      "any OpenFlow switch: requests, and what it sends by itself" },
    { "classifier", bench_classifier,
      "lookups on a miss, few and many masks, friendly and hostile rules" },
    { "conntrack", bench_conntrack,
      "connections: new, established, expired, and what they take" },
    { "dhcp", bench_dhcp,
      "DHCP exchanges, frame in to frame out, 10,000 leases" },
    { "store", bench_store,
      "puts that become durable, with 1, 100 and 10,000 in flight" },
    { "intent", bench_intent,
      "a file of 5,000 ports: read, sealed, exported, compared" },
    { "controller", bench_controller,
      "flows of 5,000 ports: all of them, and one port's change" },
};

static int
usage(FILE *stream)
{
    fputs("usage: weft-bench NAME [OPTION...]\n\n", stream);
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
        fprintf(stream, "  %-12s %s\n", benches[i].name, benches[i].what);
    }
    return stream == stdout ? 0 : 2;
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        return usage(stderr);
    }
    if (!strcmp(argv[1], "--help")) {
        return usage(stdout);
    }
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
        if (!strcmp(argv[1], benches[i].name)) {
            return benches[i].run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "weft-bench: there is no benchmark '%s'\n", argv[1]);
    return usage(stderr);
}
