/* A whole flow-mod. */
#include "openflow/flow_text.h"

#include <inttypes.h>

#define BIT(COMMAND) (1u << (COMMAND))
enum {
    ADDS = BIT(FLOW_MOD_ADD),
    MODIFIES = BIT(FLOW_MOD_MODIFY) | BIT(FLOW_MOD_MODIFY_STRICT),
    DELETES = BIT(FLOW_MOD_DELETE) | BIT(FLOW_MOD_DELETE_STRICT),
    STRICT = BIT(FLOW_MOD_MODIFY_STRICT) | BIT(FLOW_MOD_DELETE_STRICT),
    ANY_COMMAND = ADDS | MODIFIES | DELETES,
};

struct flow_word;
typedef int flow_word_parse(struct flow_text *, const struct item *,
                            const struct flow_word *, struct flow_mod *);

static flow_word_parse parse_table, parse_cookie, parse_u16, parse_out_port,
                       parse_out_group, parse_flag, parse_actions, ignore;

/* What a flow-mod says besides its match.  `commands` are those that the word
 * means something to. */
static const struct flow_word {
    const char *word;
    flow_word_parse *parse;
    unsigned int commands;
    size_t arg;                   /* offset of a member, or a flag */
} flow_words[] = {
    { "table", parse_table, ANY_COMMAND, 0 },
    { "cookie", parse_cookie, ANY_COMMAND, 0 },
    { "priority", parse_u16, ADDS | STRICT,
      offsetof(struct flow_mod, priority) },
    { "idle_timeout", parse_u16, ADDS | MODIFIES,
      offsetof(struct flow_mod, idle_timeout) },
    { "hard_timeout", parse_u16, ADDS | MODIFIES,
      offsetof(struct flow_mod, hard_timeout) },
    { "importance", parse_u16, ADDS | MODIFIES,
      offsetof(struct flow_mod, importance) },
    { "out_port", parse_out_port, DELETES, 0 },
    { "out_group", parse_out_group, DELETES, 0 },
    { "send_flow_rem", parse_flag, ADDS | MODIFIES, FLOW_MOD_SEND_FLOW_REM },
    { "check_overlap", parse_flag, ADDS | MODIFIES, FLOW_MOD_CHECK_OVERLAP },
    { "reset_counts", parse_flag, ADDS | MODIFIES, FLOW_MOD_RESET_COUNTS },
    { "no_packet_counts", parse_flag, ADDS | MODIFIES,
      FLOW_MOD_NO_PKT_COUNTS },
    { "no_byte_counts", parse_flag, ADDS | MODIFIES, FLOW_MOD_NO_BYT_COUNTS },
    { "actions", parse_actions, ADDS | MODIFIES, 0 },
    { "action", parse_actions, ADDS | MODIFIES, 0 },
    /* What a list of flows shows beside them may be read back. */
    { "duration", ignore, ANY_COMMAND, 0 },
    { "n_packets", ignore, ANY_COMMAND, 0 },
    { "n_bytes", ignore, ANY_COMMAND, 0 },
    { "idle_age", ignore, ANY_COMMAND, 0 },
    { "hard_age", ignore, ANY_COMMAND, 0 },
};

static int
parse_table(struct flow_text *ft, const struct item *item,
            const struct flow_word *word UNUSED, struct flow_mod *fm)
{
    uint64_t table = OFPTT_ALL;
    int err = 0;

    if (!span_is_nocase(item->value, "all")) {
        err = flow_text_number(ft, item->value, "table", OFPTT_ALL, &table);
    }
    if (!err && table == OFPTT_ALL && fm->command == FLOW_MOD_ADD) {
        err = flow_text_fail(ft, item->value.s, "an entry goes into one "
                             "table, 0 to %d", OFPTT_MAX);
    }
    if (!err) {
        fm->table = (uint8_t) table;
    }
    return err;
}

/* An add, or a modify, sets the cookie; with a mask it says which entries a
 * modify or a delete is about. */
static int
parse_cookie(struct flow_text *ft, const struct item *item,
             const struct flow_word *word UNUSED, struct flow_mod *fm)
{
    bool is_delete = DELETES & BIT(fm->command);
    uint64_t value, mask;
    bool has_mask;
    int err = flow_text_masked(ft, item->value, "cookie", &value, &mask,
                               &has_mask);

    if (err) {
        return err;
    }
    if (has_mask && fm->command == FLOW_MOD_ADD) {
        return flow_text_fail(ft, item->value.s, "an add takes no cookie "
                              "mask");
    }
    if (!has_mask && is_delete) {
        return flow_text_fail(ft, item->value.s, "write cookie=COOKIE/-1 to "
                              "delete by cookie");
    }
    if (has_mask) {
        fm->cookie = htobe64(value & mask);
        fm->cookie_mask = htobe64(mask);
    } else if (fm->command != FLOW_MOD_ADD) {
        fm->modify_cookie = true;
        fm->new_cookie = htobe64(value);
    } else {
        fm->cookie = htobe64(value);
    }
    return 0;
}

static int
parse_u16(struct flow_text *ft, const struct item *item,
          const struct flow_word *word, struct flow_mod *fm)
{
    uint64_t number;
    int err = flow_text_number(ft, item->value, word->word, UINT16_MAX,
                               &number);

    if (!err) {
        uint16_t value = (uint16_t) number;

        memcpy((char *) fm + word->arg, &value, sizeof value);
    }
    return err;
}

static int
parse_out_port(struct flow_text *ft, const struct item *item,
               const struct flow_word *word UNUSED, struct flow_mod *fm)
{
    return flow_text_port(ft, item->value, &fm->out_port);
}

static int
parse_out_group(struct flow_text *ft, const struct item *item,
                const struct flow_word *word, struct flow_mod *fm)
{
    uint64_t group = OFPG_ANY;
    int err = 0;

    if (!span_is_nocase(item->value, "any")) {
        err = flow_text_number(ft, item->value, word->word, OFPG_ANY, &group);
    }
    if (!err) {
        fm->out_group = (uint32_t) group;
    }
    return err;
}

static int
parse_flag(struct flow_text *ft, const struct item *item,
           const struct flow_word *word, struct flow_mod *fm)
{
    fm->flags |= (unsigned int) word->arg;
    return flow_text_want_none(ft, item);
}

static int
parse_actions(struct flow_text *ft, const struct item *item,
              const struct flow_word *word UNUSED, struct flow_mod *fm)
{
    return instructions_text(ft, item->value, fm);
}

static int
ignore(struct flow_text *ft UNUSED, const struct item *item UNUSED,
       const struct flow_word *word UNUSED, struct flow_mod *fm UNUSED)
{
    return 0;
}

static const struct flow_word *
find_word(struct span word)
{
    for (size_t i = 0; i < ARRAY_SIZE(flow_words); i++) {
        if (span_is(word, flow_words[i].word)) {
            return &flow_words[i];
        }
    }
    return NULL;
}

static int
unknown_field(const struct flow_text *ft, struct span word)
{
    const char *words[2 * N_FIELDS + 64];
    size_t n = match_text_words(words, ARRAY_SIZE(words) - 32);

    for (size_t i = 0; i < ARRAY_SIZE(flow_words); i++) {
        words[n++] = flow_words[i].word;
    }
    words[n] = NULL;
    return flow_text_unknown(ft, word, "field", words);
}

static const char *const command_names[] = {
    [FLOW_MOD_ADD] = "an add",
    [FLOW_MOD_MODIFY] = "a modify",
    [FLOW_MOD_MODIFY_STRICT] = "a strict modify",
    [FLOW_MOD_DELETE] = "a delete",
    [FLOW_MOD_DELETE_STRICT] = "a strict delete",
};

static int
parse_item(struct flow_text *ft, const struct item *item,
           struct match_text *mt, struct flow_mod *fm)
{
    const struct flow_word *word = find_word(item->word);
    int found;

    if (!word) {
        found = match_text_item(ft, item, mt);
        return found > 0 ? 0 : found < 0 ? found
                           : unknown_field(ft, item->word);
    }
    if (!(word->commands & BIT(fm->command))) {
        return flow_text_fail(ft, item->word.s, "%s means nothing to %s",
                              word->word, command_names[fm->command]);
    }
    return word->parse(ft, item, word, fm);
}

/* Everything behind "actions=" belongs to it. */
static bool
is_actions(const struct item *item)
{
    const struct flow_word *word = item->mark == '=' ? find_word(item->word)
                                                     : NULL;

    return word && word->parse == parse_actions;
}

static int
parse_flow_mod(struct flow_text *ft, struct match_text *mt,
               struct flow_mod *fm)
{
    struct span rest = { ft->start, strlen(ft->start) };
    bool has_actions = false;
    struct item item;
    int err;

    while (!has_actions && (err = flow_text_next(ft, &rest, &item)) > 0) {
        if (is_actions(&item)) {
            item.value.len += rest.len;
            has_actions = true;
        }
        err = parse_item(ft, &item, mt, fm);
        if (err) {
            return err;
        }
    }
    if (err) {
        return err;
    }
    if (!has_actions && !(DELETES & BIT(fm->command))) {
        return flow_text_fail(ft, rest.s, "actions=... is missing");
    }
    return match_text_finish(ft, mt);
}

static int
check(const struct flow_text *ft, const struct flow_mod *fm)
{
    struct str why = STR_INIT;
    enum of_error error = instructions_check(&fm->instructions, &fm->match,
                                             fm->table, &why);
    int err = 0;

    if (error != OF_OK) {
        const char *actions = strstr(ft->start, "action");

        err = flow_text_fail(ft, actions ? actions : ft->start, "%s",
                             why.len ? str_text(&why) : of_error_text(error));
    }
    str_fini(&why);
    return err;
}

int
flow_mod_parse(const char *text, enum flow_mod_command command,
               const struct flow_text_names *names, struct flow_mod *out,
               struct str *error)
{
    struct flow_text ft = { text, names, error, 0, NULL };
    struct match_text mt = { .n = 0 };
    struct flow_mod fm;
    int err;

    flow_mod_init(&fm);
    fm.command = command;
    if (command != FLOW_MOD_ADD) {
        fm.table = OFPTT_ALL;
    }
    err = parse_flow_mod(&ft, &mt, &fm);
    if (!err) {
        fm.match = mt.match;
        flow_mod_seal(&fm);
        err = check(&ft, &fm);
    }
    if (err) {
        flow_mod_fini(&fm);
        return err;
    }
    *out = fm;
    return 0;
}

/* ---- Format ---- */

static void
format_cookie(const struct flow_mod *fm, struct str *s)
{
    uint64_t mask = be64toh(fm->cookie_mask);

    if (fm->cookie || mask) {
        str_addf(s, "cookie=0x%" PRIx64, be64toh(fm->cookie));
        if (mask == UINT64_MAX) {
            str_add(s, "/-1");
        } else if (mask) {
            str_addf(s, "/0x%" PRIx64, mask);
        }
        str_add_char(s, ',');
    }
    if (fm->modify_cookie) {
        str_addf(s, "cookie=0x%" PRIx64 ",", be64toh(fm->new_cookie));
    }
}

static void
format_filters(const struct flow_mod *fm, const struct flow_text_names *names,
               struct str *s)
{
    if (fm->out_port != OFPP_ANY) {
        str_add(s, "out_port=");
        flow_text_format_port(fm->out_port, names, s);
        str_add_char(s, ',');
    }
    if (fm->out_group != OFPG_ANY) {
        str_addf(s, "out_group=%u,", fm->out_group);
    }
}

/* The numbers and flags, by the same table that reads them. */
static void
format_words(const struct flow_mod *fm, struct str *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(flow_words); i++) {
        const struct flow_word *word = &flow_words[i];
        bool is_priority = word->arg == offsetof(struct flow_mod, priority);
        uint16_t value;

        if (word->parse == parse_flag && fm->flags & word->arg) {
            str_addf(s, "%s,", word->word);
        } else if (word->parse == parse_u16) {
            memcpy(&value, (const char *) fm + word->arg, sizeof value);
            if (value != (is_priority ? FLOW_DEFAULT_PRIORITY : 0)) {
                str_addf(s, "%s=%u,", word->word, value);
            }
        }
    }
}

void
flow_mod_format_names(const struct flow_mod *fm,
                      const struct flow_text_names *names, struct str *s)
{
    bool is_delete = DELETES & BIT(fm->command);
    size_t before_match;

    if (fm->table != OFPTT_ALL) {
        str_addf(s, "table=%u,", fm->table);
    }
    format_cookie(fm, s);
    format_words(fm, s);
    format_filters(fm, names, s);
    before_match = s->len;
    match_format_names(&fm->match, names, s);
    if (is_delete) {
        str_chomp(s, ",");
        return;
    }
    if (s->len > before_match) {
        str_add_char(s, ',');
    }
    str_add(s, "actions=");
    instructions_format_names(&fm->instructions, names, s);
}

void
flow_mod_format(const struct flow_mod *fm, struct str *s)
{
    flow_mod_format_names(fm, NULL, s);
}
