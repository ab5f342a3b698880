/* Tables: how each is set, what it can do, and that it gets tight. */
#include "switch/control_stats.h"

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

/* A table may be told how many entries to take; nothing else can change, and no
 * table can go. */
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
    if (t->features != TABLE_INGRESS) {
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

static void
set_features(struct tables *tables, const struct of_table_features *t)
{
    struct table_policy policy = *tables_policy(tables, t->table);

    policy.max_entries = t->max_entries;
    tables_set_policy(tables, t->table, &policy);
}

/* All of the tables, or none. */
static enum of_error
take_features(struct stats_request *r)
{
    const struct of_protocol *protocol = session_protocol(r->s);
    struct tables *tables = switch_tables(r->control->sw);
    struct of_bytes body = r->what->body;
    struct of_table_features t;
    enum of_error error, bad = OF_OK;

    if (protocol->version < OF15) {
        return OF_TABLE_FEATURES_FAILED_EPERM;
    }
    if (r->s->role == ROLE_SLAVE) {
        return OF_BAD_REQUEST_IS_SLAVE;
    }
    while (!bad && of_table_features_next(protocol, &body, &t, &error)) {
        bad = check_features(tables, &t);
    }
    if (bad || error) {
        return bad ? bad : error;
    }
    body = r->what->body;
    while (of_table_features_next(protocol, &body, &t, &error)) {
        set_features(tables, &t);
    }
    return OF_OK;
}

enum of_error
stats_table_features(struct stats_request *r)
{
    struct tables *tables = switch_tables(r->control->sw);
    enum of_error error = r->what->body.len ? take_features(r) : OF_OK;

    for (unsigned int i = 0; !error && i < N_TABLES; i++) {
        struct of_table_features features = {
            .table = (uint8_t) i, .config = CAN_BE_SET,
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
