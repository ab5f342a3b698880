#include <inttypes.h>

#include "switch/learn.h"
#include "switch/translate_ctx.h"

static void
say_learned(struct translation *t, const char *what,
            const struct flow_mod *mod)
{
    struct str text = STR_INIT;

    if (UNLIKELY(t->opt->trace)) {
        flow_mod_format(mod, &text);
        SAY(t, "%s: %s", what, str_text(&text));
        str_fini(&text);
    }
}

static bool
is_over_limit(struct translation *t, const struct flow_mod *mod,
              uint32_t limit)
{
    if (!limit || tables_count_cookie(t->env->tables, mod->table,
                                      mod->cookie, t->version)
                  < limit) {
        return false;
    }
    SAY(t, "learns nothing: table %u has %" PRIu32 " entries of cookie 0x%"
        PRIx64, mod->table, limit, be64toh(mod->cookie));
    /* Not for ever: they may go. */
    credit_list_add(t->credits, CREDIT_RECHECK, 0, 0);
    return true;
}

/* Is there the entry, as far as the packets behind see? */
static bool
learn(struct translation *t, struct flow_mod *mod, uint32_t limit)
{
    const struct flow_entry *e = learning_find(t->env->learning,
                                               t->env->tables, t->version,
                                               mod);

    if (e) {
        say_learned(t, "has learned", mod);
        credit_list_add(t->credits, CREDIT_LEARNED, e->id, e->stamp);
        return true;
    }
    if (is_over_limit(t, mod, limit)) {
        return false;
    }
    if (t->opt->no_effects || t->opt->learns) {
        say_learned(t, "learns", mod);
    }
    if (t->opt->learns) {
        learn_list_add(t->opt->learns, mod, limit);
        return true;
    }
    /* Without effects: it would be there.  Else it was tried. */
    return t->opt->no_effects;
}

void
translate_learn(struct translation *t, const struct action *action)
{
    const struct action_learn *a = (const void *) action;
    struct str why = STR_INIT;
    struct flow_mod mod;
    bool is_there = false;

    learn_build(a, &t->view, &t->looks, &mod);
    if (learn_can_be(&mod, &why)) {
        is_there = learn(t, &mod, a->limit);
    } else {
        SAY(t, "learns nothing: %s", str_text(&why));
    }
    flow_mod_fini(&mod);
    str_fini(&why);
    if (a->result_dst.n_bits) {
        translate_set_subfield(t, &a->result_dst, is_there);
    }
}

void
translate_fin_timeout(struct translation *t, const struct action *action)
{
    enum { FIN = 1, RST = 4 };
    const struct action_fin_timeout *a = (const void *) action;

    if (!flow_view_has(&t->view, &t->looks, FIELD_TCP_FLAGS)) {
        SAY(t, "skipped: the packet is not TCP");
        return;
    }
    if (flow_view_get_bits(&t->view, &t->looks, FIELD_TCP_FLAGS, FIN | RST)
        && t->entry) {
        SAY(t, "the connection ends, and the entry's timeouts come down");
        credit_list_add(t->credits, CREDIT_FINISHED, t->entry,
                        (uint64_t) a->idle_timeout << 16 | a->hard_timeout);
    }
}
