/* Actions of Nicira's that are not as they should be, byte by byte. */
#include "openflow/wire_action.h"
#include "openflow/wire_test.h"

/* An experimenter action of the subtype; padded, its length filled in. */
static enum of_error
decode(uint16_t subtype, const char *hex)
{
    struct actions actions = { 0 };
    struct buf buf = BUF_INIT;
    struct cursor c;
    enum of_error error;

    buf_put_u16(&buf, 0xffff);
    buf_put_u16(&buf, 0);
    buf_put_u32(&buf, 0x2320);
    buf_put_u16(&buf, subtype);
    put_hex(&buf, hex);
    buf_pad8(&buf, 0);
    buf_patch_u16(&buf, 2, (uint16_t) buf.len);
    c = cursor_init(buf.data, buf.len);
    error = actions_decode(OF13, &c, &actions, NULL, NULL);
    actions_fini(&actions);
    buf_fini(&buf);
    return error;
}

struct wrong {
    uint16_t subtype;
    const char *hex;
    enum of_error error;
};

static void
check_all(const struct wrong *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum of_error error = decode(cases[i].subtype, cases[i].hex);

        CHECK_MSG(error == cases[i].error, "%u %s: %s", cases[i].subtype,
                  cases[i].hex, of_error_name(error));
    }
}

#define REG0 "00010004"
#define ETH_SRC "00000406"

/* idle, hard, priority, cookie, flags, table, pad, fin idle, fin hard */
#define LEARN "0000 0000 8000 0000000000000000 0000 01 00 0000 0000 "
#define LEARN2 "0000 0000 8000 0000000000000000 0004 01 00 0000 0000 00000001 "

TEST(learn_is_checked_item_by_item)
{
    static const struct wrong cases[] = {
        { 16, LEARN, OF_OK },
        { 16, LEARN "0030" ETH_SRC "0000" ETH_SRC "0000", OF_OK },
        { 16, LEARN "2010 0005" REG0 "0000", OF_OK },
        { 16, LEARN "1010" REG0 "0000", OF_OK },
        /* Too short. */
        { 16, "0000 0000 8000", OF_BAD_ACTION_BAD_LEN },
        { 16, LEARN "0030" ETH_SRC, OF_BAD_ACTION_BAD_LEN },
        { 45, LEARN, OF_BAD_ACTION_BAD_LEN },
        /* Unknown flags, no table, padding. */
        { 16, "0000 0000 8000 0000000000000000 0004 01 00 0000 0000",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 45, "0000 0000 8000 0000000000000000 0008 01 00 0000 0000 00000001",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 16, "0000 0000 8000 0000000000000000 0000 ff 00 0000 0000",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 16, "0000 0000 8000 0000000000000000 0000 01 01 0000 0000",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 16, LEARN "0000 01", OF_BAD_ACTION_BAD_ARGUMENT },
        /* Kinds: reserved bits, no bits, output of a value. */
        { 16, LEARN "1810" REG0 "0000", OF_BAD_ACTION_BAD_ARGUMENT },
        { 16, LEARN "4010" REG0 "0000", OF_BAD_ACTION_BAD_ARGUMENT },
        { 16, LEARN "0800" REG0 "0000", OF_BAD_ACTION_BAD_ARGUMENT },
        { 16, LEARN "3010 0001", OF_BAD_ACTION_BAD_ARGUMENT },
        /* Fields. */
        { 16, LEARN "1010 00050304 0000", OF_BAD_ACTION_BAD_SET_TYPE },
        { 16, LEARN "1021" REG0 "0000", OF_BAD_ACTION_BAD_SET_LEN },
        { 16, LEARN "2009 0200" REG0 "0000", OF_BAD_ACTION_BAD_ARGUMENT },
        { 45, LEARN2 "0000 0000" REG0, OF_OK },
        { 45, LEARN2 "0000 0001" REG0, OF_BAD_ACTION_BAD_ARGUMENT },
        { 45, LEARN2 "0020 0000" REG0, OF_BAD_ACTION_BAD_SET_LEN },
    };

    check_all(cases, ARRAY_SIZE(cases));
}

TEST(multipath_and_bundle_are_checked)
{
    static const struct wrong cases[] = {
        /* fields, basis, pad, algorithm, links - 1, argument, pad, bits */
        { 10, "0001 0032 0000 0000 000f 00000000 0000 0003" REG0, OF_OK },
        { 10, "0007 0032 0000 0000 000f 00000000 0000 0003" REG0,
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 10, "0001 0032 0000 0004 000f 00000000 0000 0003" REG0,
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 10, "0001 0032 0000 0000 0010 00000000 0000 0003" REG0,
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 10, "0001 0032 0000 0000 0000 00000000 0000 0020" REG0,
          OF_BAD_ACTION_BAD_SET_LEN },
        { 10, "0001 0032", OF_BAD_ACTION_BAD_LEN },
        /* algorithm, fields, basis, kind, members, bits, field, zeros */
        { 12, "0001 0000 0000 00000002 0002 0000 00000000 00000000 0001 0002",
          OF_OK },
        { 12, "0002 0000 0000 00000002 0000 0000 00000000 00000000",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 12, "0000 0009 0000 00000002 0000 0000 00000000 00000000",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 12, "0000 0000 0000 00000004 0000 0000 00000000 00000000",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 12, "0000 0000 0000 00000002 0000 0001 00000000 00000000",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 12, "0000 0000 0000 00000002 0000 0000 00010004 00000000",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 12, "0000 0000 0000 00000002 0801 0000 00000000 00000000",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 12, "0000 0000 0000 00000002 0005 0000 00000000 00000000 0001",
          OF_BAD_ACTION_BAD_LEN },
        { 12, "0000 0000", OF_BAD_ACTION_BAD_LEN },
        { 13, "0000 0000 0000 00000002 0000 000f" REG0 "00000000", OF_OK },
        { 13, "0000 0000 0000 00000002 0000 000e" REG0 "00000000",
          OF_BAD_ACTION_BAD_ARGUMENT },
    };

    check_all(cases, ARRAY_SIZE(cases));
}

TEST(the_smaller_ones_are_checked)
{
    static const struct wrong cases[] = {
        { 34, "00 02 00000005", OF_OK },
        { 34, "02 02 00000005", OF_BAD_ACTION_BAD_CONJUNCTION },
        { 34, "00 01 00000005", OF_BAD_ACTION_BAD_CONJUNCTION },
        { 34, "00 41 00000005", OF_BAD_ACTION_BAD_CONJUNCTION },
        { 34, "00 02 00000005 01", OF_BAD_ACTION_BAD_LEN },
        { 49, "05dc 0003" REG0, OF_OK },
        { 49, "05dc 0020" REG0, OF_BAD_ACTION_BAD_SET_LEN },
        { 49, "05dc 0000 00050304", OF_BAD_ACTION_BAD_SET_TYPE },
        { 29, "0001 00000001 00000002 00000003", OF_OK },
        { 29, "0000 00000001 00000002 00000003", OF_BAD_ACTION_BAD_ARGUMENT },
        { 29, "0001 00000001", OF_BAD_ACTION_BAD_LEN },
        { 38, "0001 00000001 00000002 00000003 0007", OF_OK },
        { 41, "0001 00000001 00000002 00000003 0007 02", OF_OK },
        { 41, "0001 00000001 00000002 00000003 0007 03",
          OF_BAD_ACTION_BAD_ARGUMENT },
        { 19, "0005 0006 0000", OF_OK },
        { 19, "0005 0006 0000 01", OF_BAD_ACTION_BAD_LEN },
        { 46, "", OF_BAD_ACTION_BAD_EXP_TYPE },
    };

    check_all(cases, ARRAY_SIZE(cases));
}

TESTS(
    RUN(learn_is_checked_item_by_item),
    RUN(multipath_and_bundle_are_checked),
    RUN(the_smaller_ones_are_checked),
)
