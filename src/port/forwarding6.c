#include "port/forwarding6.h"

#include <dirent.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "port/sysctl.h"

static const char forwarding_path[] = "ipv6/conf/all/forwarding";

static void
format_path(char path[96], const char *device)
{
    snprintf(path, 96, "ipv6/conf/%.64s/accept_ra", device);
}

/* Further ones than there is room for stay as they are. */
static void
add_device(struct forwarding6 *was, const char *device)
{
    size_t len = strlen(was->ra);
    unsigned int ifindex = if_nametoindex(device);
    char path[96], text[16];

    format_path(path, device);
    if (!ifindex || sysctl_read(path) != '1') {
        return;
    }
    snprintf(text, sizeof text, "%s%u", len ? "," : "", ifindex);
    if (len + strlen(text) < sizeof was->ra) {
        strcpy(was->ra + len, text);
    }
}

void
forwarding6_look(struct forwarding6 *was)
{
    DIR *devices = opendir("/proc/sys/net/ipv6/conf");
    struct dirent *entry;

    *was = (struct forwarding6) {
        .forwarding = sysctl_read(forwarding_path) == '0' ? '0' : '1',
    };
    while (devices && was->forwarding == '0'
           && (entry = readdir(devices))) {
        add_device(was, entry->d_name);
    }
    if (devices) {
        closedir(devices);
    }
}

static void
write_devices(const struct forwarding6 *was, char value)
{
    const char *p = was->ra;

    while (*p) {
        char name[IF_NAMESIZE], path[96], *end;
        unsigned long ifindex = strtoul(p, &end, 10);

        if (end == p) {
            return;
        }
        if (if_indextoname((unsigned int) ifindex, name)) {
            format_path(path, name);
            sysctl_write(path, value);
        }
        p = *end == ',' ? end + 1 : end;
    }
}

int
forwarding6_switch_on(const struct forwarding6 *was)
{
    int value = sysctl_read(forwarding_path);

    write_devices(was, '2');
    return value < 0 ? value
           : value == '0' ? sysctl_write(forwarding_path, '1') : 0;
}

void
forwarding6_restore(const struct forwarding6 *was)
{
    if (was->forwarding == '0') {
        sysctl_write(forwarding_path, '0');
        write_devices(was, '1');
    }
}
