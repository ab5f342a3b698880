/* Meters (OpenFlow 1.3.5 section 6.6): which exist and how they are set.  What
 * they let through is the data path's business. */
#include <stdlib.h>

#include "datapath/datapath.h"
#include "lib/str.h"
#include "switch/tables_state.h"

enum { MAX_METERS = DP_MAX_METERS };

struct meter_version {
    struct object o;
    struct meter m;
};

static struct meter_version *
meter_cast(const struct object *o)
{
    return (struct meter_version *) (uintptr_t) o;
}

void
meter_version_destroy(struct object *o)
{
    free(o);
}

static enum of_error
check_meter(const struct meter_mod *mm, struct str *why)
{
    bool is_kbps = mm->flags & METER_KBPS;
    bool is_pktps = mm->flags & METER_PKTPS;

    if (!mm->id || (mm->id > OFPM_MAX && mm->id < OFPM_SLOWPATH) ||
        mm->id == OFPM_ALL) {
        str_setf(why, "%u is not a meter number", mm->id);
        return OF_METER_MOD_FAILED_INVALID_METER;
    }
    if (is_kbps == is_pktps ||
        mm->flags & ~(unsigned int) (METER_KBPS | METER_PKTPS | METER_BURST
                                     | METER_STATS)) {
        str_setf(why, "a meter counts either kb/s or packets/s");
        return OF_METER_MOD_FAILED_BAD_FLAGS;
    }
    if (mm->n_bands > METER_MAX_BANDS) {
        str_setf(why, "a meter has at most %d bands", METER_MAX_BANDS);
        return OF_METER_MOD_FAILED_OUT_OF_BANDS;
    }
    for (unsigned int i = 0; i < mm->n_bands; i++) {
        const struct meter_band *band = &mm->bands[i];

        if (band->type != METER_BAND_DROP &&
            band->type != METER_BAND_DSCP_REMARK) {
            return OF_METER_MOD_FAILED_BAD_BAND;
        }
        if (!band->rate) {
            str_setf(why, "a band of rate 0");
            return OF_METER_MOD_FAILED_BAD_RATE;
        }
    }
    return OF_OK;
}

static void
put_meter(struct tables *t, const struct meter_mod *mm, msec created)
{
    struct meter_version *version = xzalloc(sizeof *version);

    version->o.id = mm->id;
    version->m.id = mm->id;
    version->m.flags = mm->flags;
    version->m.n_bands = mm->n_bands;
    memcpy(version->m.bands, mm->bands, sizeof mm->bands);
    version->m.created = created;
    staging_add_object(t, DYING_METER, &version->o);
}

/* With it go the entries that name it. */
static void
delete_meter(struct tables *t, struct object *meter)
{
    struct entry_ref *ref;

    while ((ref = meter->slot->refs)) {
        staging_remove_entry(t, ref->entry, REMOVED_METER_DELETE, NULL);
    }
    staging_remove_object(t, DYING_METER, meter);
}

static bool
delete_slot(void *t, struct object_slot *slot)
{
    struct object *meter = object_slot_alive(slot);

    if (meter) {
        delete_meter(t, meter);
    }
    return true;
}

enum of_error
tables_meter_mod(struct tables *t, const struct meter_mod *mm, msec now,
                 struct str *why)
{
    struct object *old = object_table_newest(&t->meters, mm->id);
    enum of_error error;

    if (mm->command == METER_MOD_DELETE) {
        if (mm->id == OFPM_ALL) {
            object_table_visit(&t->meters, delete_slot, t);
        } else if (old) {
            delete_meter(t, old);
        }
        return OF_OK;
    }
    error = check_meter(mm, why);
    if (error) {
        return error;
    }
    if (mm->command == METER_MOD_ADD) {
        if (old) {
            str_setf(why, "meter %u exists", mm->id);
            return OF_METER_MOD_FAILED_METER_EXISTS;
        }
        if (t->meters.n >= MAX_METERS) {
            str_setf(why, "there are %u meters already", t->meters.n);
            return OF_METER_MOD_FAILED_OUT_OF_METERS;
        }
        put_meter(t, mm, now);
        return OF_OK;
    }
    if (mm->command != METER_MOD_MODIFY) {
        return OF_METER_MOD_FAILED_BAD_COMMAND;
    }
    if (!old) {
        str_setf(why, "there is no meter %u", mm->id);
        return OF_METER_MOD_FAILED_UNKNOWN_METER;
    }
    staging_remove_object(t, DYING_METER, old);
    put_meter(t, mm, meter_cast(old)->m.created);
    return OF_OK;
}

const struct meter *
tables_meter(const struct tables *t, uint32_t id)
{
    const struct object *o = object_table_at(&t->meters, id,
                                             tables_version(t));

    return o ? &meter_cast(o)->m : NULL;
}

uint32_t
tables_meter_users(const struct tables *t, uint32_t id)
{
    return object_table_n_users(&t->meters, id);
}

struct visit {
    const struct tables *t;
    uint64_t version;
    meter_visit *visit;
    void *aux;
};

static bool
visit_slot(void *visit_, struct object_slot *slot)
{
    struct visit *visit = visit_;
    const struct object *o = object_table_at(&visit->t->meters, slot->id,
                                             visit->version);

    return !o || visit->visit(visit->aux, &meter_cast(o)->m);
}

void
tables_visit_meters(const struct tables *t, meter_visit *visit, void *aux)
{
    struct visit v = { t, tables_version(t), visit, aux };

    object_table_visit(&t->meters, visit_slot, &v);
}
