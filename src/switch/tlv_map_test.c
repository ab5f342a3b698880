#include "switch/tlv_map.h"

#include "unit.h"

static enum of_error
mod(struct tlv_map *map, uint16_t command, struct of_tlv tlv, uint32_t used)
{
    struct of_tlv_table table = { .command = command, .n = 1,
                                  .entries = { tlv } };

    return tlv_map_mod(map, &table, used, NULL);
}

TEST(options_are_mapped_where_there_is_room)
{
    struct tlv_map map = { 0 };
    struct of_tlv_table said;

    CHECK(!mod(&map, TLV_ADD, (struct of_tlv) { 0x102, 0x80, 4, 0 }, 0));
    CHECK(!mod(&map, TLV_ADD, (struct of_tlv) { 0x102, 0x81, 16, 7 }, 0));
    CHECK(mod(&map, TLV_ADD, (struct of_tlv) { 1, 1, 4, 0 }, 0)
          == OF_TLV_TABLE_ALREADY_MAPPED);
    CHECK(mod(&map, TLV_ADD, (struct of_tlv) { 0x102, 0x80, 4, 1 }, 0)
          == OF_TLV_TABLE_DUP_ENTRY);
    CHECK(mod(&map, TLV_ADD, (struct of_tlv) { 1, 1, 5, 1 }, 0)
          == OF_TLV_TABLE_BAD_OPT_LEN);
    CHECK(mod(&map, TLV_ADD, (struct of_tlv) { 1, 1, 128, 1 }, 0)
          == OF_TLV_TABLE_BAD_OPT_LEN);
    CHECK(mod(&map, TLV_ADD, (struct of_tlv) { 1, 1, 4, 64 }, 0)
          == OF_TLV_TABLE_BAD_FIELD_IDX);
    CHECK(mod(&map, TLV_ADD, (struct of_tlv) { 1, 1, 4, 32 }, 0)
          == OF_TLV_TABLE_FULL);
    CHECK(mod(&map, TLV_ADD, (struct of_tlv) { 1, 1, 8, 16 }, 0)
          == OF_TLV_TABLE_FULL);
    CHECK(mod(&map, 3, (struct of_tlv) { 1, 1, 4, 1 }, 0)
          == OF_TLV_TABLE_BAD_COMMAND);
    tlv_map_read(&map, &said);
    CHECK(said.n == 2 && said.max_space == 256 && said.max_fields == 32);
    CHECK(said.entries[1].type == 0x81 && said.entries[1].index == 7);
}

TEST(what_entries_speak_of_stays)
{
    struct tlv_map map = { 0 };
    struct of_tlv first = { 1, 1, 4, 0 }, second = { 1, 2, 4, 1 };

    CHECK(tlv_map_check(&map, 1, NULL)
          == OF_FLOW_MOD_FAILED_INVALID_TLV_FIELD);
    CHECK(!mod(&map, TLV_ADD, first, 0) && !mod(&map, TLV_ADD, second, 0));
    CHECK(!tlv_map_check(&map, 3, NULL));
    CHECK(mod(&map, TLV_DELETE, first, 1) == OF_TLV_TABLE_INVALID_DEL);
    CHECK(mod(&map, TLV_CLEAR, first, 2) == OF_TLV_TABLE_INVALID_DEL);
    CHECK(!mod(&map, TLV_DELETE, second, 1));
    CHECK(tlv_map_check(&map, 2, NULL));
    CHECK(!mod(&map, TLV_CLEAR, first, 0) && !map.mapped);
}

/* A message is carried out whole or not at all. */
TEST(a_bad_option_spoils_the_others)
{
    struct of_tlv_table table = {
        .command = TLV_ADD, .n = 2, .entries = { { 1, 1, 4, 0 },
                                                 { 1, 1, 4, 1 } },
    };
    struct tlv_map map = { 0 };

    CHECK(tlv_map_mod(&map, &table, 0, NULL) == OF_TLV_TABLE_DUP_ENTRY);
    CHECK(!map.mapped);
}

TESTS(
    RUN(options_are_mapped_where_there_is_room),
    RUN(what_entries_speak_of_stays),
    RUN(a_bad_option_spoils_the_others),
)
