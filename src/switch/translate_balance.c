#include <inttypes.h>

#include "switch/balance.h"
#include "switch/translate_ctx.h"

static uint32_t
hash_of(struct translation *t, uint16_t fields, uint16_t basis)
{
    return balance_hash(t->env->group_key, fields, basis, &t->view,
                        &t->looks);
}

void
translate_multipath(struct translation *t, const struct action *action)
{
    const struct action_multipath *a = (const void *) action;
    uint32_t link = balance_link(a, hash_of(t, a->fields, a->basis));

    SAY(t, "link %" PRIu32, link);
    translate_set_subfield(t, &a->dst, link);
}

bool
translate_member_is_live(const void *env_, uint32_t port)
{
    const struct translate_env *env = env_;

    switch (port) {
    case OFPP_IN_PORT: case OFPP_TABLE: case OFPP_NORMAL: case OFPP_FLOOD:
    case OFPP_ALL:
        return true;
    default:
        return translate_port_is_live(env, port);
    }
}

void
translate_bundle(struct translation *t, const struct action *action)
{
    const struct action_bundle *a = (const void *) action;
    /* Who is first needs no hash. */
    uint32_t hash = a->algorithm == BUNDLE_ACTIVE_BACKUP
                    ? 0 : hash_of(t, a->fields, a->basis);
    uint32_t port = balance_member(a, hash, translate_member_is_live, t->env);

    if (port == OFPP_ANY) {
        DROP(t, DROP_NO_OUTPUT, "no member is live");
    }
    if (a->dst.n_bits) {
        SAY(t, "member %" PRIu32, port & 0xffff);
        translate_set_subfield(t, &a->dst, port & 0xffff);
    } else if (port != OFPP_ANY) {
        translate_output(t, port, 0);
    }
}
