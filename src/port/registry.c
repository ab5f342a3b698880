#include "port/registry.h"

#include <stdlib.h>

#include "lib/str.h"
#include "lib/types.h"
#include "port/underlay.h"

struct port_registry *
port_registry_create(void)
{
    return xzalloc(sizeof(struct port_registry));
}

void
port_registry_destroy(struct port_registry *registry)
{
    if (registry) {
        assert(!registry->pairs && !registry->endpoints);
        underlays_destroy(registry->underlays);
        free(registry);
    }
}
