/* Flow text: any bytes at all.
 *
 * The first byte says what the rest is to be read as (see `kinds`).  Beyond not
 * crashing:
 *   - a refusal says where and why;
 *   - what is accepted is written as a text that is accepted too, and written
 *     the same again.
 *
 * Covers: src/openflow/flow_text.c src/openflow/flow_text_action.c
 * Covers: src/openflow/flow_text_ct.c
 * Covers: src/openflow/flow_text_field.c src/openflow/flow_text_flow.c
 * Covers: src/openflow/flow_text_group.c src/openflow/flow_text_instruction.c
 * Covers: src/openflow/flow_text_match.c src/openflow/flow_text_meter.c
 * Covers: src/openflow/flow_text_output.c */
#include <stdio.h>
#include <stdlib.h>

#include "openflow/flow_mod.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t
port_number(void *aux, const char *name)
{
    (void) aux;
    return name[0] == 'e' ? 7 : 0;
}

static const struct flow_text_names names = { .port_number = port_number };

/* Reads `text` as the command and, if it is accepted, writes it to `out`. */
typedef int rewrite(unsigned int command, const char *text, struct str *out,
                    struct str *error);

static int
rewrite_flow_mod(unsigned int command, const char *text, struct str *out,
                 struct str *error)
{
    struct flow_mod fm;
    int err = flow_mod_parse(text, command, &names, &fm, error);

    if (!err) {
        flow_mod_format(&fm, out);
        flow_mod_fini(&fm);
    }
    return err;
}

static int
rewrite_match(unsigned int command UNUSED, const char *text, struct str *out,
              struct str *error)
{
    struct match match;
    int err = match_parse(text, &names, &match, error);

    if (!err) {
        match_format(&match, out);
    }
    return err;
}

static int
rewrite_actions(unsigned int command UNUSED, const char *text,
                struct str *out, struct str *error)
{
    struct actions actions = { 0 };
    int err = actions_parse(text, &names, &actions, error);

    if (!err) {
        action_list_format(actions_list(&actions), out);
    }
    actions_fini(&actions);
    return err;
}

static int
rewrite_group_mod(unsigned int command, const char *text, struct str *out,
                  struct str *error)
{
    struct group_mod gm;
    int err = group_mod_parse(text, command, &names, &gm, error);

    if (!err) {
        group_mod_format(&gm, out);
        group_mod_fini(&gm);
    }
    return err;
}

static int
rewrite_meter_mod(unsigned int command, const char *text, struct str *out,
                  struct str *error)
{
    struct meter_mod mm;
    int err = meter_mod_parse(text, command, &mm, error);

    if (!err) {
        meter_mod_format(&mm, out);
    }
    return err;
}

static const struct {
    char letter;
    rewrite *rewrite;
    unsigned int command;
} kinds[] = {
    { 'a', rewrite_flow_mod, FLOW_MOD_ADD },
    { 'm', rewrite_flow_mod, FLOW_MOD_MODIFY },
    { 'M', rewrite_flow_mod, FLOW_MOD_MODIFY_STRICT },
    { 'd', rewrite_flow_mod, FLOW_MOD_DELETE },
    { 'D', rewrite_flow_mod, FLOW_MOD_DELETE_STRICT },
    { 'x', rewrite_match, 0 },
    { 'p', rewrite_actions, 0 },
    { 'g', rewrite_group_mod, GROUP_MOD_ADD },
    { 'h', rewrite_group_mod, GROUP_MOD_DELETE },
    { 'i', rewrite_group_mod, GROUP_MOD_INSERT_BUCKET },
    { 'r', rewrite_group_mod, GROUP_MOD_REMOVE_BUCKET },
    { 't', rewrite_meter_mod, METER_MOD_ADD },
    { 'u', rewrite_meter_mod, METER_MOD_DELETE },
};

static void
require(bool holds, const char *what, const char *text, const char *other)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n%s\n%s\n", what, text, other);
        abort();
    }
}

static void
check(rewrite *fn, unsigned int command, const char *text)
{
    struct str once = STR_INIT, twice = STR_INIT, error = STR_INIT;

    if (fn(command, text, &once, &error)) {
        require(!strncmp(str_text(&error), "at ", 3) && error.len > 7,
                "an error says where and why", text, str_text(&error));
    } else {
        require(!fn(command, str_text(&once), &twice, &error),
                "what is written is accepted", text, str_text(&error));
        require(!strcmp(str_text(&once), str_text(&twice)),
                "a text comes back the same", str_text(&once),
                str_text(&twice));
    }
    str_fini(&once);
    str_fini(&twice);
    str_fini(&error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (!size) {
        return 0;
    }
    text = xmalloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].letter == (char) data[0]) {
            check(kinds[i].rewrite, kinds[i].command, text);
        }
    }
    free(text);
    return 0;
}
