#include "openflow/flow_mod.h"
#include "switch/tables.h"

void
flow_entry_format(const struct flow_entry *e,
                  const struct flow_text_names *names, struct str *s)
{
    struct flow_mod fm;

    flow_mod_init(&fm);
    flow_entry_match(e, &fm.match);
    fm.cookie = e->cookie;
    fm.table = e->table;
    fm.priority = e->priority;
    fm.idle_timeout = e->idle_timeout;
    fm.hard_timeout = e->hard_timeout;
    fm.importance = e->importance;
    fm.flags = e->flags;
    fm.instructions = e->instructions;
    flow_mod_format_names(&fm, names, s);
}
