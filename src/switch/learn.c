#include "switch/learn.h"

#include <stdlib.h>

#include "lib/hash.h"
#include "lib/rcu.h"

/* ---- Lists ---- */

void
learn_list_fini(struct learn_list *learns)
{
    for (unsigned int i = 0; i < learns->n; i++) {
        flow_mod_fini(&learns->list[i].mod);
    }
    free(learns->list);
    *learns = (struct learn_list) { 0, NULL };
}

void
learn_list_add(struct learn_list *learns, struct flow_mod *mod,
               uint32_t limit)
{
    learns->list = xrealloc(learns->list,
                            (learns->n + 1) * sizeof *learns->list);
    learns->list[learns->n++] = (struct learn_request) { *mod, limit };
    flow_mod_init(mod);
}

/* ---- Building ---- */

static u128
ones(unsigned int n_bits)
{
    return n_bits == 128 ? ~(u128) 0 : ((u128) 1 << n_bits) - 1;
}

/* A port of 16 bits has OpenFlow 1.0's reserved numbers. */
static uint32_t
port_of(u128 value, unsigned int n_bits)
{
    return n_bits <= 16 && value >= 0xff00
           ? (uint32_t) value | UINT32_C(0xffff0000) : (uint32_t) value;
}

/* A part of a field, its bits where they lie; NXM's port is a whole one. */
struct part {
    u128 value, mask;
};

static struct part
part_of(const struct subfield *dst, u128 value)
{
    if (dst->field == FIELD_IN_PORT && !dst->ofs && dst->n_bits == 16) {
        return (struct part) { port_of(value, 16), UINT32_MAX };
    }
    return (struct part) { value << dst->ofs, ones(dst->n_bits) << dst->ofs };
}

static void
add_load(struct actions *actions, enum field_id id, struct part part)
{
    uint32_t at = actions->len;

    actions_add_set_field(actions, id, part.value, part.mask);
    ((struct action_set_field *) (void *) (actions->data + at))->is_load
        = true;
}

/* Only to ports, and those reserved ones that are ports in a way. */
static void
add_output(struct actions *actions, uint32_t port)
{
    if (port && (port < OFPP_MAX || port == OFPP_IN_PORT || port == OFPP_FLOOD
                 || port == OFPP_ALL || port == OFPP_LOCAL)) {
        actions_add_output(actions, port);
    }
}

static void
add_spec(const struct learn_spec *spec, const struct flow_view *view,
         struct flow_looks *looks, struct flow_mod *mod)
{
    u128 value = spec->is_immediate
                 ? action_u128(spec->value)
                 : flow_view_get_subfield(view, looks, &spec->src);
    struct part part;

    switch ((enum learn_dst) spec->dst_kind) {
    case LEARN_MATCH:
        part = part_of(&spec->dst, value);
        match_set(&mod->match, spec->dst.field, part.value, part.mask);
        return;
    case LEARN_LOAD:
        add_load(&mod->storage[0], spec->dst.field,
                 part_of(&spec->dst, value));
        return;
    case LEARN_OUTPUT:
        add_output(&mod->storage[0], port_of(value, spec->src.n_bits));
        return;
    }
}

void
learn_build(const struct action_learn *a, const struct flow_view *view,
            struct flow_looks *looks, struct flow_mod *mod)
{
    struct action_fin_timeout *fin;

    flow_mod_init(mod);
    mod->table = a->table;
    mod->priority = a->priority;
    mod->idle_timeout = a->idle_timeout;
    mod->hard_timeout = a->hard_timeout;
    mod->cookie = a->cookie;
    mod->flags = a->flags & LEARN_SEND_FLOW_REM ? FLOW_MOD_SEND_FLOW_REM : 0;
    if (a->fin_idle_timeout || a->fin_hard_timeout) {
        fin = actions_add(&mod->storage[0], ACTION_FIN_TIMEOUT, sizeof *fin);
        fin->idle_timeout = a->fin_idle_timeout;
        fin->hard_timeout = a->fin_hard_timeout;
    }
    for (uint32_t i = 0; i < a->n_specs; i++) {
        add_spec(&a->specs[i], view, looks, mod);
    }
    flow_mod_seal(mod);
}

bool
learn_can_be(const struct flow_mod *mod, struct str *why)
{
    return match_check(&mod->match, why) == OF_OK
           && instructions_check(&mod->instructions, &mod->match, mod->table,
                                 why) == OF_OK;
}

static bool
ends_with_connections(struct action_list list)
{
    ACTION_FOR_EACH (action, &list) {
        if (action->type == ACTION_FIN_TIMEOUT) {
            return true;
        }
    }
    return false;
}

bool
learn_is_same(const struct flow_entry *e, const struct flow_mod *mod)
{
    struct match match;

    if (e->table != mod->table || e->priority != mod->priority
        || e->cookie != mod->cookie || e->flags != mod->flags
        || !action_list_equal(e->instructions.apply, mod->instructions.apply)
        || e->instructions.write.len || e->instructions.has_goto
        || e->instructions.clear || e->instructions.meter
        || e->instructions.metadata_mask) {
        return false;
    }
    if ((e->idle_timeout != mod->idle_timeout
         || e->hard_timeout != mod->hard_timeout)
        && !ends_with_connections(mod->instructions.apply)) {
        return false;
    }
    flow_entry_match(e, &match);
    return match_equal(&match, &mod->match);
}

/* ---- What was learned ---- */

/* Ids of entries, by what they say. */
struct slots {
    struct rcu_later later;       /* first: rcu_free() */
    uint32_t n;                   /* a power of two */
    _Atomic uint64_t ids[];
};

struct learning {
    void (*ready)(void *aux);
    void *aux;
    struct hash_key key;

    _Atomic(struct slots *) slots;
    uint32_t n_used;              /* slots that were empty once */

    _Atomic(struct held_packet *) held;         /* last in, first out */
    _Atomic uint32_t n_held;
    _Atomic uint32_t n_held_of[DP_MAX_PORTS];
    _Atomic(struct finished *) finished;
    _Atomic uint32_t n_finished;
};

enum { FIRST_SLOTS = 1024, MAX_SLOTS = 1 << 20, MAX_FINISHED = 4096 };

static struct slots *
slots_create(uint32_t n)
{
    struct slots *slots = xzalloc(sizeof *slots + n * sizeof slots->ids[0]);

    slots->n = n;
    return slots;
}

struct learning *
learning_create(void (*ready)(void *aux), void *aux)
{
    struct learning *l = xzalloc(sizeof *l);

    l->ready = ready;
    l->aux = aux;
    l->key = hash_key_random();
    atomic_init(&l->slots, slots_create(FIRST_SLOTS));
    return l;
}

void
learning_destroy(struct learning *l)
{
    struct held_packet *held;
    struct finished *finished;

    if (!l) {
        return;
    }
    for (held = learning_take(l); held;) {
        struct held_packet *next = held->next;

        held_packet_free(held);
        held = next;
    }
    for (finished = learning_take_finished(l); finished;) {
        struct finished *next = finished->next;

        free(finished);
        finished = next;
    }
    free(atomic_load(&l->slots));
    free(l);
}

static uint64_t
hash_of(const struct learning *l, const struct flow_mod *mod)
{
    uint64_t parts[4] = {
        (uint64_t) mod->table << 16 | mod->priority, mod->cookie,
        hash_bytes(l->key, &mod->match, sizeof mod->match),
        mod->instructions.apply.len
        ? hash_bytes(l->key, mod->instructions.apply.first,
                     mod->instructions.apply.len) : 0,
    };

    return hash_bytes(l->key, parts, sizeof parts);
}

const struct flow_entry *
learning_find(const struct learning *l, const struct tables *tables,
              uint64_t version, const struct flow_mod *mod)
{
    const struct slots *slots = atomic_load(&l->slots);
    uint64_t id = atomic_load(&slots->ids[hash_of(l, mod) & (slots->n - 1)]);
    const struct flow_entry *e = id ? tables_entry(tables, id) : NULL;

    return e && tables_entry_is_visible(e, version) && learn_is_same(e, mod)
           ? e : NULL;
}

/* More slots, empty ones: what was known is known again when it is asked for. */
static struct slots *
grow(struct learning *l, struct slots *old)
{
    struct slots *slots = slots_create(4 * old->n);

    l->n_used = 0;
    atomic_store(&l->slots, slots);
    rcu_free(&old->later);
    return slots;
}

void
learning_register(struct learning *l, const struct flow_mod *mod,
                  uint64_t entry_id)
{
    struct slots *slots = atomic_load(&l->slots);
    _Atomic uint64_t *slot;

    if (l->n_used > slots->n / 2 && slots->n < MAX_SLOTS) {
        slots = grow(l, slots);
    }
    slot = &slots->ids[hash_of(l, mod) & (slots->n - 1)];
    l->n_used += !atomic_load(slot);
    atomic_store(slot, entry_id);
}

/* ---- Packets that wait ---- */

static bool
reserve(_Atomic uint32_t *n, uint32_t max)
{
    if (atomic_fetch_add(n, 1) < max) {
        return true;
    }
    atomic_fetch_sub(n, 1);
    return false;
}

static _Atomic uint32_t *
held_of(struct learning *l, uint32_t port)
{
    return &l->n_held_of[port < DP_MAX_PORTS ? port : 0];
}

bool
learning_hold(struct learning *l, const struct packet *pkt,
              struct learn_list *learns)
{
    struct held_packet *held, *first;

    if (!reserve(&l->n_held, LEARN_MAX_HELD)) {
        return false;
    }
    if (!reserve(held_of(l, pkt->in_port), LEARN_MAX_HELD_PER_PORT)) {
        atomic_fetch_sub(&l->n_held, 1);
        return false;
    }
    held = xmalloc(sizeof *held + pkt->len);
    memset(held, 0, sizeof *held);
    packet_copy_metadata(&held->pkt, pkt);
    memcpy(held->data, pkt->data, pkt->len);
    held->pkt.data = held->pkt.buf = held->data;
    held->pkt.len = held->pkt.buf_size = pkt->len;
    held->learns = *learns;
    *learns = (struct learn_list) { 0, NULL };

    first = atomic_load(&l->held);
    do {
        held->next = first;
    } while (!atomic_compare_exchange_weak(&l->held, &first, held));
    if (!first) {
        l->ready(l->aux);
    }
    return true;
}

struct held_packet *
learning_take(struct learning *l)
{
    struct held_packet *stack = atomic_exchange(&l->held, NULL);
    struct held_packet *ordered = NULL;

    while (stack) {
        struct held_packet *held = stack;

        stack = held->next;
        held->next = ordered;
        ordered = held;
        atomic_fetch_sub(&l->n_held, 1);
        atomic_fetch_sub(held_of(l, held->pkt.in_port), 1);
    }
    return ordered;
}

void
held_packet_free(struct held_packet *held)
{
    learn_list_fini(&held->learns);
    free(held);
}

/* ---- Connections that ended ---- */

void
learning_finish(struct learning *l, uint64_t entry, uint16_t idle_timeout,
                uint16_t hard_timeout)
{
    struct finished *finished, *first;

    /* Beyond, its entry lasts as long as it would have. */
    if (!reserve(&l->n_finished, MAX_FINISHED)) {
        return;
    }
    finished = xmalloc(sizeof *finished);
    finished->entry = entry;
    finished->idle_timeout = idle_timeout;
    finished->hard_timeout = hard_timeout;
    first = atomic_load(&l->finished);
    do {
        finished->next = first;
    } while (!atomic_compare_exchange_weak(&l->finished, &first, finished));
    if (!first) {
        l->ready(l->aux);
    }
}

struct finished *
learning_take_finished(struct learning *l)
{
    struct finished *all = atomic_exchange(&l->finished, NULL);

    for (const struct finished *f = all; f; f = f->next) {
        atomic_fetch_sub(&l->n_finished, 1);
    }
    return all;
}
