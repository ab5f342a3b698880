/* Who may use the API besides root: the group "weft", if there is one.  (A file
 * of its own: <grp.h> and OpenFlow both have a struct group.) */
#ifndef WEFT_CMD_WEFTD_GROUP_H
#define WEFT_CMD_WEFTD_GROUP_H

#include <sys/types.h>

/* (gid_t) -1: there is none. */
gid_t weftd_group(void);

#endif
