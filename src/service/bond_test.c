/* Which members of a bond are used. */
#include "service/bond.h"

#include "lib/str.h"
#include "unit.h"

enum { SECOND = 1000 };

static void
on_send(void *aux, unsigned int link, const void *frame, size_t len)
{
    unsigned int *n_sent = aux;

    (void) link;
    CHECK(frame && len == LACP_FRAME_LEN);
    ++*n_sent;
}

static struct bond *
backup(unsigned int n, unsigned int primary, msec fail_back)
{
    return bond_create(&(struct bond_config) {
        .n_members = n, .primary = primary, .fail_back = fail_back,
    }, &(struct lacp_watch) { on_send, NULL });
}

static void
member_is(struct bond *b, unsigned int i, bool has_link, msec now)
{
    bond_set_member(b, i, &(struct bond_member) {
        .number = 10 + i, .has_link = has_link,
    }, now);
}

/* "rx 1; tx 1 0" */
static void
state_is(const struct bond *b, const char *expected)
{
    struct bond_state state;
    struct str s = STR_INIT;

    bond_state(b, &state);
    str_add(&s, "rx");
    for (unsigned int i = 0; i < state.n_rx; i++) {
        str_addf(&s, " %u", state.rx[i]);
    }
    str_add(&s, state.is_spread ? "; any" : "; tx");
    for (unsigned int i = 0; i < state.n_tx; i++) {
        str_addf(&s, " %u", state.tx[i]);
    }
    CHECK_MSG(!strcmp(str_text(&s), expected), "%s, not %s", str_text(&s),
              expected);
    str_fini(&s);
}

TEST(the_first_with_a_link_is_used_and_stays)
{
    struct bond *b = backup(3, BOND_NO_MEMBER, 0);

    state_is(b, "rx; tx");
    member_is(b, 0, false, 0);
    member_is(b, 1, true, 0);
    member_is(b, 2, true, 0);
    CHECK(bond_run(b, 0) == INT64_MAX);
    state_is(b, "rx 1; tx 1 2");
    member_is(b, 0, true, 5);
    bond_run(b, 5);
    state_is(b, "rx 1; tx 1 0 2");
    member_is(b, 1, false, 9);
    bond_run(b, 9);
    state_is(b, "rx 0; tx 0 2");
    bond_destroy(b);
}

TEST(with_no_link_anywhere_one_that_is_there_is_used)
{
    struct bond *b = backup(2, BOND_NO_MEMBER, 0);

    member_is(b, 1, false, 0);
    bond_run(b, 0);
    state_is(b, "rx 1; tx 1");
    member_is(b, 0, false, 0);
    bond_run(b, 0);
    state_is(b, "rx 1; tx 1");
    bond_set_member(b, 1, &(struct bond_member) { 0 }, 1);
    bond_run(b, 1);
    state_is(b, "rx 0; tx 0");
    bond_destroy(b);
}

TEST(a_primary_is_gone_back_to_after_its_delay)
{
    struct bond *b = backup(2, 1, 10 * SECOND);

    member_is(b, 0, true, 0);
    member_is(b, 1, true, 0);
    bond_run(b, 0);
    state_is(b, "rx 1; tx 1 0");
    member_is(b, 1, false, 1 * SECOND);
    bond_run(b, 1 * SECOND);
    state_is(b, "rx 0; tx 0");
    member_is(b, 1, true, 2 * SECOND);
    CHECK(bond_run(b, 2 * SECOND) == 12 * SECOND);
    state_is(b, "rx 0; tx 0 1");
    /* A link that comes and goes begins anew. */
    member_is(b, 1, false, 5 * SECOND);
    CHECK(bond_run(b, 5 * SECOND) == INT64_MAX);
    member_is(b, 1, true, 6 * SECOND);
    member_is(b, 1, true, 7 * SECOND);
    CHECK(bond_run(b, 12 * SECOND) == 16 * SECOND);
    CHECK(bond_run(b, 16 * SECOND) == INT64_MAX);
    state_is(b, "rx 1; tx 1 0");
    bond_destroy(b);
}

TEST(a_primary_without_delay_is_used_at_once)
{
    struct bond *b = backup(2, 1, 0);

    member_is(b, 0, true, 0);
    bond_run(b, 0);
    state_is(b, "rx 0; tx 0");
    member_is(b, 1, true, 1);
    bond_run(b, 1);
    state_is(b, "rx 1; tx 1 0");
    bond_destroy(b);
}

TEST(with_lacp_nobody_is_used_before_three_seconds_without_an_answer)
{
    unsigned int n_sent = 0;
    struct bond *b = bond_create(&(struct bond_config) {
        .is_lacp = true, .n_members = 2, .primary = BOND_NO_MEMBER,
        .lacp = { .key = 3, .is_fast = true },
    }, &(struct lacp_watch) { on_send, &n_sent });
    struct lacp_link_status status;
    msec now = 0;

    member_is(b, 0, true, now);
    member_is(b, 1, true, now);
    while (now < 2900) {
        now = bond_run(b, now);
        state_is(b, "rx; any");
    }
    CHECK(n_sent >= 4);
    CHECK(bond_lacp_status(b, 0, &status));
    CHECK(status.actor.port == 10);
    while (now < 4000) {
        now = bond_run(b, now);
    }
    state_is(b, "rx 0; any 0");
    bond_destroy(b);
}

TESTS(
    RUN(the_first_with_a_link_is_used_and_stays),
    RUN(with_no_link_anywhere_one_that_is_there_is_used),
    RUN(a_primary_is_gone_back_to_after_its_delay),
    RUN(a_primary_without_delay_is_used_at_once),
    RUN(with_lacp_nobody_is_used_before_three_seconds_without_an_answer),
)
