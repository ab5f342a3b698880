/* Uplinks on a terminal: what was asked for, and which of their links are in
 * use. */
#ifndef WEFT_CLI_UPLINK_H
#define WEFT_CLI_UPLINK_H

#include "cli/client.h"

/* A row for each link of these uplinks. */
void uplink_print_all(struct cli *, const json_t *uplinks);
/* The links of one, below what was asked for. */
void uplink_print_links(struct cli *, const char *name);

#endif
