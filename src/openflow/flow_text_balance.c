/* Actions that spread flows by a hash: multipath, bundle and bundle_load. */
#include "openflow/flow_text.h"

static const char *const hash_names[] = {
    [HASH_ETH_SRC] = "eth_src",
    [HASH_SYMMETRIC_L4] = "symmetric_l4",
    [HASH_SYMMETRIC_L3L4] = "symmetric_l3l4",
    [HASH_SYMMETRIC_L3L4_UDP] = "symmetric_l3l4+udp",
    [HASH_NW_SRC] = "nw_src",
    [HASH_NW_DST] = "nw_dst",
    [HASH_SYMMETRIC_L3] = "symmetric_l3",
    NULL,
};

static const char *const multipath_names[] = {
    [MULTIPATH_MODULO_N] = "modulo_n",
    [MULTIPATH_HASH_THRESHOLD] = "hash_threshold",
    [MULTIPATH_HRW] = "hrw",
    [MULTIPATH_ITER_HASH] = "iter_hash",
    NULL,
};

static const char *const bundle_names[] = {
    [BUNDLE_ACTIVE_BACKUP] = "active_backup", [BUNDLE_HRW] = "hrw", NULL,
};

/* One of the names, of the given kind. */
static int
parse_name(const struct flow_text *ft, struct span word, const char *kind,
           const char *const *names, uint16_t *number)
{
    for (uint16_t i = 0; names[i]; i++) {
        if (span_is_nocase(word, names[i])) {
            *number = i;
            return 0;
        }
    }
    return flow_text_unknown(ft, word, kind, names);
}

/* The next of several plain arguments. */
static int
next_argument(const struct flow_text *ft, struct span *rest,
              const char *what, struct span *word)
{
    struct item item;
    int found = flow_text_next(ft, rest, &item);

    if (found < 0) {
        return found;
    }
    if (!found || item.mark) {
        return flow_text_fail(ft, rest->s, "the %s is missing", what);
    }
    *word = item.word;
    return 0;
}

static int
next_name(const struct flow_text *ft, struct span *rest, const char *kind,
          const char *const *names, uint16_t *number)
{
    struct span word;
    int err = next_argument(ft, rest, kind, &word);

    return err ? err : parse_name(ft, word, kind, names, number);
}

static int
next_number(const struct flow_text *ft, struct span *rest, const char *what,
            uint64_t max, uint64_t *number)
{
    struct span word;
    int err = next_argument(ft, rest, what, &word);

    return err ? err : flow_text_number(ft, word, what, max, number);
}

static int
next_subfield(const struct flow_text *ft, struct span *rest,
              struct subfield *sub)
{
    struct span word;
    int err = next_argument(ft, rest, "destination", &word);

    return err ? err : flow_text_subfield(ft, word, sub);
}

/* ---- multipath(FIELDS,BASIS,ALGORITHM,N_LINKS,ARG,DST) ---- */

int
parse_multipath(struct flow_text *ft, const struct item *item,
                uint32_t type UNUSED, struct actions *actions)
{
    struct action_multipath a = { .arg = 0 }, *out;
    struct span rest = item->value;
    uint64_t basis = 0, n_links = 0, arg = 0;
    int err;

    err = next_name(ft, &rest, "hash", hash_names, &a.fields);
    err = err ? err : next_number(ft, &rest, "basis", 0xffff, &basis);
    err = err ? err : next_name(ft, &rest, "algorithm", multipath_names,
                                &a.algorithm);
    err = err ? err : next_number(ft, &rest, "number of links", 65536,
                                  &n_links);
    err = err ? err : next_number(ft, &rest, "argument", UINT32_MAX, &arg);
    err = err ? err : next_subfield(ft, &rest, &a.dst);
    if (err) {
        return err;
    }
    if (!n_links || (a.dst.n_bits < 17
                     && n_links > UINT64_C(1) << a.dst.n_bits)) {
        return flow_text_fail(ft, item->value.s, "%u bits do not hold the "
                              "number of one of %u links", a.dst.n_bits,
                              (unsigned int) n_links);
    }
    out = actions_add(actions, ACTION_MULTIPATH, sizeof *out);
    out->fields = a.fields;
    out->basis = (uint16_t) basis;
    out->algorithm = a.algorithm;
    out->max_link = (uint16_t) (n_links - 1);
    out->arg = (uint32_t) arg;
    out->dst = a.dst;
    return 0;
}

void
format_multipath(const struct action *action,
                 const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_multipath *a = (const void *) action;

    str_addf(s, "multipath(%s,%u,%s,%u,%u,", hash_names[a->fields], a->basis,
             multipath_names[a->algorithm], a->max_link + 1u, a->arg);
    flow_text_format_subfield(&a->dst, s);
    str_add_char(s, ')');
}

/* ---- bundle(FIELDS,BASIS,ALGORITHM,ofport,members:PORT,...) ---- */

struct bundle_text {
    uint32_t members[BUNDLE_MAX_MEMBERS];
    struct action_bundle head;
};

static int
parse_member(const struct flow_text *ft, struct span word,
             struct bundle_text *bundle)
{
    if (bundle->head.n_members == BUNDLE_MAX_MEMBERS) {
        return flow_text_fail(ft, word.s, "more than %d members",
                              BUNDLE_MAX_MEMBERS);
    }
    return flow_text_port(ft, word,
                          &bundle->members[bundle->head.n_members++]);
}

/* "members:" stands with the first port, or before it. */
static int
parse_members(const struct flow_text *ft, struct span *rest,
              struct bundle_text *bundle)
{
    struct item item;
    int err = flow_text_next(ft, rest, &item);

    if (err < 0) {
        return err;
    }
    if (!err || item.mark != ':' || (!span_is(item.word, "members")
                                     && !span_is(item.word, "slaves"))) {
        return flow_text_fail(ft, rest->s, "write members:PORT,...");
    }
    err = item.value.len ? parse_member(ft, item.value, bundle) : 0;
    while (!err && (err = flow_text_next(ft, rest, &item)) > 0) {
        err = item.mark ? flow_text_fail(ft, item.word.s, "a member is a "
                                         "port")
              : parse_member(ft, item.word, bundle);
    }
    return err;
}

int
parse_bundle(struct flow_text *ft, const struct item *item, uint32_t is_load,
             struct actions *actions)
{
    static const char *const member_types[] = { "ofport", NULL };
    struct bundle_text bundle = { .head = { .n_members = 0 } };
    struct action_bundle *out;
    struct span rest = item->value;
    uint64_t basis = 0;
    uint16_t type;
    size_t size;
    int err;

    err = next_name(ft, &rest, "hash", hash_names, &bundle.head.fields);
    err = err ? err : next_number(ft, &rest, "basis", 0xffff, &basis);
    err = err ? err : next_name(ft, &rest, "algorithm", bundle_names,
                                &bundle.head.algorithm);
    err = err ? err : next_name(ft, &rest, "member type", member_types,
                                &type);
    if (!err && is_load) {
        err = next_subfield(ft, &rest, &bundle.head.dst);
    }
    err = err ? err : parse_members(ft, &rest, &bundle);
    if (err) {
        return err;
    }
    size = bundle.head.n_members * sizeof bundle.members[0];
    out = actions_add(actions, ACTION_BUNDLE, sizeof *out + size);
    bundle.head.h = out->h;
    bundle.head.basis = (uint16_t) basis;
    *out = bundle.head;
    memcpy(out->members, bundle.members, size);
    return 0;
}

void
format_bundle(const struct action *action, const struct flow_text_names *names,
              struct str *s)
{
    const struct action_bundle *a = (const void *) action;

    str_addf(s, "%s(%s,%u,%s,ofport,", a->dst.n_bits ? "bundle_load"
                                                      : "bundle",
             hash_names[a->fields], a->basis, bundle_names[a->algorithm]);
    if (a->dst.n_bits) {
        flow_text_format_subfield(&a->dst, s);
        str_add_char(s, ',');
    }
    str_add(s, "members:");
    for (unsigned int i = 0; i < a->n_members; i++) {
        str_add(s, i ? "," : "");
        flow_text_format_port(a->members[i], names, s);
    }
    str_add_char(s, ')');
}
