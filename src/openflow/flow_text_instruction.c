/* Instructions, written among the actions.  OpenFlow 1.1 and later execute them
 * in a fixed order whatever the order in the message, so the text must be in
 * that order too: meter, actions to apply, clear_actions, write_actions,
 * write_metadata, goto_table. */
#include "openflow/flow_text.h"

#include <inttypes.h>

static int
parse_meter(struct flow_text *ft, const struct item *item,
            struct flow_mod *fm)
{
    uint64_t meter;
    int err = flow_text_number(ft, item->value, "meter", UINT32_MAX, &meter);

    if (!err && !meter) {
        err = flow_text_fail(ft, item->value.s, "meters count from 1");
    }
    if (!err) {
        fm->instructions.meter = (uint32_t) meter;
    }
    return err;
}

static int
parse_clear_actions(struct flow_text *ft, const struct item *item,
                    struct flow_mod *fm)
{
    fm->instructions.clear = true;
    return flow_text_want_none(ft, item);
}

static int
parse_write_actions(struct flow_text *ft, const struct item *item,
                    struct flow_mod *fm)
{
    if (item->mark != '(') {
        return flow_text_fail(ft, item->word.s,
                              "write write_actions(ACTIONS)");
    }
    return action_text_list(ft, item->value, &fm->storage[1]);
}

static int
parse_write_metadata(struct flow_text *ft, const struct item *item,
                     struct flow_mod *fm)
{
    uint64_t value, mask;
    bool has_mask;
    int err = flow_text_masked(ft, item->value, "write_metadata", &value,
                               &mask, &has_mask);

    if (!err) {
        fm->instructions.metadata = htobe64(value & mask);
        fm->instructions.metadata_mask = htobe64(mask);
    }
    return err;
}

static int
parse_goto_table(struct flow_text *ft, const struct item *item,
                 struct flow_mod *fm)
{
    uint64_t table;
    int err = flow_text_number(ft, item->value, "goto_table", OFPTT_MAX,
                               &table);

    if (!err) {
        fm->instructions.has_goto = true;
        fm->instructions.goto_table = (uint8_t) table;
    }
    return err;
}

enum { APPLY = 1 };               /* place of the actions in the order */

/* In the order of execution; meter comes before APPLY, the rest after it. */
static const struct instruction_word {
    const char *word;
    int (*parse)(struct flow_text *, const struct item *, struct flow_mod *);
    unsigned int order;
} instruction_words[] = {
    { "meter", parse_meter, APPLY - 1 },
    { "clear_actions", parse_clear_actions, APPLY + 1 },
    { "write_actions", parse_write_actions, APPLY + 2 },
    { "write_metadata", parse_write_metadata, APPLY + 3 },
    { "goto_table", parse_goto_table, APPLY + 4 },
};

/* The word's row.  Only at the very beginning is a meter an instruction;
 * further on it is OpenFlow 1.5's action of the same name. */
static const struct instruction_word *
find_instruction(struct span word, bool is_first)
{
    for (size_t i = 0; i < ARRAY_SIZE(instruction_words); i++) {
        const struct instruction_word *row = &instruction_words[i];

        if (span_is_nocase(word, row->word)) {
            return row->order > APPLY || is_first ? row : NULL;
        }
    }
    return NULL;
}

static int
check_order(const struct flow_text *ft, const struct item *item,
            const struct instruction_word *row, unsigned int last)
{
    if (row ? row->order > last : last <= APPLY) {
        return 0;
    }
    if (row && row->order == last) {
        return flow_text_fail(ft, item->word.s, "%s is there already",
                              row->word);
    }
    return flow_text_fail(ft, item->word.s, "%.*s comes too late: the order "
                          "is meter, actions, clear_actions, write_actions, "
                          "write_metadata, goto_table",
                          (int) MIN(item->word.len, 40u), item->word.s);
}

static bool
is_drop(const struct flow_text *ft, struct span text)
{
    struct flow_text quiet = *ft;
    struct item item;

    quiet.error = NULL;
    return flow_text_next(&quiet, &text, &item) > 0 && !item.mark
           && span_is_nocase(item.word, "drop")
           && !flow_text_next(&quiet, &text, &item);
}

static int
parse_instructions(struct flow_text *ft, struct span rest,
                   struct flow_mod *fm)
{
    unsigned int last = 0;
    bool is_first = true;
    struct item item;
    int err;

    while ((err = flow_text_next(ft, &rest, &item)) > 0) {
        const struct instruction_word *row = find_instruction(item.word,
                                                              is_first);

        err = is_first ? 0 : check_order(ft, &item, row, last);
        if (!err) {
            err = row ? row->parse(ft, &item, fm)
                      : action_text_item(ft, &item, &fm->storage[0]);
        }
        if (err) {
            return err;
        }
        last = row ? row->order : APPLY;
        is_first = false;
    }
    return err;
}

int
instructions_text(struct flow_text *ft, struct span text,
                  struct flow_mod *fm)
{
    const char *words[ARRAY_SIZE(instruction_words) + 1] = { NULL };
    int err;

    if (is_drop(ft, text)) {
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(instruction_words); i++) {
        words[i] = instruction_words[i].word;
    }
    ft->more_words = words;
    err = parse_instructions(ft, text, fm);
    ft->more_words = NULL;
    return err;
}

void
instructions_format_names(const struct instructions *in,
                          const struct flow_text_names *names, struct str *s)
{
    size_t start = s->len;

    if (in->meter) {
        str_addf(s, "meter:%u,", in->meter);
    }
    if (in->apply.len) {
        action_list_format_names(in->apply, names, s);
        str_add_char(s, ',');
    }
    if (in->clear) {
        str_add(s, "clear_actions,");
    }
    if (in->write.len) {
        str_add(s, "write_actions(");
        action_list_format_names(in->write, names, s);
        str_add(s, "),");
    }
    if (in->metadata_mask) {
        str_addf(s, "write_metadata:0x%" PRIx64, be64toh(in->metadata));
        if (in->metadata_mask != UINT64_MAX) {
            str_addf(s, "/0x%" PRIx64, be64toh(in->metadata_mask));
        }
        str_add_char(s, ',');
    }
    if (in->has_goto) {
        str_addf(s, "goto_table:%u,", in->goto_table);
    }
    if (s->len == start) {
        str_add(s, "drop");
    } else {
        str_chomp(s, ",");
    }
}

void
instructions_format(const struct instructions *in, struct str *s)
{
    instructions_format_names(in, NULL, s);
}
