#include "openflow/flow_mod.h"

#include <stdlib.h>

void
flow_mod_init(struct flow_mod *fm)
{
    memset(fm, 0, sizeof *fm);
    fm->priority = FLOW_DEFAULT_PRIORITY;
    fm->out_port = OFPP_ANY;
    fm->out_group = OFPG_ANY;
}

void
flow_mod_fini(struct flow_mod *fm)
{
    for (size_t i = 0; i < ARRAY_SIZE(fm->storage); i++) {
        actions_fini(&fm->storage[i]);
    }
}

void
flow_mod_seal(struct flow_mod *fm)
{
    fm->instructions.apply = actions_list(&fm->storage[0]);
    fm->instructions.write = actions_list(&fm->storage[1]);
}

void
group_mod_fini(struct group_mod *gm)
{
    for (unsigned int i = 0; i < gm->n_buckets; i++) {
        actions_fini(&gm->buckets[i].actions);
    }
    free(gm->buckets);
    gm->buckets = NULL;
    gm->n_buckets = 0;
}
