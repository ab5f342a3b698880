#include "switch/egress.h"

#include "lib/str.h"
#include "switch/tables_state.h"

static_assert(NO_EGRESS <= UINT8_MAX, "struct egress_first has a byte for it");

static uint64_t
pack(uint64_t version, unsigned int before, unsigned int now)
{
    return version << 16 | before << 8 | now;
}

void
egress_first_init(struct egress_first *first)
{
    atomic_init(&first->packed, pack(0, NO_EGRESS, NO_EGRESS));
}

unsigned int
tables_first_egress(const struct tables *t, uint64_t version)
{
    uint64_t packed = atomic_load_explicit(&t->egress.packed,
                                           memory_order_acquire);

    return version >= packed >> 16 ? packed & 0xff : packed >> 8 & 0xff;
}

/* ---- What may stand where ---- */

static bool
chooses_port(struct action_list set)
{
    ACTION_FOR_EACH (a, &set) {
        if (a->type == ACTION_OUTPUT || a->type == ACTION_CONTROLLER
            || a->type == ACTION_GROUP) {
            return true;
        }
    }
    return false;
}

enum of_error
egress_check(unsigned int first, uint8_t table,
             const struct instructions *in, struct str *why)
{
    if (table < first && in->has_goto && in->goto_table >= first) {
        if (why) {
            str_setf(why, "goto_table:%u leads from table %u to an egress "
                     "table", in->goto_table, table);
        }
        return OF_BAD_INSTRUCTION_BAD_TABLE_ID;
    }
    if (table >= first && chooses_port(in->write)) {
        if (why) {
            str_setf(why, "an egress table's action set has its port: no "
                     "output, no group");
        }
        return OF_BAD_ACTION_BAD_TYPE;
    }
    return OF_OK;
}

/* ---- Which is the first ---- */

struct check {
    unsigned int first;
    enum of_error error;
};

static bool
check_entry(void *check_, const struct flow_entry *e)
{
    struct check *check = check_;

    check->error = egress_check(check->first, e->table, &e->instructions,
                                NULL);
    return !check->error;
}

enum of_error
tables_set_first_egress(struct tables *t, unsigned int first)
{
    struct check check = { .first = first };
    uint64_t visible = tables_version(t);
    unsigned int before = tables_first_egress(t, visible);

    assert(first && first <= NO_EGRESS);
    assert(!tables_pending(t) && !tables_has_bundle(t));
    if (first == before) {
        return OF_OK;
    }
    tables_visit(t, OFPTT_ALL, NULL, check_entry, &check);
    if (check.error) {
        return OF_TABLE_FEATURES_FAILED_EPERM;
    }
    staging_touch_everything(t);
    atomic_store_explicit(&t->egress.packed,
                          pack(t->staging.open.version, before, first),
                          memory_order_release);
    return OF_OK;
}
