/* Every example is right, and comes back the same from an export. */
#include <glob.h>

#include "intent/diff.h"
#include "intent/export.h"
#include "intent/parse.h"
#include "unit.h"

static struct intent *
sealed_file(const char *path)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    struct str said = STR_INIT;
    bool good = intent_parse_file(set, path, diagnostics)
                && intent_seal(set, diagnostics);

    diag_format(diagnostics, &said);
    CHECK_MSG(good, "%s", str_text(&said));
    diag_destroy(diagnostics);
    str_fini(&said);
    return set;
}

TEST(every_example_is_right_and_comes_back)
{
    glob_t found;

    CHECK(!glob(SOURCE_ROOT "/examples/*.yaml", 0, NULL, &found));
    CHECK(found.gl_pathc >= 4);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct diagnostics *diagnostics = diag_create();
        struct intent *set = sealed_file(found.gl_pathv[i]);
        struct intent *again = intent_create();
        struct str text = STR_INIT;
        struct diff *diff;

        intent_export(set, &text);
        CHECK(intent_parse(again, "export", str_text(&text), text.len,
                           diagnostics));
        CHECK(intent_seal(again, diagnostics));
        diff = diff_create(set, again);
        CHECK_MSG(!diff->n_changes, "%s", found.gl_pathv[i]);
        diff_destroy(diff);
        intent_unref(set);
        intent_unref(again);
        diag_destroy(diagnostics);
        str_fini(&text);
    }
    globfree(&found);
}

TEST(a_file_that_cannot_be_read_is_said)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    struct str said = STR_INIT;

    CHECK(!intent_parse_file(set, "/nowhere/cloud.yaml", diagnostics));
    CHECK(!intent_parse_file(set, "/", diagnostics));
    diag_format(diagnostics, &said);
    assert_string_equal(str_text(&said),
                        "/: cannot be read: Is a directory\n"
                        "/nowhere/cloud.yaml: cannot be opened: No such file "
                        "or directory\n");
    intent_unref(set);
    diag_destroy(diagnostics);
    str_fini(&said);
}

TESTS(
    RUN(every_example_is_right_and_comes_back),
    RUN(a_file_that_cannot_be_read_is_said),
)
