/* Hosts on a terminal: who is joined, and which of them this is. */
#ifndef WEFT_CLI_HOST_H
#define WEFT_CLI_HOST_H

#include "cli/client.h"

void host_print_all(struct cli *, const json_t *hosts);

#endif
