/* What examinations of `weft doctor` share: doctor.c has the list of them. */
#ifndef WEFT_CLI_DOCTOR_H
#define WEFT_CLI_DOCTOR_H

#include <jansson.h>

#include "cli/cli.h"
#include "lib/str.h"

/* X(ID, text) */
#define VERDICTS(X)                                                          \
    X(FINE, "ok")                                                            \
    X(UNKNOWN, "unknown")                                                    \
    X(WARNING, "warning")                                                    \
    X(PROBLEM, "problem")

enum verdict {
#define X(ID, TEXT) ID,
    VERDICTS(X)
#undef X
};

struct finding {
    enum verdict verdict;
    struct str what, fix;
};

struct patient {
    const struct cli *cli;
    json_t *status;               /* the daemon's; NULL: it does not answer */
    json_t *ruleset;              /* of nft; NULL: it cannot be read */
    bool is_ruleset_read;
    json_t *hosts;                /* of the file; NULL: not asked for yet */
};

typedef void examine(struct patient *, struct finding *);

/* `fix` may be NULL. */
void doctor_find(struct finding *, enum verdict, const char *fix,
                 const char *format, ...) PRINTF_FORMAT(4, 5);
/* The first line of a file; false: it cannot be read. */
bool doctor_read_line(const char *path, char *line, int size);

/* Uplinks by the host's own stack: doctor_host.c. */
examine doctor_forwarding, doctor_host_nat, doctor_host_firewall,
    doctor_host_masquerade, doctor_reverse_path, doctor_second_nat;

/* Tunnels to other hosts: doctor_tunnel.c. */
examine doctor_tunnel_address, doctor_tunnel_path, doctor_tunnel_probes;
examine doctor_tunnel_peers;

#endif
