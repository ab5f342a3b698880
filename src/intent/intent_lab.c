#include "intent/intent_lab.h"

#include "lib/hash.h"
#include "unit.h"

static void
write_corpus(const char *text)
{
    static const struct hash_key key = { 0 };
    const char *folder = getenv("WEFT_WRITE_CORPUS");
    struct str path = STR_INIT;
    FILE *out;

    if (!folder) {
        return;
    }
    str_addf(&path, "%s/seed-%016llx", folder,
             (unsigned long long) hash_bytes(key, text, strlen(text)));
    out = fopen(str_text(&path), "w");
    CHECK(out && fputs(text, out) >= 0 && !fclose(out));
    str_fini(&path);
}

struct intent *
lab_sealed(const char *text)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    struct str said = STR_INIT;
    bool good = intent_parse(set, "t", text, strlen(text), diagnostics)
                && intent_seal(set, diagnostics);

    write_corpus(text);
    diag_format(diagnostics, &said);
    CHECK_MSG(good, "%s\n%s", text, str_text(&said));
    CHECK(!said.len);
    str_fini(&said);
    diag_destroy(diagnostics);
    return set;
}

void
lab_check_said(const char *text, const char *expected)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    struct str said = STR_INIT;
    bool good = intent_parse(set, "t", text, strlen(text), diagnostics)
                && intent_seal(set, diagnostics);

    write_corpus(text);
    CHECK_MSG(good == !diag_any(diagnostics), "%s", text);
    diag_format(diagnostics, &said);
    CHECK_MSG(!strcmp(str_text(&said), expected),
              "%s\n--- said:\n%s--- not:\n%s", text, str_text(&said),
              expected);
    intent_unref(set);
    diag_destroy(diagnostics);
    str_fini(&said);
}

static void
check_rows(const char *head, const char *rows, const char *expected)
{
    struct str text = STR_INIT;

    str_addf(&text, "version: 1\n%s%s", head, rows);
    lab_check_said(str_text(&text), expected);
    str_fini(&text);
}

void
lab_network_said(const char *rows, const char *expected)
{
    check_rows("uplinks:\n  lan: {device: eth1}\n  wan: {host: true}\n"
               "networks:\n", rows, expected);
}

void
lab_port_said(const char *rows, const char *expected)
{
    check_rows("networks:\n  a: {subnet: 10.1.0.0/24}\n"
               "  b: {subnet: 10.1.0.0/24, subnet6: fd00::/64}\n  bare:\n"
               "ports:\n", rows, expected);
}

void
lab_router_said(const char *rows, const char *expected)
{
    check_rows("networks:\n"
               "  blue: {subnet: 10.1.0.0/24}\n"
               "  red: {subnet: 10.2.0.0/24, subnet6: \"fd00:2::/64\"}\n"
               "  twin: {subnet: 10.1.0.0/16}\n"
               "  six: {subnet6: \"fd00:2::/32\", ra: off}\n"
               "  bare: {}\n"
               "routers:\n", rows, expected);
}

void
lab_uplink_said(const char *rows, const char *expected)
{
    check_rows("uplinks:\n", rows, expected);
}
