#include "openflow/message_text.h"

#include "openflow/error.h"
#include "unit.h"

/* The line of a message as it travels in that version. */
static const char *
line_of(enum of_version version, struct of_message *m)
{
    static char line[512];
    const struct of_protocol protocol = { .version = version };
    struct buf bytes = BUF_INIT;
    struct str text = STR_INIT;

    m->version = version;
    CHECK(!of_message_encode(&bytes, &protocol, m));
    of_message_describe(&protocol, bytes.data, bytes.len, &text);
    snprintf(line, sizeof line, "%s: %s",
             of_wire_type_name(&protocol, bytes.data, bytes.len),
             str_text(&text));
    buf_fini(&bytes);
    str_fini(&text);
    return line;
}

static void
reads(enum of_version version, struct of_message m, const char *wanted)
{
    const char *line = line_of(version, &m);

    CHECK_MSG(!strcmp(line, wanted), "'%s' is not '%s'", line, wanted);
}

TEST(messages_read_as_lines)
{
    struct of_message mod = { .type = OFT_FLOW_MOD };

    reads(OF13, (struct of_message) { .type = OFT_BARRIER_REQUEST },
          "BARRIER_REQUEST: ");
    reads(OF14, (struct of_message) {
        .type = OFT_ROLE_REQUEST,
        .role = { .role = ROLE_MASTER, .has_generation = true,
                  .generation_id = 5 } },
        "ROLE_REQUEST: master, generation 5");
    reads(OF15, (struct of_message) {
        .type = OFT_BUNDLE_CONTROL,
        .bundle_control = { .id = 3, .type = BUNDLE_COMMIT_REQUEST } },
        "BUNDLE_CONTROL: commit bundle 3");
    reads(OF13, (struct of_message) {
        .type = OFT_HELLO, .hello.versions = 1u << OF10 | 1u << OF13 },
        "HELLO: speaks OpenFlow10 OpenFlow13");

    flow_mod_init(&mod.flow_mod);
    mod.flow_mod.priority = 9;
    match_set(&mod.flow_mod.match, FIELD_IN_PORT, 3, UINT32_MAX);
    actions_add_output(&mod.flow_mod.storage[0], 4);
    flow_mod_seal(&mod.flow_mod);
    CHECK(strstr(line_of(OF10, &mod), "FLOW_MOD: add "));
    CHECK(strstr(line_of(OF10, &mod), "priority=9"));
    CHECK(strstr(line_of(OF15, &mod), "actions=output:4"));
    flow_mod_fini(&mod.flow_mod);
}

TEST(what_is_wrong_reads_as_its_error)
{
    const struct of_protocol protocol = { .version = OF13 };
    const uint8_t strange[] = { 4, 99, 0, 8, 0, 0, 0, 1 };
    const uint8_t replies[] = { 4, 19, 0, 16, 0, 0, 0, 1, 0, 1, 0, 1,
                                0, 0, 0, 0 };
    struct str text = STR_INIT;

    of_message_describe(&protocol, strange, sizeof strange, &text);
    CHECK(!strncmp(str_text(&text), "type 99, 8 bytes: ", 18));
    CHECK(!strcmp(of_wire_type_name(&protocol, strange, sizeof strange),
                  "?"));
    str_clear(&text);
    of_message_describe(&protocol, replies, sizeof replies, &text);
    CHECK(!strcmp(str_text(&text), "flow, 16 bytes, more follows"));
    str_fini(&text);
}

TESTS(
    RUN(messages_read_as_lines),
    RUN(what_is_wrong_reads_as_its_error),
)
