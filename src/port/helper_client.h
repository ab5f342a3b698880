/* Makes the client's end of the helper's socket: for helper_start.c only. */
#ifndef WEFT_PORT_HELPER_CLIENT_H
#define WEFT_PORT_HELPER_CLIENT_H

#include "port/helper.h"

/* Takes `sock` over.  `child`: the helper's process, when it is to be waited
 * for by helper_close(). */
struct helper *helper_client_create(int sock, unsigned int generation,
                                    pid_t child);

#endif
