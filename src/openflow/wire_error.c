/* Errors' types and codes, in each version.
 *
 * 1.0 has few errors; Nicira's extension gave it more, which its tools know.
 * 1.3 got some of the later ones as ONF's.  What a version cannot say at all is
 * Nicira's "this error has no encoding". */
#include "openflow/wire.h"

#define STD(TYPE, CODE) { 0, TYPE, CODE }
#define NX(TYPE, CODE) { EXPERIMENTER_NICIRA, TYPE, CODE }
#define ONF(TYPE, CODE) { EXPERIMENTER_ONF, TYPE, CODE }
#define NONE { 0, NOT_THERE, 0 }

enum { NOT_THERE = 0xfffe };

static const struct of_error_wire unencodable_10 = NX(1, 521);
static const struct of_error_wire unencodable = NX(0, 10);

/* In 1.0; from 1.3 until before `since`; from then on. */
static const struct row {
    struct of_error_wire of10, early;
    uint8_t since;
    struct of_error_wire standard;
} rows[N_OF_ERRORS] = {
    [OF_HELLO_FAILED_INCOMPATIBLE] = { STD(0, 0), NONE, OF13, STD(0, 0) },
    [OF_HELLO_FAILED_EPERM] = { STD(0, 1), NONE, OF13, STD(0, 1) },
    [OF_BAD_REQUEST_BAD_VERSION] = { STD(1, 0), NONE, OF13, STD(1, 0) },
    [OF_BAD_REQUEST_BAD_TYPE] = { STD(1, 1), NONE, OF13, STD(1, 1) },
    [OF_BAD_REQUEST_BAD_MULTIPART] = { STD(1, 2), NONE, OF13, STD(1, 2) },
    [OF_BAD_REQUEST_BAD_EXPERIMENTER] = { STD(1, 3), NONE, OF13, STD(1, 3) },
    [OF_BAD_REQUEST_BAD_EXP_TYPE] = { STD(1, 4), NONE, OF13, STD(1, 4) },
    [OF_BAD_REQUEST_EPERM] = { STD(1, 5), NONE, OF13, STD(1, 5) },
    [OF_BAD_REQUEST_BAD_LEN] = { STD(1, 6), NONE, OF13, STD(1, 6) },
    [OF_BAD_REQUEST_BUFFER_EMPTY] = { STD(1, 7), NONE, OF13, STD(1, 7) },
    [OF_BAD_REQUEST_BUFFER_UNKNOWN] = { STD(1, 8), NONE, OF13, STD(1, 8) },
    [OF_BAD_REQUEST_BAD_TABLE_ID] = { NX(1, 512), NONE, OF13, STD(1, 9) },
    [OF_BAD_REQUEST_IS_SLAVE] = { STD(1, 5), NONE, OF13, STD(1, 10) },
    [OF_BAD_REQUEST_BAD_PORT] = { NX(1, 514), NONE, OF13, STD(1, 11) },
    [OF_BAD_REQUEST_BAD_PACKET] = { STD(1, 6), NONE, OF13, STD(1, 12) },
    [OF_BAD_REQUEST_MULTIPART_OVERFLOW] = { NONE, NONE, OF13, STD(1, 13) },
    [OF_BAD_REQUEST_MULTIPART_TIMEOUT] = {
        NONE, STD(1, 13), OF14, STD(1, 14) },
    [OF_BAD_REQUEST_PIPELINE_FIELDS_ONLY] = { NONE, NONE, OF15, STD(1, 17) },
    [OF_BAD_ACTION_BAD_TYPE] = { STD(2, 0), NONE, OF13, STD(2, 0) },
    [OF_BAD_ACTION_BAD_LEN] = { STD(2, 1), NONE, OF13, STD(2, 1) },
    [OF_BAD_ACTION_BAD_EXPERIMENTER] = { STD(2, 2), NONE, OF13, STD(2, 2) },
    [OF_BAD_ACTION_BAD_EXP_TYPE] = { STD(2, 3), NONE, OF13, STD(2, 3) },
    [OF_BAD_ACTION_BAD_OUT_PORT] = { STD(2, 4), NONE, OF13, STD(2, 4) },
    [OF_BAD_ACTION_BAD_ARGUMENT] = { STD(2, 5), NONE, OF13, STD(2, 5) },
    [OF_BAD_ACTION_EPERM] = { STD(2, 6), NONE, OF13, STD(2, 6) },
    [OF_BAD_ACTION_TOO_MANY] = { STD(2, 7), NONE, OF13, STD(2, 7) },
    [OF_BAD_ACTION_BAD_QUEUE] = { STD(2, 8), NONE, OF13, STD(2, 8) },
    [OF_BAD_ACTION_BAD_OUT_GROUP] = { NX(2, 9), NONE, OF13, STD(2, 9) },
    [OF_BAD_ACTION_MATCH_INCONSISTENT] = {
        NX(1, 522), NONE, OF13, STD(2, 10) },
    [OF_BAD_ACTION_UNSUPPORTED_ORDER] = { STD(3, 5), NONE, OF13, STD(2, 11) },
    [OF_BAD_ACTION_BAD_TAG] = { STD(2, 5), NONE, OF13, STD(2, 12) },
    [OF_BAD_ACTION_BAD_SET_TYPE] = { NX(1, 523), NONE, OF13, STD(2, 13) },
    [OF_BAD_ACTION_BAD_SET_LEN] = { NX(1, 524), NONE, OF13, STD(2, 14) },
    [OF_BAD_ACTION_BAD_SET_ARGUMENT] = { NX(1, 525), NONE, OF13, STD(2, 15) },
    [OF_BAD_ACTION_BAD_SET_MASK] = {
        STD(2, 5), ONF(0, 4250), OF15, STD(2, 16) },
    [OF_BAD_ACTION_BAD_CONJUNCTION] = { NX(2, 526), NONE, OF13, NX(0, 15) },
    [OF_BAD_ACTION_BAD_METER] = { STD(2, 5), STD(12, 3), OF15, STD(2, 17) },
    [OF_BAD_INSTRUCTION_UNKNOWN_INST] = { NONE, NONE, OF13, STD(3, 0) },
    [OF_BAD_INSTRUCTION_UNSUP_INST] = { NX(2, 257), NONE, OF13, STD(3, 1) },
    [OF_BAD_INSTRUCTION_BAD_TABLE_ID] = { NONE, NONE, OF13, STD(3, 2) },
    [OF_BAD_INSTRUCTION_UNSUP_METADATA] = { NONE, NONE, OF13, STD(3, 3) },
    [OF_BAD_INSTRUCTION_UNSUP_METADATA_MASK] = { NONE, NONE, OF13, STD(3, 4) },
    [OF_BAD_INSTRUCTION_BAD_EXPERIMENTER] = { NONE, NONE, OF13, STD(3, 5) },
    [OF_BAD_INSTRUCTION_BAD_EXP_TYPE] = { NONE, NONE, OF13, STD(3, 6) },
    [OF_BAD_INSTRUCTION_BAD_LEN] = { NONE, NONE, OF13, STD(3, 7) },
    [OF_BAD_INSTRUCTION_DUP_INST] = { NONE, ONF(0, 2600), OF14, STD(3, 9) },
    [OF_BAD_MATCH_BAD_TYPE] = { NONE, NONE, OF13, STD(4, 0) },
    [OF_BAD_MATCH_BAD_LEN] = { NX(1, 256), NONE, OF13, STD(4, 1) },
    [OF_BAD_MATCH_BAD_WILDCARDS] = { NX(1, 262), NONE, OF13, STD(4, 5) },
    [OF_BAD_MATCH_BAD_FIELD] = { NX(0, 263), NONE, OF13, STD(4, 6) },
    [OF_BAD_MATCH_BAD_VALUE] = { NX(1, 258), NONE, OF13, STD(4, 7) },
    [OF_BAD_MATCH_BAD_MASK] = { NX(1, 259), NONE, OF13, STD(4, 8) },
    [OF_BAD_MATCH_BAD_PREREQ] = { NX(1, 260), NONE, OF13, STD(4, 9) },
    [OF_BAD_MATCH_DUP_FIELD] = { NX(1, 261), NONE, OF13, STD(4, 10) },
    [OF_FLOW_MOD_FAILED_TABLE_FULL] = { STD(3, 0), NONE, OF13, STD(5, 1) },
    [OF_FLOW_MOD_FAILED_BAD_TABLE_ID] = { NX(5, 257), NONE, OF13, STD(5, 2) },
    [OF_FLOW_MOD_FAILED_OVERLAP] = { STD(3, 1), NONE, OF13, STD(5, 3) },
    [OF_FLOW_MOD_FAILED_EPERM] = { STD(3, 2), NONE, OF13, STD(5, 4) },
    [OF_FLOW_MOD_FAILED_BAD_TIMEOUT] = { STD(3, 3), NONE, OF13, STD(5, 5) },
    [OF_FLOW_MOD_FAILED_BAD_COMMAND] = { STD(3, 4), NONE, OF13, STD(5, 6) },
    [OF_FLOW_MOD_FAILED_BAD_FLAGS] = { NX(3, 258), NONE, OF13, STD(5, 7) },
    [OF_FLOW_MOD_FAILED_BAD_PRIORITY] = {
        STD(3, 5), ONF(0, 2360), OF14, STD(5, 9) },
    [OF_GROUP_MOD_FAILED_GROUP_EXISTS] = { NX(6, 0), NONE, OF13, STD(6, 0) },
    [OF_GROUP_MOD_FAILED_INVALID_GROUP] = { NX(6, 1), NONE, OF13, STD(6, 1) },
    [OF_GROUP_MOD_FAILED_WEIGHT_UNSUPPORTED] = {
        NX(6, 2), NONE, OF13, STD(6, 2) },
    [OF_GROUP_MOD_FAILED_OUT_OF_GROUPS] = { NX(6, 3), NONE, OF13, STD(6, 3) },
    [OF_GROUP_MOD_FAILED_OUT_OF_BUCKETS] = { NX(6, 4), NONE, OF13, STD(6, 4) },
    [OF_GROUP_MOD_FAILED_CHAINING_UNSUPPORTED] = {
        NX(6, 5), NONE, OF13, STD(6, 5) },
    [OF_GROUP_MOD_FAILED_WATCH_UNSUPPORTED] = {
        NX(6, 6), NONE, OF13, STD(6, 6) },
    [OF_GROUP_MOD_FAILED_LOOP] = { NX(6, 7), NONE, OF13, STD(6, 7) },
    [OF_GROUP_MOD_FAILED_UNKNOWN_GROUP] = { NX(6, 8), NONE, OF13, STD(6, 8) },
    [OF_GROUP_MOD_FAILED_CHAINED_GROUP] = { NX(6, 9), NONE, OF13, STD(6, 9) },
    [OF_GROUP_MOD_FAILED_BAD_TYPE] = { NX(6, 10), NONE, OF13, STD(6, 10) },
    [OF_GROUP_MOD_FAILED_BAD_COMMAND] = { NX(6, 11), NONE, OF13, STD(6, 11) },
    [OF_GROUP_MOD_FAILED_BAD_BUCKET] = { NX(6, 12), NONE, OF13, STD(6, 12) },
    [OF_GROUP_MOD_FAILED_BAD_WATCH] = { NX(6, 13), NONE, OF13, STD(6, 13) },
    [OF_GROUP_MOD_FAILED_UNKNOWN_BUCKET] = {
        NX(6, 15), STD(6, 12), OF15, STD(6, 15) },
    [OF_GROUP_MOD_FAILED_BUCKET_EXISTS] = {
        NX(6, 16), STD(6, 12), OF15, STD(6, 16) },
    [OF_PORT_MOD_FAILED_BAD_PORT] = { STD(4, 0), NONE, OF13, STD(7, 0) },
    [OF_PORT_MOD_FAILED_BAD_HW_ADDR] = { STD(4, 1), NONE, OF13, STD(7, 1) },
    [OF_PORT_MOD_FAILED_BAD_CONFIG] = { NONE, NONE, OF13, STD(7, 2) },
    [OF_PORT_MOD_FAILED_BAD_ADVERTISE] = { NONE, NONE, OF13, STD(7, 3) },
    [OF_TABLE_MOD_FAILED_BAD_TABLE] = { NONE, NONE, OF13, STD(8, 0) },
    [OF_TABLE_MOD_FAILED_BAD_CONFIG] = { NONE, NONE, OF13, STD(8, 1) },
    [OF_QUEUE_OP_FAILED_BAD_PORT] = { STD(5, 0), NONE, OF13, STD(9, 0) },
    [OF_QUEUE_OP_FAILED_BAD_QUEUE] = { STD(5, 1), NONE, OF13, STD(9, 1) },
    [OF_SWITCH_CONFIG_FAILED_BAD_FLAGS] = { NONE, NONE, OF13, STD(10, 0) },
    [OF_SWITCH_CONFIG_FAILED_BAD_LEN] = { NONE, NONE, OF13, STD(10, 1) },
    [OF_ROLE_REQUEST_FAILED_STALE] = { NONE, NONE, OF13, STD(11, 0) },
    [OF_ROLE_REQUEST_FAILED_UNSUP] = { NONE, NONE, OF13, STD(11, 1) },
    [OF_ROLE_REQUEST_FAILED_BAD_ROLE] = { NX(1, 513), NONE, OF13, STD(11, 2) },
    [OF_ROLE_REQUEST_FAILED_ID_IN_USE] = {
        NONE, STD(11, 1), OF15, STD(11, 4) },
    [OF_METER_MOD_FAILED_METER_EXISTS] = { NONE, NONE, OF13, STD(12, 1) },
    [OF_METER_MOD_FAILED_INVALID_METER] = { NONE, NONE, OF13, STD(12, 2) },
    [OF_METER_MOD_FAILED_UNKNOWN_METER] = { NONE, NONE, OF13, STD(12, 3) },
    [OF_METER_MOD_FAILED_BAD_COMMAND] = { NONE, NONE, OF13, STD(12, 4) },
    [OF_METER_MOD_FAILED_BAD_FLAGS] = { NONE, NONE, OF13, STD(12, 5) },
    [OF_METER_MOD_FAILED_BAD_RATE] = { NONE, NONE, OF13, STD(12, 6) },
    [OF_METER_MOD_FAILED_BAD_BURST] = { NONE, NONE, OF13, STD(12, 7) },
    [OF_METER_MOD_FAILED_BAD_BAND] = { NONE, NONE, OF13, STD(12, 8) },
    [OF_METER_MOD_FAILED_BAD_BAND_VALUE] = { NONE, NONE, OF13, STD(12, 9) },
    [OF_METER_MOD_FAILED_OUT_OF_METERS] = { NONE, NONE, OF13, STD(12, 10) },
    [OF_METER_MOD_FAILED_OUT_OF_BANDS] = { NONE, NONE, OF13, STD(12, 11) },
    [OF_TABLE_FEATURES_FAILED_BAD_TABLE] = { NONE, NONE, OF13, STD(13, 0) },
    [OF_TABLE_FEATURES_FAILED_BAD_METADATA] = {
        NONE, NONE, OF13, STD(13, 1) },
    [OF_TABLE_FEATURES_FAILED_BAD_CAPABILITIES] = {
        NONE, STD(13, 5), OF15, STD(13, 6) },
    [OF_TABLE_FEATURES_FAILED_BAD_MAX_ENTRIES] = {
        NONE, STD(13, 5), OF15, STD(13, 7) },
    [OF_TABLE_FEATURES_FAILED_BAD_FEATURES] = {
        NONE, STD(13, 5), OF15, STD(13, 8) },
    [OF_TABLE_FEATURES_FAILED_BAD_COMMAND] = {
        NONE, STD(13, 5), OF15, STD(13, 9) },
    [OF_TABLE_FEATURES_FAILED_EPERM] = { NONE, NONE, OF13, STD(13, 5) },
    [OF_BAD_PROPERTY_BAD_TYPE] = { NX(13, 2), STD(13, 2), OF14, STD(14, 0) },
    [OF_BAD_PROPERTY_BAD_LEN] = { NX(13, 3), STD(13, 3), OF14, STD(14, 1) },
    [OF_BAD_PROPERTY_BAD_VALUE] = { NX(13, 4), STD(13, 4), OF14, STD(14, 2) },
    [OF_BAD_PROPERTY_DUP_TYPE] = { NX(14, 4), ONF(0, 4444), OF14, STD(14, 4) },
    [OF_BAD_PROPERTY_BAD_EXPERIMENTER] = {
        NX(14, 5), ONF(0, 4445), OF14, STD(14, 5) },
    [OF_BAD_PROPERTY_BAD_EXP_TYPE] = {
        NX(14, 6), ONF(0, 4446), OF14, STD(14, 6) },
    [OF_ASYNC_CONFIG_FAILED_INVALID] = { NONE, ONF(0, 2370), OF14, STD(15, 0) },
    [OF_ASYNC_CONFIG_FAILED_UNSUPPORTED] = {
        NONE, ONF(0, 2371), OF14, STD(15, 1) },
    [OF_FLOW_MONITOR_FAILED_MONITOR_EXISTS] = {
        NX(1, 517), NX(0, 6), OF14, STD(16, 1) },
    [OF_FLOW_MONITOR_FAILED_INVALID_MONITOR] = {
        NONE, NONE, OF14, STD(16, 2) },
    [OF_FLOW_MONITOR_FAILED_UNKNOWN_MONITOR] = {
        NX(1, 519), NX(0, 8), OF14, STD(16, 3) },
    [OF_FLOW_MONITOR_FAILED_BAD_COMMAND] = { NONE, NONE, OF14, STD(16, 4) },
    [OF_FLOW_MONITOR_FAILED_BAD_FLAGS] = {
        NX(1, 518), NX(0, 7), OF14, STD(16, 5) },
    [OF_FLOW_MONITOR_FAILED_BAD_TABLE_ID] = {
        NX(1, 512), STD(1, 9), OF14, STD(16, 6) },
    [OF_FLOW_MONITOR_FAILED_BAD_OUT] = {
        NX(1, 514), STD(1, 11), OF14, STD(16, 7) },
    [OF_BUNDLE_FAILED_BAD_ID] = { NONE, ONF(0, 2302), OF14, STD(17, 2) },
    [OF_BUNDLE_FAILED_BUNDLE_EXIST] = { NONE, ONF(0, 2303), OF14, STD(17, 3) },
    [OF_BUNDLE_FAILED_BUNDLE_CLOSED] = {
        NONE, ONF(0, 2304), OF14, STD(17, 4) },
    [OF_BUNDLE_FAILED_OUT_OF_BUNDLES] = {
        NONE, ONF(0, 2305), OF14, STD(17, 5) },
    [OF_BUNDLE_FAILED_BAD_TYPE] = { NONE, ONF(0, 2306), OF14, STD(17, 6) },
    [OF_BUNDLE_FAILED_BAD_FLAGS] = { NONE, ONF(0, 2307), OF14, STD(17, 7) },
    [OF_BUNDLE_FAILED_MSG_BAD_LEN] = { NONE, ONF(0, 2308), OF14, STD(17, 8) },
    [OF_BUNDLE_FAILED_MSG_BAD_XID] = { NONE, ONF(0, 2309), OF14, STD(17, 9) },
    [OF_BUNDLE_FAILED_MSG_UNSUP] = { NONE, ONF(0, 2310), OF14, STD(17, 10) },
    [OF_BUNDLE_FAILED_MSG_CONFLICT] = {
        NONE, ONF(0, 2311), OF14, STD(17, 11) },
    [OF_BUNDLE_FAILED_MSG_TOO_MANY] = {
        NONE, ONF(0, 2312), OF14, STD(17, 12) },
    [OF_BUNDLE_FAILED_MSG_FAILED] = { NONE, ONF(0, 2313), OF14, STD(17, 13) },
    [OF_BUNDLE_FAILED_TIMEOUT] = { NONE, ONF(0, 2314), OF14, STD(17, 14) },
    [OF_BUNDLE_FAILED_SCHED_NOT_SUPPORTED] = {
        NONE, ONF(0, 2307), OF15, STD(17, 16) },
    [OF_RESUME_STALE] = { NX(1, 534), NX(0, 35), OF13, NX(0, 35) },
    [OF_NX_MUST_BE_ZERO] = { NX(1, 515), NX(0, 4), OF13, NX(0, 4) },
    [OF_FLOW_MOD_FAILED_INVALID_TLV_FIELD] = {
        NX(1, 536), NX(0, 37), OF13, NX(0, 37) },
    [OF_TLV_TABLE_BAD_COMMAND] = { NX(1, 527), NX(0, 16), OF13, NX(0, 16) },
    [OF_TLV_TABLE_BAD_OPT_LEN] = { NX(1, 528), NX(0, 17), OF13, NX(0, 17) },
    [OF_TLV_TABLE_BAD_FIELD_IDX] = { NX(1, 529), NX(0, 18), OF13, NX(0, 18) },
    [OF_TLV_TABLE_FULL] = { NX(1, 530), NX(0, 19), OF13, NX(0, 19) },
    [OF_TLV_TABLE_ALREADY_MAPPED] = { NX(1, 531), NX(0, 20), OF13,
                                      NX(0, 20) },
    [OF_TLV_TABLE_DUP_ENTRY] = { NX(1, 532), NX(0, 21), OF13, NX(0, 21) },
    [OF_TLV_TABLE_INVALID_DEL] = { NX(1, 537), NX(0, 38), OF13, NX(0, 38) },
};

static struct of_error_wire
in_version(enum of_error error, enum of_version version)
{
    const struct row *row = &rows[error];

    return version == OF10 ? row->of10
           : version < row->since ? row->early : row->standard;
}

struct of_error_wire
of_error_to_wire(enum of_error error, enum of_version version)
{
    struct of_error_wire wire;

    assert(error > OF_OK && error < N_OF_ERRORS);
    wire = in_version(error, version);
    if (wire.type == NOT_THERE) {
        return version == OF10 ? unencodable_10 : unencodable;
    }
    return wire;
}

/* Several of ours may have become one: the first that looks like it, best one
 * that the version itself has. */
enum of_error
of_error_from_wire(struct of_error_wire wire, enum of_version version)
{
    bool is_typed = !wire.experimenter || version == OF10;
    enum of_error found = N_OF_ERRORS;

    for (enum of_error error = OF_OK + 1; error < N_OF_ERRORS; error++) {
        struct of_error_wire w = in_version(error, version);

        if (w.type == NOT_THERE || w.experimenter != wire.experimenter
            || w.code != wire.code || (is_typed && w.type != wire.type)) {
            continue;
        }
        if (version == OF10 || version >= rows[error].since) {
            return error;
        }
        found = found == N_OF_ERRORS ? error : found;
    }
    return found;
}
