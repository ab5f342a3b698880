/* Whatever can be said in flow text is read back as it was: random flow-mods
 * over the whole grammar, to text and back. */
#include "openflow/random_mods_test.h"

enum { N_CASES = 150000 };

TEST(any_flow_mod_comes_back_from_its_text)
{
    struct rng rng = { 20 };

    for (unsigned int i = 0; i < N_CASES; i++) {
        enum flow_mod_command command = rng_below(&rng, 5);
        struct str text = STR_INIT, again = STR_INIT, error = STR_INIT;
        struct flow_mod a, b;

        random_flow_mod(&rng, command, &a);
        flow_mod_format(&a, &text);
        CHECK_MSG(!flow_mod_parse(str_text(&text), command, NULL, &b, &error),
                  "case %u: %s: %s", i, str_text(&text), str_text(&error));
        flow_mod_format(&b, &again);
        CHECK_MSG(!strcmp(str_text(&text), str_text(&again)),
                  "case %u: %s, then %s", i, str_text(&text),
                  str_text(&again));
        CHECK_MSG(flow_mod_equal(&a, &b), "case %u: %s", i, str_text(&text));
        flow_mod_fini(&a);
        flow_mod_fini(&b);
        str_fini(&text);
        str_fini(&again);
        str_fini(&error);
    }
}

/* Every port has a name, some of which cannot be written plainly. */
static const char *
name_of_port(void *name_, uint32_t number)
{
    static const char *const odd[] = { "local", "7", "a b", "eth0:1", "x,y",
                                       "reg1", "", "-v" };
    char *name = name_;

    if (number >= OFPP_MAX) {
        return NULL;
    }
    if (number % 16 < ARRAY_SIZE(odd)) {
        return odd[number % 16];
    }
    snprintf(name, 32, "p.%u-x_", number);
    return name;
}

static uint32_t
port_of_name(void *aux UNUSED, const char *name)
{
    uint32_t number = 0;

    return sscanf(name, "p.%u-x_", &number) == 1 ? number : 0;
}

TEST(ports_come_back_from_their_names)
{
    struct rng rng = { 24 };
    char name[32];
    const struct flow_text_names names = { port_of_name, name_of_port, name };
    unsigned int n_named = 0;

    for (unsigned int i = 0; i < N_CASES / 5; i++) {
        struct str text = STR_INIT, error = STR_INIT;
        struct flow_mod a, b;
        struct group_mod c, d;

        random_flow_mod(&rng, FLOW_MOD_ADD, &a);
        flow_mod_format_names(&a, &names, &text);
        n_named += strstr(str_text(&text), "p.") != NULL;
        CHECK_MSG(!flow_mod_parse(str_text(&text), FLOW_MOD_ADD, &names, &b,
                                  &error),
                  "case %u: %s: %s", i, str_text(&text), str_text(&error));
        CHECK_MSG(flow_mod_equal(&a, &b), "case %u: %s", i, str_text(&text));
        flow_mod_fini(&a);
        flow_mod_fini(&b);

        random_group_mod(&rng, &c);
        str_clear(&text);
        group_mod_format_names(&c, &names, &text);
        CHECK_MSG(!group_mod_parse(str_text(&text), c.command, &names, &d,
                                   &error),
                  "case %u: %s: %s", i, str_text(&text), str_text(&error));
        CHECK_MSG(group_mod_equal(&c, &d), "case %u: %s", i, str_text(&text));
        group_mod_fini(&c);
        group_mod_fini(&d);
        str_fini(&text);
        str_fini(&error);
    }
    CHECK(n_named > N_CASES / 50);
}

/* ---- Groups and meters ---- */

TEST(any_group_mod_comes_back_from_its_text)
{
    struct rng rng = { 22 };

    for (unsigned int i = 0; i < N_CASES / 5; i++) {
        struct str text = STR_INIT, error = STR_INIT;
        struct group_mod a, b;

        random_group_mod(&rng, &a);
        group_mod_format(&a, &text);
        CHECK_MSG(!group_mod_parse(str_text(&text), a.command, NULL, &b,
                                   &error),
                  "case %u: %s: %s", i, str_text(&text), str_text(&error));
        CHECK_MSG(group_mod_equal(&a, &b), "case %u: %s", i, str_text(&text));
        group_mod_fini(&a);
        group_mod_fini(&b);
        str_fini(&text);
        str_fini(&error);
    }
}

TEST(any_meter_mod_comes_back_from_its_text)
{
    struct rng rng = { 23 };

    for (unsigned int i = 0; i < N_CASES / 5; i++) {
        struct str text = STR_INIT, error = STR_INIT;
        struct meter_mod a = { .command = rng_below(&rng, 3) }, b;

        a.id = 1 + rng_below(&rng, 1000);
        if (a.command != METER_MOD_DELETE) {
            a.flags = 1 + rng_below(&rng, 2) + 4 * rng_below(&rng, 4);
            a.n_bands = 1 + rng_below(&rng, METER_MAX_BANDS);
        } else if (rng_one_in(&rng, 3)) {
            a.id = OFPM_ALL;
        }
        for (unsigned int k = 0; k < a.n_bands; k++) {
            a.bands[k].type = 1 + rng_below(&rng, 2);
            a.bands[k].rate = rng_u32(&rng);
            a.bands[k].burst_size = rng_u32(&rng) >> rng_below(&rng, 32);
            a.bands[k].prec_level = (uint8_t) rng_below(&rng, 4);
        }
        meter_mod_format(&a, &text);
        CHECK_MSG(!meter_mod_parse(str_text(&text), a.command, &b, &error),
                  "case %u: %s: %s", i, str_text(&text), str_text(&error));
        CHECK_MSG(a.command == b.command && a.id == b.id && a.flags == b.flags
                  && a.n_bands == b.n_bands
                  && !memcmp(a.bands, b.bands, sizeof a.bands),
                  "case %u: %s", i, str_text(&text));
        str_fini(&text);
        str_fini(&error);
    }
}

/* One byte changed: accepted or refused, but never more than that. */
TEST(a_broken_text_is_refused_or_means_what_it_says)
{
    static const char bytes[] = "0123456789abcdefx,:=()[]/->.\"* _tpn";
    struct rng rng = { 21 };
    unsigned int n_accepted = 0;

    for (unsigned int i = 0; i < N_CASES / 3; i++) {
        struct str text = STR_INIT, once = STR_INIT, twice = STR_INIT;
        struct flow_mod fm;

        random_flow_mod(&rng, FLOW_MOD_ADD, &fm);
        flow_mod_format(&fm, &text);
        flow_mod_fini(&fm);
        text.text[rng_below(&rng, (uint32_t) text.len)] =
            bytes[rng_below(&rng, sizeof bytes - 1)];
        if (!flow_mod_parse(text.text, FLOW_MOD_ADD, NULL, &fm, &once)) {
            n_accepted++;
            str_clear(&once);
            flow_mod_format(&fm, &once);
            flow_mod_fini(&fm);
            CHECK(!flow_mod_parse(str_text(&once), FLOW_MOD_ADD, NULL, &fm,
                                  NULL));
            flow_mod_format(&fm, &twice);
            flow_mod_fini(&fm);
            CHECK_MSG(!strcmp(str_text(&once), str_text(&twice)),
                      "%s: %s, then %s", text.text, str_text(&once),
                      str_text(&twice));
        } else {
            CHECK(!strncmp(str_text(&once), "at ", 3));
        }
        str_fini(&text);
        str_fini(&once);
        str_fini(&twice);
    }
    CHECK(n_accepted > N_CASES / 100);
}

TESTS(
    RUN(any_flow_mod_comes_back_from_its_text),
    RUN(ports_come_back_from_their_names),
    RUN(any_group_mod_comes_back_from_its_text),
    RUN(any_meter_mod_comes_back_from_its_text),
    RUN(a_broken_text_is_refused_or_means_what_it_says),
)
