/* Groups:  group_id=1,type=select,bucket=weight:2,actions=output:1,bucket=...
 *
 * A bucket goes on until the next one; in it stand its own words, in any order,
 * and actions. */
#include "openflow/flow_text.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const group_types[] = {
    [GROUP_ALL] = "all",
    [GROUP_SELECT] = "select",
    [GROUP_INDIRECT] = "indirect",
    [GROUP_FAST_FAILOVER] = "fast_failover",
};

static uint16_t
default_weight(enum group_type type)
{
    return type == GROUP_SELECT ? 1 : 0;
}

/* ---- Buckets ---- */

enum { MAX_BUCKETS = 4096 };

static int
parse_weight(struct flow_text *ft, struct span value, struct bucket *bucket)
{
    uint64_t weight;
    int err = flow_text_number(ft, value, "weight", UINT16_MAX, &weight);

    bucket->weight = err ? 0 : (uint16_t) weight;
    return err;
}

static int
parse_bucket_id(struct flow_text *ft, struct span value,
                struct bucket *bucket)
{
    uint64_t id;
    int err = flow_text_number(ft, value, "bucket_id", OFPG_MAX, &id);

    bucket->id = err ? 0 : (uint32_t) id;
    return err;
}

static int
parse_watch_port(struct flow_text *ft, struct span value,
                 struct bucket *bucket)
{
    return flow_text_port(ft, value, &bucket->watch_port);
}

static int
parse_watch_group(struct flow_text *ft, struct span value,
                  struct bucket *bucket)
{
    uint64_t group;
    int err = flow_text_number(ft, value, "watch_group", UINT32_MAX, &group);

    bucket->watch_group = err ? 0 : (uint32_t) group;
    return err;
}

static const struct {
    const char *word;
    int (*parse)(struct flow_text *, struct span value, struct bucket *);
} bucket_words[] = {
    { "weight", parse_weight },
    { "bucket_id", parse_bucket_id },
    { "watch_port", parse_watch_port },
    { "watch_group", parse_watch_group },
};

static int
parse_bucket_item(struct flow_text *ft, const struct item *item,
                  struct bucket *bucket)
{
    for (size_t i = 0; i < ARRAY_SIZE(bucket_words); i++) {
        if (span_is(item->word, bucket_words[i].word)) {
            return bucket_words[i].parse(ft, item->value, bucket);
        }
    }
    if (span_is_nocase(item->word, "drop") && !bucket->actions.len) {
        return flow_text_want_none(ft, item);
    }
    return action_text_item(ft, item, &bucket->actions);
}

static bool
is_prefix(const struct item *item, const char *word)
{
    return item->mark == '=' && span_is(item->word, word);
}

/* Goes on behind "bucket=" or "actions=", where the value itself is a row of
 * items. */
static void
step_into(struct span *rest, const struct item *item)
{
    rest->len += (size_t) (rest->s - item->value.s);
    rest->s = item->value.s;
}

/* Parses a bucket, up to the next one or the end. */
static int
parse_bucket(struct flow_text *ft, struct span *rest, struct bucket *bucket)
{
    struct str why = STR_INIT;
    struct span start = *rest;
    bool has_actions = false;
    struct item item;
    int more;

    while ((more = flow_text_next(ft, rest, &item)) > 0) {
        int err = 0;

        if (is_prefix(&item, "bucket")) {
            rest->len += (size_t) (rest->s - item.word.s);
            rest->s = item.word.s;
            break;
        }
        if (!has_actions
            && (is_prefix(&item, "actions") || is_prefix(&item, "action"))) {
            has_actions = true;
            step_into(rest, &item);
        } else {
            err = parse_bucket_item(ft, &item, bucket);
        }
        if (err) {
            return err;
        }
    }
    if (more < 0) {
        return more;
    }
    if (actions_check(actions_list(&bucket->actions), ACTIONS_BUCKET, NULL,
                      &why) != OF_OK) {
        more = flow_text_fail(ft, start.s, "%s", str_text(&why));
    }
    str_fini(&why);
    return more < 0 ? more : 0;
}

static int
add_bucket(struct flow_text *ft, struct span *rest, const struct item *item,
           struct group_mod *gm)
{
    struct bucket *bucket;

    if (gm->n_buckets == MAX_BUCKETS) {
        return flow_text_fail(ft, item->word.s, "more than %d buckets",
                              MAX_BUCKETS);
    }
    gm->buckets = xrealloc(gm->buckets,
                           (gm->n_buckets + 1) * sizeof *gm->buckets);
    bucket = &gm->buckets[gm->n_buckets];
    *bucket = (struct bucket) { .id = gm->n_buckets++,
                                .weight = default_weight(gm->type),
                                .watch_port = OFPP_ANY,
                                .watch_group = OFPG_ANY };
    step_into(rest, item);
    return parse_bucket(ft, rest, bucket);
}

/* ---- The group ---- */

static int
parse_type(const struct flow_text *ft, struct span value,
           enum group_type *type)
{
    const char *names[ARRAY_SIZE(group_types) + 1] = { NULL };

    for (size_t i = 0; i < ARRAY_SIZE(group_types); i++) {
        if (span_is(value, group_types[i])) {
            *type = (enum group_type) i;
            return 0;
        }
        names[i] = group_types[i];
    }
    if (span_is(value, "ff")) {
        *type = GROUP_FAST_FAILOVER;
        return 0;
    }
    return flow_text_unknown(ft, value, "group type", names);
}

static int
parse_group_id(const struct flow_text *ft, struct span value,
               struct group_mod *gm)
{
    uint64_t id = OFPG_ALL;
    int err = 0;

    if (gm->command != GROUP_MOD_DELETE || !span_is(value, "all")) {
        err = flow_text_number(ft, value, "group_id", OFPG_MAX, &id);
    }
    gm->id = (uint32_t) id;
    return err;
}

static int
parse_command_bucket(const struct flow_text *ft, struct span value,
                     struct group_mod *gm)
{
    static const struct {
        const char *word;
        uint32_t bucket;
    } words[] = {
        { "first", BUCKET_FIRST }, { "last", BUCKET_LAST },
        { "all", BUCKET_ALL },
    };
    uint64_t id = 0;
    int err;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (span_is(value, words[i].word)) {
            gm->command_bucket = words[i].bucket;
            return 0;
        }
    }
    err = flow_text_number(ft, value, "command_bucket_id", OFPG_MAX, &id);
    gm->command_bucket = (uint32_t) id;
    return err;
}

static int
parse_method(const struct flow_text *ft, struct span value,
             struct group_selection *sel)
{
    static const char *const methods[] = { "hash", "dp_hash", NULL };

    for (const char *const *m = methods; *m; m++) {
        if (span_is(value, *m)) {
            snprintf(sel->method, sizeof sel->method, "%s", *m);
            return 0;
        }
    }
    return flow_text_unknown(ft, value, "selection method", methods);
}

static int
parse_param(const struct flow_text *ft, struct span value,
            struct group_selection *sel)
{
    return flow_text_number(ft, value, "selection_method_param", UINT64_MAX,
                            &sel->param);
}

/* fields(ip_src,ip_dst=0xffffff00) */
static int
parse_fields(struct flow_text *ft, struct span rest,
             struct group_selection *sel)
{
    struct item item;
    int more;

    while ((more = flow_text_next(ft, &rest, &item)) > 0) {
        struct group_field *to = &sel->fields[sel->n_fields];
        const struct field *field = flow_text_field(item.word);
        int err;

        if (!field) {
            return flow_text_fail(ft, item.word.s, "unknown field");
        }
        if (sel->n_fields == GROUP_MAX_FIELDS) {
            return flow_text_fail(ft, item.word.s, "more than %d fields",
                                  GROUP_MAX_FIELDS);
        }
        to->id = field->id;
        to->mask = field_ones(field);
        err = item.mark ? flow_text_u128(ft, item.value, "mask", &to->mask)
                        : 0;
        if (err) {
            return err;
        }
        to->mask &= field_ones(field);
        sel->n_fields++;
    }
    return more;
}

/* What was said so far; bits of `seen`. */
enum { SEEN_ID = 1, SEEN_TYPE = 2, SEEN_COMMAND_BUCKET = 4 };

static int
parse_group_item(struct flow_text *ft, struct span *rest,
                 const struct item *item, struct group_mod *gm,
                 unsigned int *seen)
{
    static const char *const words[] = { "group_id", "type", "bucket",
                                         "command_bucket_id",
                                         "selection_method",
                                         "selection_method_param", "fields",
                                         NULL };

    if (is_prefix(item, "bucket")) {
        return add_bucket(ft, rest, item, gm);
    }
    if (span_is(item->word, "group_id")) {
        *seen |= SEEN_ID;
        return parse_group_id(ft, item->value, gm);
    }
    if (span_is(item->word, "type")) {
        *seen |= SEEN_TYPE;
        return parse_type(ft, item->value, &gm->type);
    }
    if (span_is(item->word, "command_bucket_id")) {
        *seen |= SEEN_COMMAND_BUCKET;
        return parse_command_bucket(ft, item->value, gm);
    }
    if (span_is(item->word, "selection_method")) {
        return parse_method(ft, item->value, &gm->selection);
    }
    if (span_is(item->word, "selection_method_param")) {
        return parse_param(ft, item->value, &gm->selection);
    }
    if (span_is(item->word, "fields")) {
        return parse_fields(ft, item->value, &gm->selection);
    }
    return flow_text_unknown(ft, item->word, "field", words);
}

static bool
is_bucket_command(enum group_mod_command command)
{
    return command == GROUP_MOD_INSERT_BUCKET
           || command == GROUP_MOD_REMOVE_BUCKET;
}

static int
check_group(const struct flow_text *ft, const struct group_mod *gm,
            unsigned int seen)
{
    bool is_whole = !is_bucket_command(gm->command)
                    && gm->command != GROUP_MOD_DELETE;
    bool takes_buckets = is_whole || gm->command == GROUP_MOD_INSERT_BUCKET;

    if (!(seen & SEEN_ID)) {
        return flow_text_fail(ft, ft->start, "group_id=... is missing");
    }
    if (is_whole != !!(seen & SEEN_TYPE)) {
        return flow_text_fail(ft, ft->start, "type=... %s", is_whole
                              ? "is missing" : "means nothing here");
    }
    if (is_bucket_command(gm->command) != !!(seen & SEEN_COMMAND_BUCKET)) {
        return flow_text_fail(ft, ft->start, "command_bucket_id=... %s",
                              is_bucket_command(gm->command)
                              ? "is missing" : "means nothing here");
    }
    if (gm->n_buckets && !takes_buckets) {
        return flow_text_fail(ft, ft->start, "bucket=... means nothing here");
    }
    if (gm->selection.method[0] && !(is_whole && gm->type == GROUP_SELECT)) {
        return flow_text_fail(ft, ft->start, "selection_method=... means "
                              "nothing here");
    }
    if ((gm->selection.n_fields || gm->selection.param)
        && !gm->selection.method[0]) {
        return flow_text_fail(ft, ft->start, "selection_method=... is "
                              "missing");
    }
    if (gm->selection.n_fields && strcmp(gm->selection.method, "hash")) {
        return flow_text_fail(ft, ft->start, "only selection_method=hash "
                              "takes fields");
    }
    if (gm->type == GROUP_INDIRECT && is_whole && gm->n_buckets != 1) {
        return flow_text_fail(ft, ft->start, "an indirect group has one "
                              "bucket");
    }
    return 0;
}

int
group_mod_parse(const char *text, enum group_mod_command command,
                const struct flow_text_names *names, struct group_mod *out,
                struct str *error)
{
    const char *words[ARRAY_SIZE(bucket_words) + 1] = { NULL };
    struct flow_text ft = { text, names, error, 0, words };
    struct span rest = { text, strlen(text) };
    struct group_mod gm = { .command = command };
    unsigned int seen = 0;
    struct item item;
    int err;

    for (size_t i = 0; i < ARRAY_SIZE(bucket_words); i++) {
        words[i] = bucket_words[i].word;
    }
    while ((err = flow_text_next(&ft, &rest, &item)) > 0) {
        err = parse_group_item(&ft, &rest, &item, &gm, &seen);
        if (err) {
            break;
        }
    }
    err = err ? err : check_group(&ft, &gm, seen);
    if (err) {
        group_mod_fini(&gm);
        return err;
    }
    *out = gm;
    return 0;
}

/* ---- Format ---- */

static void
format_bucket(const struct group_mod *gm, unsigned int i,
              const struct flow_text_names *names, struct str *s)
{
    const struct bucket *bucket = &gm->buckets[i];

    str_add(s, ",bucket=");
    if (bucket->id != i) {
        str_addf(s, "bucket_id:%u,", bucket->id);
    }
    if (bucket->weight != default_weight(gm->type)) {
        str_addf(s, "weight:%u,", bucket->weight);
    }
    if (bucket->watch_port != OFPP_ANY) {
        str_add(s, "watch_port:");
        flow_text_format_port(bucket->watch_port, names, s);
        str_add_char(s, ',');
    }
    if (bucket->watch_group != OFPG_ANY) {
        str_addf(s, "watch_group:%u,", bucket->watch_group);
    }
    str_add(s, "actions=");
    action_list_format_names(actions_list(&bucket->actions), names, s);
}

static void
format_command_bucket(uint32_t bucket, struct str *s)
{
    str_add(s, ",command_bucket_id=");
    switch (bucket) {
    case BUCKET_FIRST: str_add(s, "first"); return;
    case BUCKET_LAST: str_add(s, "last"); return;
    case BUCKET_ALL: str_add(s, "all"); return;
    default: str_addf(s, "%u", bucket);
    }
}

static void
format_mask(u128 mask, struct str *s)
{
    if (mask >> 64) {
        str_addf(s, "0x%" PRIx64 "%016" PRIx64, (uint64_t) (mask >> 64),
                 (uint64_t) mask);
    } else {
        str_addf(s, "0x%" PRIx64, (uint64_t) mask);
    }
}

static void
format_selection(const struct group_selection *sel, struct str *s)
{
    if (!sel->method[0]) {
        return;
    }
    str_addf(s, ",selection_method=%s", sel->method);
    if (sel->param) {
        str_addf(s, ",selection_method_param=%" PRIu64, sel->param);
    }
    for (unsigned int i = 0; i < sel->n_fields; i++) {
        const struct field *field = field_by_id(sel->fields[i].id);
        u128 mask = sel->fields[i].mask;

        str_addf(s, "%s%s", i ? "," : ",fields(", field->name);
        if (mask != field_ones(field)) {
            str_add_char(s, '=');
            format_mask(mask, s);
        }
    }
    str_add(s, sel->n_fields ? ")" : "");
}

void
group_mod_format_names(const struct group_mod *gm,
                       const struct flow_text_names *names, struct str *s)
{
    if (gm->id == OFPG_ALL) {
        str_add(s, "group_id=all");
    } else {
        str_addf(s, "group_id=%u", gm->id);
    }
    if (is_bucket_command(gm->command)) {
        format_command_bucket(gm->command_bucket, s);
    } else if (gm->command != GROUP_MOD_DELETE) {
        str_addf(s, ",type=%s", group_types[gm->type]);
    }
    format_selection(&gm->selection, s);
    for (unsigned int i = 0; i < gm->n_buckets; i++) {
        format_bucket(gm, i, names, s);
    }
}

void
group_mod_format(const struct group_mod *gm, struct str *s)
{
    group_mod_format_names(gm, NULL, s);
}
