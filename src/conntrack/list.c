/* For who wants to see connections, or to flush them. */
#include "conntrack/conntrack_impl.h"
#include "conntrack/nat.h"

static void
fill_info(const struct ct_conn *conn, struct ct_info *info)
{
    *info = (struct ct_info) {
        .original = ct_conn_tuple(conn, 0),
        .reply = ct_conn_tuple(conn, 1),
        .id = conn->id,
        .generation = atomic_load(&conn->generation),
        .mark = conn->mark,
        .label = conn->label,
        .is_answered = conn->is_answered,
        .state = ct_state_text(conn),
        .expires = atomic_load(&conn->expires),
        .bytes = { conn->bytes[0], conn->bytes[1] },
    };
}

struct ct_conn *
ct_lock_place(struct conntrack *ct, uint32_t id, msec now)
{
    struct ct_conn *conn = ct_table_place(ct->table, id);

    if (!conn) {
        return NULL;
    }
    ct_conn_lock(conn);
    if (atomic_load(&conn->life) == CT_ALIVE
        && !ct_conn_is_over(conn, now)) {
        return conn;
    }
    ct_conn_unlock(conn);
    return NULL;
}

void
conntrack_visit(struct conntrack *ct, msec now,
                bool (*visit)(void *aux, const struct ct_info *), void *aux)
{
    uint32_t n = ct_table_n_places(ct->table);
    bool go_on = true;

    for (uint32_t id = 0; id < n && go_on; id++) {
        struct ct_conn *conn = ct_lock_place(ct, id, now);
        struct ct_info info;

        if (conn) {
            fill_info(conn, &info);
            ct_conn_unlock(conn);
            go_on = visit(aux, &info);
        }
    }
}

unsigned int
conntrack_flush(struct conntrack *ct, unsigned int slot, msec now,
                bool (*is_it)(void *aux, const struct ct_info *), void *aux)
{
    uint32_t n = ct_table_n_places(ct->table);
    unsigned int n_ended = 0;

    for (uint32_t id = 0; id < n; id++) {
        struct ct_conn *conn = ct_lock_place(ct, id, now);
        struct ct_info info;

        if (!conn) {
            continue;
        }
        fill_info(conn, &info);
        if (is_it && !is_it(aux, &info)) {
            ct_conn_unlock(conn);
            continue;
        }
        ct_end(ct, slot, conn);
        n_ended++;
    }
    CT_COUNT(ct, slot, ended, n_ended);
    return n_ended;
}

static struct ct_conn *
find(struct conntrack *ct, const struct ct_tuple *tuple, unsigned int *dir)
{
    return ct_table_find(ct->table, tuple, ct_table_hash(ct->table, tuple),
                         dir);
}

bool
conntrack_find(struct conntrack *ct, const struct ct_tuple *tuple, msec now,
               struct ct_info *info, unsigned int *dir)
{
    struct ct_conn *conn = find(ct, tuple, dir);
    struct ct_tuple other = *tuple;
    bool is_there;

    if (!conn && ct->config.outside_zone_min
        && tuple->zone >= ct->config.outside_zone_min
        && ct_nat_zone(ct, tuple, &other.zone)) {
        conn = find(ct, &other, dir);
    }
    is_there = conn && !ct_conn_is_over(conn, now);
    if (is_there) {
        fill_info(conn, info);
    }
    if (conn) {
        ct_conn_unlock(conn);
    }
    return is_there;
}
