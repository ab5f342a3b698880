/* Tables: how each is set, what it can do, and that it gets tight. */
#include "switch/control_stats.h"
#include "switch/egress.h"

enum { EVICTS_BY = EVICTION_IMPORTANCE | EVICTION_OTHER };

static void
describe(const struct tables *tables, uint8_t table,
         struct of_table_mod *desc)
{
    const struct table_policy *policy = tables_policy(tables, table);

    *desc = (struct of_table_mod) {
        .table = table,
        .config = (policy->evicts ? (uint32_t) TABLE_CONFIG_EVICTION : 0)
                  | (policy->tells_vacancy
                         ? (uint32_t) TABLE_CONFIG_VACANCY : 0),
        .has_eviction = true, .eviction_flags = EVICTS_BY,
        .has_vacancy = policy->tells_vacancy,
        .vacancy_down = policy->vacancy_down,
        .vacancy_up = policy->vacancy_up,
        .vacancy = tables_vacancy(tables, table),
    };
}

/* ---- Requests ---- */

static enum of_error
check_mod(const struct of_table_mod *mod, struct str *why)
{
    if (mod->table != OFPTT_ALL && mod->table >= N_TABLES) {
        return OF_TABLE_MOD_FAILED_BAD_TABLE;
    }
    if (mod->has_eviction && mod->eviction_flags
        && mod->eviction_flags != EVICTS_BY) {
        str_setf(why, "tables evict by importance and age");
        return OF_BAD_PROPERTY_BAD_VALUE;
    }
    if (mod->has_vacancy && (mod->vacancy_down > mod->vacancy_up
                             || mod->vacancy_up > 100)) {
        str_setf(why, "vacancy from %u to %u percent", mod->vacancy_down,
                 mod->vacancy_up);
        return OF_BAD_PROPERTY_BAD_VALUE;
    }
    return OF_OK;
}

static void
set_table(struct tables *tables, uint8_t table,
          const struct of_table_mod *mod)
{
    struct table_policy policy = *tables_policy(tables, table);

    policy.evicts = mod->config & TABLE_CONFIG_EVICTION;
    policy.tells_vacancy = mod->config & TABLE_CONFIG_VACANCY;
    if (mod->has_vacancy) {
        policy.vacancy_down = mod->vacancy_down;
        policy.vacancy_up = mod->vacancy_up;
    }
    tables_set_policy(tables, table, &policy);
}

/* 1.3 has nothing to set that still means something. */
enum of_error
control_table_mod(struct session *s, const struct of_table_mod *mod,
                  struct str *why)
{
    struct tables *tables = switch_tables(s->control->sw);
    enum of_error error = check_mod(mod, why);

    if (error || session_protocol(s)->version < OF14) {
        return error;
    }
    for (unsigned int i = 0; i < N_TABLES; i++) {
        if (mod->table == OFPTT_ALL || mod->table == i) {
            set_table(tables, (uint8_t) i, mod);
        }
    }
    return OF_OK;
}

/* ---- What is told ---- */

enum of_error
stats_tables(struct stats_request *r)
{
    struct tables *tables = switch_tables(r->control->sw);

    for (unsigned int i = 0; i < N_TABLES; i++) {
        struct table_stats *from = tables_stats(tables, (uint8_t) i);
        struct of_table_stats stats = {
            .table = (uint8_t) i,
            .max_entries = tables_max_entries(tables, (uint8_t) i),
            .active = from->n_entries,
            .lookups = atomic_load(&from->lookups),
            .matched = atomic_load(&from->matched),
        };

        of_reply_table(&r->reply, &stats);
    }
    return OF_OK;
}

enum of_error
stats_table_desc(struct stats_request *r)
{
    for (unsigned int i = 0; i < N_TABLES; i++) {
        struct of_table_mod desc;

        describe(switch_tables(r->control->sw), (uint8_t) i, &desc);
        of_reply_table_desc(&r->reply, &desc);
    }
    return OF_OK;
}

/* ---- Features ---- */

enum { CAN_BE_SET = TABLE_CONFIG_EVICTION | TABLE_CONFIG_VACANCY };

/* A request to set features, table by table (7.3.5.18 of 1.5.1). */
struct features_request {
    const struct of_protocol *protocol;
    struct tables *tables;
    struct of_bytes body;         /* what is left of it */
    uint8_t old_first;            /* egress table */
    unsigned int first;           /* that it asks for */
    unsigned int n_first;         /* how often */
};

static bool
next_features(struct features_request *r, struct of_table_features *t,
              enum of_error *error)
{
    return of_table_features_next(r->protocol, r->old_first, &r->body, t,
                                  error);
}

/* Packets that come in need a table to begin with. */
static uint32_t
features_of(uint8_t table, unsigned int first_egress)
{
    return TABLE_INGRESS | (table ? (uint32_t) TABLE_EGRESS : 0)
           | (table == first_egress ? (uint32_t) TABLE_FIRST_EGRESS : 0);
}

/* A table may be told how many entries to take, and to be the first egress
 * table; nothing else can change, and no table can go. */
static enum of_error
check_features(const struct tables *tables, const struct of_table_features *t)
{
    if (t->table >= N_TABLES) {
        return OF_TABLE_FEATURES_FAILED_BAD_TABLE;
    }
    if (t->command > TABLE_DISABLE) {
        return OF_TABLE_FEATURES_FAILED_BAD_COMMAND;
    }
    if (t->command == TABLES_REPLACE || t->command == TABLE_DISABLE) {
        return OF_TABLE_FEATURES_FAILED_EPERM;
    }
    if (t->features & ~features_of(t->table, t->table ? t->table : NO_EGRESS)) {
        return OF_TABLE_FEATURES_FAILED_BAD_FEATURES;
    }
    if (t->metadata_match != UINT64_MAX || t->metadata_write != UINT64_MAX) {
        return OF_TABLE_FEATURES_FAILED_BAD_METADATA;
    }
    if (t->config != CAN_BE_SET) {
        return OF_TABLE_FEATURES_FAILED_BAD_CAPABILITIES;
    }
    if (!t->max_entries || t->max_entries > tables_max_of_all(tables)) {
        return OF_TABLE_FEATURES_FAILED_BAD_MAX_ENTRIES;
    }
    return t->has_others || t->name[0] ? OF_TABLE_FEATURES_FAILED_EPERM
                                       : OF_OK;
}

/* The flag makes a table the first egress table instead of the one before; that
 * one without it: there are none. */
static void
note_first(struct features_request *r, const struct of_table_features *t)
{
    if (t->features & TABLE_FIRST_EGRESS) {
        r->first = t->table;
        r->n_first++;
    } else if (t->table == r->first && !r->n_first) {
        r->first = NO_EGRESS;
    }
}

static enum of_error
check_all(struct features_request r, unsigned int *first)
{
    struct of_table_features t;
    enum of_error error, bad = OF_OK;

    while (!bad && next_features(&r, &t, &error)) {
        bad = check_features(r.tables, &t);
        note_first(&r, &t);
    }
    *first = r.first;
    return bad ? bad : error ? error
           : r.n_first > 1 ? OF_TABLE_FEATURES_FAILED_BAD_FEATURES : OF_OK;
}

/* Each table must be said to be what it then is. */
static enum of_error
check_stages(struct features_request r, unsigned int first)
{
    struct of_table_features t;
    enum of_error error;

    while (next_features(&r, &t, &error)) {
        if (!(t.features & (t.table >= first ? TABLE_EGRESS
                                             : TABLE_INGRESS))) {
            return OF_TABLE_FEATURES_FAILED_BAD_FEATURES;
        }
    }
    return OF_OK;
}

static void
set_limits(struct features_request r)
{
    struct of_table_features t;
    enum of_error error;

    while (next_features(&r, &t, &error)) {
        struct table_policy policy = *tables_policy(r.tables, t.table);

        policy.max_entries = t.max_entries;
        tables_set_policy(r.tables, t.table, &policy);
    }
}

static uint8_t
first_egress(const struct tables *tables)
{
    return (uint8_t) tables_first_egress(tables, tables_version(tables));
}

/* All of the tables, or none. */
static enum of_error
take_features(struct stats_request *r)
{
    struct tables *tables = switch_tables(r->control->sw);
    struct features_request features = {
        .protocol = session_protocol(r->s), .tables = tables,
        .body = r->what->body,
        .old_first = first_egress(tables), .first = first_egress(tables),
    };
    unsigned int first;
    enum of_error error;

    if (features.protocol->version < OF15) {
        return OF_TABLE_FEATURES_FAILED_EPERM;
    }
    if (r->s->role == ROLE_SLAVE) {
        return OF_BAD_REQUEST_IS_SLAVE;
    }
    error = check_all(features, &first);
    error = error ? error : check_stages(features, first);
    error = error ? error : switch_set_first_egress(r->control->sw, first);
    if (!error) {
        set_limits(features);
    }
    return error;
}

enum of_error
stats_table_features(struct stats_request *r)
{
    struct tables *tables = switch_tables(r->control->sw);
    enum of_error error = r->what->body.len ? take_features(r) : OF_OK;

    for (unsigned int i = 0; !error && i < N_TABLES; i++) {
        struct of_table_features features = {
            .table = (uint8_t) i, .config = CAN_BE_SET,
            .first_egress = first_egress(tables),
            .features = features_of((uint8_t) i, first_egress(tables)),
            .max_entries = tables_max_entries(tables, (uint8_t) i),
        };

        of_reply_table_features(&r->reply, &features);
    }
    return error;
}

/* ---- Vacancy ---- */

void
control_table_vacancy(struct control *control, uint8_t table, bool is_tight)
{
    struct of_message m = {
        .type = OFT_TABLE_STATUS,
        .table_status.reason = is_tight ? TABLE_VACANCY_DOWN
                                        : TABLE_VACANCY_UP,
    };

    describe(switch_tables(control->sw), table, &m.table_status.desc);
    for (struct session *s = control->sessions; s; s = s->next) {
        if (session_wants_async(s, ASYNC_TABLE_STATUS,
                                m.table_status.reason)) {
            m.version = session_protocol(s)->version;
            session_tell(s, &m);
        }
    }
}
