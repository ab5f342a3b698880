#include <inttypes.h>
#include <math.h>

#include "switch/action_set.h"
#include "switch/translate_ctx.h"

static bool group_is_live(const struct translate_env *, const struct group *,
                          uint64_t version, unsigned int depth);

bool
translate_port_is_live(const struct translate_env *env, uint32_t number)
{
    const struct port_settings *port
        = port_map_find(port_maps_get(env->ports), number);

    return port && port->is_up && !port->admin_down;
}

/* A bucket that watches nothing is live; one that watches a port and a group,
 * while either is. */
static bool
bucket_is_live(const struct translate_env *env,
               const struct group_bucket *bucket, uint64_t version,
               unsigned int depth)
{
    const struct group *watched;

    if (bucket->watch_port != OFPP_ANY
        && translate_port_is_live(env, bucket->watch_port)) {
        return true;
    }
    if (bucket->watch_group != OFPG_ANY) {
        watched = tables_group(env->tables, bucket->watch_group, version);
        return watched && depth < TRANSLATE_MAX_DEPTH
               && group_is_live(env, watched, version, depth + 1);
    }
    return bucket->watch_port == OFPP_ANY;
}

static bool
group_is_live(const struct translate_env *env, const struct group *group,
              uint64_t version, unsigned int depth)
{
    for (unsigned int i = 0; i < group->n_buckets; i++) {
        if (bucket_is_live(env, &group->buckets[i], version, depth)) {
            return true;
        }
    }
    return false;
}

/* ---- Select ---- */

static uint64_t
hash_wanted_fields(struct hash_key key, const struct group_selection *sel,
                   const struct flow_view *v, struct flow_looks *looks)
{
    u128 values[GROUP_MAX_FIELDS] = { 0 };

    for (unsigned int i = 0; i < sel->n_fields; i++) {
        const struct group_field *f = &sel->fields[i];

        if (flow_view_has(v, looks, f->id)) {
            values[i] = flow_view_get_bits(v, looks, f->id, f->mask);
        }
    }
    return hash_bytes(key, values, sel->n_fields * sizeof values[0]);
}

uint64_t
translate_flow_hash(struct hash_key key, const struct group_selection *sel,
                    const struct flow_view *v, struct flow_looks *looks)
{
    /* Of each pair the first that the packet has. */
    static const enum field_id fields[] = {
        FIELD_ETH_SRC, FIELD_ETH_DST, FIELD_IP_PROTO, FIELD_IPV4_SRC,
        FIELD_IPV4_DST, FIELD_IPV6_SRC, FIELD_IPV6_DST, FIELD_TCP_SRC,
        FIELD_TCP_DST, FIELD_UDP_SRC, FIELD_UDP_DST, FIELD_SCTP_SRC,
        FIELD_SCTP_DST,
    };
    u128 values[ARRAY_SIZE(fields)] = { 0 };

    if (sel->param) {
        key.seed = hash_u64(key, sel->param);
    }
    if (sel->n_fields) {
        return hash_wanted_fields(key, sel, v, looks);
    }
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (flow_view_has(v, looks, fields[i])) {
            values[i] = flow_view_get(v, looks, fields[i]);
        }
    }
    return hash_bytes(key, values, sizeof values);
}

/* Weighted rendezvous: each bucket draws a number from (flow, bucket); of -ln u
 * / weight the least wins.  So flows spread as the weights say, and when a
 * bucket dies only its own flows move. */
int
translate_pick_bucket(const struct translate_env *env,
                      const struct group *group, uint64_t version,
                      uint64_t flow_hash)
{
    double best = INFINITY;
    int picked = -1;

    for (unsigned int i = 0; i < group->n_buckets; i++) {
        const struct group_bucket *bucket = &group->buckets[i];
        uint64_t draw = hash_u64((struct hash_key) { flow_hash },
                                 (uint64_t) group->id << 32 | bucket->id);
        double u = ((double) (draw >> 11) + 0.5) * 0x1p-53;
        double score;

        if (!bucket->weight || !bucket_is_live(env, bucket, version, 0)) {
            continue;
        }
        score = -log(u) / bucket->weight;
        if (score < best) {
            best = score;
            picked = (int) i;
        }
    }
    return picked;
}

static int
first_live_bucket(const struct translate_env *env, const struct group *group,
                  uint64_t version)
{
    for (unsigned int i = 0; i < group->n_buckets; i++) {
        if (bucket_is_live(env, &group->buckets[i], version, 0)) {
            return (int) i;
        }
    }
    return -1;
}

/* ---- Buckets ---- */

static void
bucket_body(struct translation *t, const void *aux)
{
    const struct group_bucket *bucket = aux;
    struct actions ordered = { 0 };

    action_set_order(bucket->actions, &ordered);
    t->origin = REASON_GROUP;
    translate_actions(t, actions_list(&ordered));
    actions_fini(&ordered);
}

static void
run_bucket(struct translation *t, const struct group *group, unsigned int i)
{
    const struct group_bucket *bucket = &group->buckets[i];

    SAY(t, "bucket %" PRIu32, bucket->id);
    credit_list_add(t->credits, CREDIT_BUCKET, group->id,
                    (uintptr_t) bucket->credit);
    translate_in_clone(t, bucket_body, bucket);
}

bool
translate_group_needs_headers(const struct translation *t, uint32_t id)
{
    const struct group *group = tables_group(t->env->tables, id, t->version);

    return group && group->type == GROUP_SELECT;
}

void
translate_group(struct translation *t, uint32_t id)
{
    const struct group *group = tables_group(t->env->tables, id, t->version);
    uint64_t hash;
    int picked;

    if (!group) {
        DROP(t, DROP_GROUP_EMPTY, "there is no group %" PRIu32, id);
        return;
    }
    credit_list_add(t->credits, CREDIT_GROUP, id, (uintptr_t) group->credit);

    switch (group->type) {
    case GROUP_ALL:
        for (unsigned int i = 0; i < group->n_buckets && !t->failed; i++) {
            run_bucket(t, group, i);
        }
        picked = group->n_buckets ? 0 : -1;
        break;
    case GROUP_SELECT:
        hash = translate_flow_hash(t->env->group_key, &group->selection,
                                   &t->view, &t->looks);
        picked = translate_pick_bucket(t->env, group, t->version, hash);
        break;
    case GROUP_FAST_FAILOVER:
        picked = first_live_bucket(t->env, group, t->version);
        break;
    case GROUP_INDIRECT: default:
        picked = group->n_buckets ? 0 : -1;
        break;
    }

    if (picked < 0) {
        DROP(t, DROP_GROUP_EMPTY, "group %" PRIu32 " has no live bucket", id);
    } else if (group->type != GROUP_ALL) {
        run_bucket(t, group, (unsigned int) picked);
    }
}
