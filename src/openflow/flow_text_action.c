/* The table of actions: keywords with their parsers, types with their formats.
 * A new action is a row in each and a pair of functions. */
#include "openflow/flow_text.h"

#include <stdlib.h>

#include "packet/eth.h"

enum { TTL_IDS_MAX = 1024 };

/* ---- Actions of few words ---- */

static int
parse_plain(struct flow_text *ft, const struct item *item, uint32_t type,
            struct actions *actions)
{
    int err = flow_text_want_none(ft, item);

    if (!err) {
        actions_add(actions, type, sizeof(struct action_plain));
    }
    return err;
}

static const char *const type_names[N_ACTIONS] = {
#define X(ID, NAME, STRUCT) [ACTION_##ID] = NAME,
    ACTIONS(X)
#undef X
};

static void
format_plain(const struct action *action,
             const struct flow_text_names *names UNUSED, struct str *s)
{
    str_add(s, type_names[action->type]);
}

static int
parse_number(struct flow_text *ft, const struct item *item, uint32_t type,
             struct actions *actions)
{
    struct action_number *out;
    uint64_t number;
    int err = flow_text_number(ft, item->value, type_names[type], UINT32_MAX,
                               &number);

    if (err) {
        return err;
    }
    out = actions_add(actions, type, sizeof *out);
    out->number = (uint32_t) number;
    return 0;
}

static void
format_number(const struct action *action,
              const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_number *number = (const void *) action;

    str_addf(s, "%s:%u", type_names[action->type], number->number);
}

static bool
is_tag(uint32_t action_type, uint64_t eth_type)
{
    return action_type == ACTION_POP_MPLS
           || (action_type == ACTION_PUSH_VLAN
               ? eth_type_is_vlan((uint16_t) eth_type)
               : action_type == ACTION_PUSH_PBB ? eth_type == ETH_TYPE_PBB
               : eth_type_is_mpls((uint16_t) eth_type));
}

/* push_vlan:0x8100, push_mpls:0x8847, pop_mpls:ETH_TYPE, push_pbb:0x88e7 */
static int
parse_push(struct flow_text *ft, const struct item *item, uint32_t type,
           struct actions *actions)
{
    struct action_push *push;
    uint64_t eth_type;
    int err = flow_text_number(ft, item->value, type_names[type], 0xffff,
                               &eth_type);

    if (err) {
        return err;
    }
    if (!is_tag(type, eth_type)) {
        return flow_text_fail(ft, item->value.s, "%s takes %s",
                              type_names[type], type == ACTION_PUSH_VLAN
                              ? "0x8100 or 0x88a8"
                              : type == ACTION_PUSH_PBB ? "0x88e7"
                              : "0x8847 or 0x8848");
    }
    push = actions_add(actions, type, sizeof *push);
    push->eth_type = (uint16_t) eth_type;
    return 0;
}

static void
format_push(const struct action *action,
            const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_push *push = (const void *) action;

    str_addf(s, "%s:0x%04x", type_names[action->type], push->eth_type);
}

/* note:01.02.03, dots or none.  On the wire a note fills its action, so zeros
 * are added up to there. */
static int
parse_note(struct flow_text *ft, const struct item *item,
           uint32_t type UNUSED, struct actions *actions)
{
    size_t header = offsetof(struct action_note, bytes);
    struct action_note *note;
    uint8_t *bytes;
    size_t n_bytes;
    int err = flow_text_hex(ft, item->value, "a note",
                            ACTION_MAX_LEN - header, &bytes, &n_bytes);

    if (err) {
        return err;
    }
    note = actions_add(actions, ACTION_NOTE, header + n_bytes);
    note->n_bytes = (uint16_t) (note->h.len - header);
    memcpy(note->bytes, bytes, n_bytes);
    free(bytes);
    return 0;
}

static void
format_note(const struct action *action,
            const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_note *note = (const void *) action;

    str_add(s, "note:");
    flow_text_format_hex(note->bytes, note->n_bytes, s);
}

/* dec_ttl, or dec_ttl(ID,...) for certain controllers. */
static int
parse_dec_ttl(struct flow_text *ft, const struct item *item,
              uint32_t type UNUSED, struct actions *actions)
{
    struct span rest = item->value;
    uint16_t ids[TTL_IDS_MAX];
    struct action_ids *out;
    struct item each;
    unsigned int n = 0;
    int more;

    if (item->mark != '(') {
        return parse_plain(ft, item, ACTION_DEC_TTL, actions);
    }
    while ((more = flow_text_next(ft, &rest, &each)) > 0) {
        uint64_t id;
        int err = n == TTL_IDS_MAX
                  ? flow_text_fail(ft, each.word.s, "too many controllers")
                  : flow_text_number(ft, each.word, "dec_ttl", 0xffff, &id);

        if (err) {
            return err;
        }
        ids[n++] = (uint16_t) id;
    }
    if (more < 0 || !n) {
        return more < 0 ? more
               : flow_text_fail(ft, item->word.s, "dec_ttl(...) names "
                                "controllers");
    }
    out = actions_add(actions, ACTION_DEC_TTL_IDS,
                      sizeof *out + n * sizeof ids[0]);
    out->n = (uint16_t) n;
    memcpy(out->ids, ids, n * sizeof ids[0]);
    return 0;
}

static void
format_dec_ttl_ids(const struct action *action,
                   const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_ids *ids = (const void *) action;

    str_add(s, "dec_ttl(");
    for (unsigned int i = 0; i < ids->n; i++) {
        str_addf(s, "%s%u", i ? "," : "", ids->ids[i]);
    }
    str_add_char(s, ')');
}

static int
parse_clone(struct flow_text *ft, const struct item *item,
            uint32_t type UNUSED, struct actions *actions)
{
    uint32_t mark;
    int err;

    if (item->mark != '(') {
        return flow_text_fail(ft, item->word.s, "write clone(ACTIONS)");
    }
    if (ft->depth == ACTIONS_MAX_DEPTH) {
        return flow_text_fail(ft, item->word.s, "actions are nested deeper "
                              "than %d", ACTIONS_MAX_DEPTH);
    }
    ft->depth++;
    mark = actions_begin_clone(actions);
    err = action_text_list(ft, item->value, actions);
    if (!err && !actions_end(actions, mark)) {
        err = flow_text_fail(ft, item->word.s, "too many actions");
    }
    ft->depth--;
    return err;
}

static void
format_clone(const struct action *action, const struct flow_text_names *names,
             struct str *s)
{
    str_add(s, "clone(");
    action_list_format_names(action_clone_list((const void *) action), names,
                             s);
    str_add_char(s, ')');
}

/* ---- The table ---- */

static const struct action_word {
    const char *word;
    action_parse *parse;
    uint32_t arg;
} action_words[] = {
    { "output", parse_output, 0 },
    { "in_port", parse_reserved, OFPP_IN_PORT },
    { "table", parse_reserved, OFPP_TABLE },
    { "normal", parse_reserved, OFPP_NORMAL },
    { "flood", parse_reserved, OFPP_FLOOD },
    { "all", parse_reserved, OFPP_ALL },
    { "local", parse_reserved, OFPP_LOCAL },
    { "controller", parse_controller, 0 },
    { "group", parse_number, ACTION_GROUP },
    { "meter", parse_number, ACTION_METER },
    { "set_queue", parse_number, ACTION_SET_QUEUE },
    { "pop_queue", parse_plain, ACTION_POP_QUEUE },
    { "enqueue", parse_enqueue, 0 },
    { "set_field", parse_set_field, 0 },
    { "load", parse_load, 0 },
    { "move", parse_move, 0 },
    { "set_tunnel", parse_set_tunnel, 0 },
    { "set_tunnel64", parse_set_tunnel, true },
    { "push_vlan", parse_push, ACTION_PUSH_VLAN },
    { "pop_vlan", parse_plain, ACTION_POP_VLAN },
    { "strip_vlan", parse_plain, ACTION_POP_VLAN },
    { "push_mpls", parse_push, ACTION_PUSH_MPLS },
    { "pop_mpls", parse_push, ACTION_POP_MPLS },
    { "push_pbb", parse_push, ACTION_PUSH_PBB },
    { "pop_pbb", parse_plain, ACTION_POP_PBB },
    { "dec_ttl", parse_dec_ttl, 0 },
    { "dec_mpls_ttl", parse_plain, ACTION_DEC_MPLS_TTL },
    { "copy_ttl_out", parse_plain, ACTION_COPY_TTL_OUT },
    { "copy_ttl_in", parse_plain, ACTION_COPY_TTL_IN },
    { "resubmit", parse_resubmit, 0 },
    { "clone", parse_clone, 0 },
    { "push", parse_stack, ACTION_STACK_PUSH },
    { "pop", parse_stack, ACTION_STACK_POP },
    { "delete_field", parse_delete_field, 0 },
    { "ct", parse_ct, 0 },
    { "ct_clear", parse_plain, ACTION_CT_CLEAR },
    { "exit", parse_plain, ACTION_EXIT },
    { "note", parse_note, 0 },
    { "learn", parse_learn, 0 },
    { "conjunction", parse_conjunction, 0 },
    { "multipath", parse_multipath, 0 },
    { "bundle", parse_bundle, false },
    { "bundle_load", parse_bundle, true },
    { "check_pkt_larger", parse_check_pkt_larger, 0 },
    { "sample", parse_sample, 0 },
    { "fin_timeout", parse_fin_timeout, 0 },
    { "stat_trigger", parse_stat_trigger, 0 },
};

static action_format *const action_formats[N_ACTIONS] = {
    [ACTION_OUTPUT] = format_output,
    [ACTION_CONTROLLER] = format_controller,
    [ACTION_OUTPUT_REG] = format_output_reg,
    [ACTION_SET_FIELD] = format_set_field,
    [ACTION_MOVE] = format_move,
    [ACTION_PUSH_VLAN] = format_push,
    [ACTION_POP_VLAN] = format_plain,
    [ACTION_PUSH_MPLS] = format_push,
    [ACTION_POP_MPLS] = format_push,
    [ACTION_PUSH_PBB] = format_push,
    [ACTION_POP_PBB] = format_plain,
    [ACTION_DEC_TTL] = format_plain,
    [ACTION_DEC_TTL_IDS] = format_dec_ttl_ids,
    [ACTION_DEC_MPLS_TTL] = format_plain,
    [ACTION_COPY_TTL_OUT] = format_plain,
    [ACTION_COPY_TTL_IN] = format_plain,
    [ACTION_GROUP] = format_number,
    [ACTION_METER] = format_number,
    [ACTION_SET_QUEUE] = format_number,
    [ACTION_POP_QUEUE] = format_plain,
    [ACTION_ENQUEUE] = format_enqueue,
    [ACTION_RESUBMIT] = format_resubmit,
    [ACTION_CLONE] = format_clone,
    [ACTION_STACK_PUSH] = format_stack,
    [ACTION_STACK_POP] = format_stack,
    [ACTION_DELETE_FIELD] = format_delete_field,
    [ACTION_CT] = format_ct,
    [ACTION_NAT] = format_nat,
    [ACTION_CT_CLEAR] = format_plain,
    [ACTION_EXIT] = format_plain,
    [ACTION_NOTE] = format_note,
    [ACTION_LEARN] = format_learn,
    [ACTION_CONJUNCTION] = format_conjunction,
    [ACTION_MULTIPATH] = format_multipath,
    [ACTION_BUNDLE] = format_bundle,
    [ACTION_CHECK_PKT_LARGER] = format_check_pkt_larger,
    [ACTION_SAMPLE] = format_sample,
    [ACTION_FIN_TIMEOUT] = format_fin_timeout,
    [ACTION_STAT_TRIGGER] = format_stat_trigger,
};

static int
unknown_action(const struct flow_text *ft, struct span word)
{
    const char *words[96];
    size_t n = 0;

    if (span_is_nocase(word, "apply_actions")) {
        return flow_text_fail(ft, word.s, "write the actions themselves: they "
                              "are applied");
    }
    for (size_t i = 0; i < ARRAY_SIZE(action_words); i++) {
        words[n++] = action_words[i].word;
    }
    n += mod_text_words(words + n, 32);
    for (size_t i = 0; ft->more_words && ft->more_words[i]; i++) {
        words[n++] = ft->more_words[i];
    }
    words[n] = NULL;
    return flow_text_unknown(ft, word, "action", words);
}

/* An action by its keyword, or just a port. */
static int
parse_item(struct flow_text *ft, const struct item *item,
           struct actions *actions)
{
    uint32_t port;
    int found;

    for (size_t i = 0; i < ARRAY_SIZE(action_words); i++) {
        if (span_is_nocase(item->word, action_words[i].word)) {
            return action_words[i].parse(ft, item, action_words[i].arg,
                                         actions);
        }
    }
    found = mod_text_item(ft, item, actions);
    if (found) {
        return found < 0 ? found : 0;
    }
    if (!item->mark && flow_text_try_port(ft, item->word, &port)) {
        actions_add_output(actions, port);
        return 0;
    }
    if (span_is_nocase(item->word, "drop")) {
        return flow_text_fail(ft, item->word.s, "drop must stand alone");
    }
    return unknown_action(ft, item->word);
}

int
action_text_item(struct flow_text *ft, const struct item *item,
                 struct actions *actions)
{
    int err = parse_item(ft, item, actions);

    if (!err && actions->len > ACTIONS_MAX_LEN) {
        return flow_text_fail(ft, item->word.s, "too many actions");
    }
    return err;
}

int
action_text_list(struct flow_text *ft, struct span text,
                 struct actions *actions)
{
    struct span rest = text;
    unsigned int n = 0;
    struct item item;
    int err;

    while ((err = flow_text_next(ft, &rest, &item)) > 0) {
        struct span behind = rest;
        struct item more;

        if (!n++ && !item.mark && span_is_nocase(item.word, "drop")
            && !flow_text_next(ft, &behind, &more)) {
            return 0;
        }
        err = action_text_item(ft, &item, actions);
        if (err) {
            break;
        }
    }
    return err;
}

int
actions_parse(const char *text, const struct flow_text_names *names,
              struct actions *actions, struct str *error)
{
    struct flow_text ft = { text, names, error, 0, NULL };
    uint32_t before = actions->len;
    int err = action_text_list(&ft, (struct span) { text, strlen(text) },
                               actions);

    if (err) {
        actions->len = before;
    }
    return err;
}

void
action_list_format_names(struct action_list list,
                         const struct flow_text_names *names, struct str *s)
{
    const char *comma = "";

    ACTION_FOR_EACH (action, &list) {
        str_add(s, comma);
        action_formats[action->type](action, names, s);
        comma = ",";
    }
    if (!list.len) {
        str_add(s, "drop");
    }
}

void
action_list_format(struct action_list list, struct str *s)
{
    action_list_format_names(list, NULL, s);
}
