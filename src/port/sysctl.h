/* Switches of the kernel below /proc/sys/net: 0 or 1 (or another digit), one
 * file each.  Of the namespace the caller is in.  Helper only. */
#ifndef WEFT_PORT_SYSCTL_H
#define WEFT_PORT_SYSCTL_H

#include "lib/types.h"

/* '0'..'9'; -ENOENT: this kernel has no such thing, or not for this device.
 * `path` is what follows /proc/sys/net/. */
int sysctl_read(const char *path);
int sysctl_write(const char *path, char value);

#endif
