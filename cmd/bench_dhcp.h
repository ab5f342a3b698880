/* What the two benchmarks of DHCP share: the server alone, and all of the
 * controller. */
#ifndef WEFT_CMD_BENCH_DHCP_H
#define WEFT_CMD_BENCH_DHCP_H

#include "packet/dhcp.h"
#include "packet/udp4.h"

struct bench_dhcp_frame {
    size_t len;
    uint8_t bytes[UDP4_HEADERS_LEN + DHCP_MIN_LEN];
};

/* What a client sends; with an address (not 0) it asks this server for it. */
void bench_dhcp_frame(struct bench_dhcp_frame *, uint32_t client,
                      uint8_t type, be32 addr, be32 server);

/* Exchanges a second through packet-in and store, of new clients and then of
 * the same ones; false: it went wrong.  The store is below `parent` (NULL:
 * here). */
bool bench_dhcp_controller(unsigned int n_clients, const char *parent,
                           double *fresh, double *again);

#endif
