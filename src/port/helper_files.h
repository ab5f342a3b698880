/* The helper's half of the requests about files: listening sockets in the run
 * directory, what is read in the config directory.  For helper_server.c. */
#ifndef WEFT_PORT_HELPER_FILES_H
#define WEFT_PORT_HELPER_FILES_H

#include "port/helper_proto.h"

struct helper_files;

/* The options outlive it. */
struct helper_files *helper_files_create(const struct helper_options *);
/* `undo`: sockets are removed. */
void helper_files_destroy(struct helper_files *, bool undo);

/* LISTEN_UNIX, OPEN_CONFIG: a descriptor or an error. */
int helper_files_listen(struct helper_files *, const struct helper_request *,
                        struct str *error);
int helper_files_open(const struct helper_files *, const char *path,
                      struct str *error);

#endif
