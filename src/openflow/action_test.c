#include "unit.h"

#include "openflow/flow_mod.h"

static unsigned int
count(struct action_list list)
{
    unsigned int n = 0;

    ACTION_FOR_EACH (action, &list) {
        n++;
    }
    return n;
}

TEST(actions_lie_one_behind_another)
{
    struct actions a = { 0 };
    struct action_list list;
    const struct action_set_field *set;

    for (unsigned int i = 0; i < 100; i++) {
        actions_add_output(&a, i);
    }
    actions_add_set_field(&a, FIELD_TCP_DST, 0x12345, 0xff);
    list = actions_list(&a);
    CHECK(count(list) == 101);
    CHECK(list.len % 8 == 0);
    CHECK(((const struct action_output *) list.first)->port == 0);

    set = (const struct action_set_field *) (const void *)
          (a.data + a.len - sizeof *set);
    CHECK(action_u128(set->value) == 0x45 && action_u128(set->mask) == 0xff);
    actions_fini(&a);
}

TEST(a_note_is_rounded_up_to_eight_bytes)
{
    struct actions a = { 0 };
    struct action_note *note = actions_add(
        &a, ACTION_NOTE, offsetof(struct action_note, bytes) + 7);

    CHECK(note->h.len == 24 && a.len == 24);
    actions_fini(&a);
}

TEST(a_clone_holds_what_was_added_between_its_marks)
{
    struct actions a = { 0 };
    uint32_t outer, inner;
    struct action_list nested;

    outer = actions_begin_clone(&a);
    actions_add_output(&a, 1);
    inner = actions_begin_clone(&a);
    actions_add_output(&a, 2);
    actions_add_output(&a, 3);
    CHECK(actions_end(&a, inner));
    CHECK(actions_end(&a, outer));
    actions_add_output(&a, 4);

    CHECK(count(actions_list(&a)) == 2);
    nested = action_clone_list((const struct action_clone *)
                               (const void *) a.data);
    CHECK(count(nested) == 2);
    actions_fini(&a);
}

TEST(a_clone_that_is_too_long_is_taken_off)
{
    struct actions a = { 0 };
    uint32_t mark;

    actions_add_output(&a, 1);
    mark = actions_begin_clone(&a);
    for (unsigned int i = 0; i <= ACTION_MAX_LEN / 16; i++) {
        actions_add_output(&a, i);
    }
    CHECK(!actions_end(&a, mark));
    CHECK(count(actions_list(&a)) == 1);
    actions_fini(&a);
}

TEST(lists_are_equal_when_their_actions_are)
{
    struct actions a = { 0 }, b = { 0 };

    CHECK(action_list_equal(actions_list(&a), actions_list(&b)));
    actions_add_controller(&a, 128, REASON_APPLY_ACTION);
    CHECK(!action_list_equal(actions_list(&a), actions_list(&b)));
    actions_add_controller(&b, 128, REASON_APPLY_ACTION);
    CHECK(action_list_equal(actions_list(&a), actions_list(&b)));
    actions_add_output(&a, 1);
    actions_add_output(&b, 2);
    CHECK(!action_list_equal(actions_list(&a), actions_list(&b)));
    actions_fini(&a);
    actions_fini(&b);
}

TEST(a_fresh_flow_mod_adds_to_table_0_and_filters_nothing)
{
    struct flow_mod fm;

    flow_mod_init(&fm);
    CHECK(fm.command == FLOW_MOD_ADD && fm.table == 0);
    CHECK(fm.priority == 0x8000);
    CHECK(fm.out_port == OFPP_ANY && fm.out_group == OFPG_ANY);
    actions_add_output(&fm.storage[1], 3);
    flow_mod_seal(&fm);
    CHECK(fm.instructions.apply.len == 0);
    CHECK(count(fm.instructions.write) == 1);
    flow_mod_fini(&fm);
}

TEST(every_error_has_a_name_and_a_text)
{
    for (unsigned int i = 0; i < N_OF_ERRORS; i++) {
        CHECK(of_error_text(i) && *of_error_text(i));
        CHECK(!strncmp(of_error_name(i), "OF_", 3));
    }
    CHECK(of_error_name(N_OF_ERRORS) && of_error_text(N_OF_ERRORS));
}

TESTS(
    RUN(actions_lie_one_behind_another),
    RUN(a_note_is_rounded_up_to_eight_bytes),
    RUN(a_clone_holds_what_was_added_between_its_marks),
    RUN(a_clone_that_is_too_long_is_taken_off),
    RUN(lists_are_equal_when_their_actions_are),
    RUN(a_fresh_flow_mod_adds_to_table_0_and_filters_nothing),
    RUN(every_error_has_a_name_and_a_text),
)
