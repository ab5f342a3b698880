#include "weftd_group.h"

#include <grp.h>
#include <stddef.h>

gid_t
weftd_group(void)
{
    const struct group *group = getgrnam("weft");

    return group ? group->gr_gid : (gid_t) -1;
}
