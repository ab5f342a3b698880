/* nft tables of the inet family: write them, find them, notice who touches them.
 *
 * Writing is libnftables' (a whole transaction as text, of fixed templates);
 * reading and watching are nfnetlink's own messages, which cost little and need
 * no text to be understood.
 *
 * All work on the namespace the caller is in.  Helper only. */
#ifndef WEFT_PORT_NFT_TABLE_H
#define WEFT_PORT_NFT_TABLE_H

#include "lib/str.h"

/* All of the commands or none. */
int nft_run(const char *commands, struct str *error);

/* Calls `found` for every table, with its comment ("": none). */
int nft_table_for_each(void (*found)(const char *name, const char *comment,
                                     void *aux), void *aux);

/* What stands for all that the table holds, as long as nobody changes it; 0: it
 * is not there. */
int nft_table_fingerprint(const char *name, uint64_t *result);

/* A descriptor that is readable when anybody changed any table. */
int nft_monitor_open(void);
/* Reads what there is.  True: the table may have been changed, by whomever. */
bool nft_monitor_read(int fd, const char *table);

#endif
