/* OpenFlow errors: why a request was refused.
 *
 * A type of its own, so that the compiler keeps it apart from errno.  The values
 * are version-neutral; the wire codec turns each into the type and code of the
 * version spoken (OpenFlow 1.3.5 section 7.4.4 and its siblings). */
#ifndef WEFT_OPENFLOW_ERROR_H
#define WEFT_OPENFLOW_ERROR_H

/* X(ID, text for people) */
#define OF_ERRORS(X)                                                         \
    X(OF_OK, "ok")                                                           \
    X(OF_BAD_REQUEST_BAD_LEN, "the message's length is wrong")               \
    X(OF_BAD_REQUEST_BAD_TABLE_ID, "there is no such table")                 \
    X(OF_BAD_REQUEST_EPERM, "not permitted")                                 \
    X(OF_BAD_ACTION_BAD_TYPE, "unknown action")                              \
    X(OF_BAD_ACTION_BAD_LEN, "an action's length is wrong")                  \
    X(OF_BAD_ACTION_BAD_OUT_PORT, "no such output port")                     \
    X(OF_BAD_ACTION_BAD_ARGUMENT, "bad action argument")                     \
    X(OF_BAD_ACTION_BAD_OUT_GROUP, "no such output group")                   \
    X(OF_BAD_ACTION_MATCH_INCONSISTENT,                                      \
      "the action does not fit what the entry matches")                      \
    X(OF_BAD_ACTION_BAD_SET_TYPE, "the action sets an unknown field")        \
    X(OF_BAD_ACTION_BAD_SET_ARGUMENT, "the value does not fit the field")    \
    X(OF_BAD_ACTION_BAD_TAG, "the action pushes an unknown tag")             \
    X(OF_BAD_ACTION_TOO_MANY, "too many actions")                            \
    X(OF_BAD_ACTION_BAD_METER, "the action names a meter that does not "     \
      "exist")                                                               \
    X(OF_BAD_INSTRUCTION_BAD_TABLE_ID, "goto_table must lead to a later "    \
      "table")                                                               \
    X(OF_BAD_INSTRUCTION_UNSUP_METADATA_MASK, "metadata mask not supported") \
    X(OF_BAD_MATCH_BAD_FIELD, "unknown match field")                         \
    X(OF_BAD_MATCH_BAD_PREREQ, "a match field lacks its prerequisite")       \
    X(OF_BAD_MATCH_BAD_VALUE, "a match value does not fit its field")        \
    X(OF_BAD_MATCH_BAD_MASK, "a match field cannot be masked like that")     \
    X(OF_BAD_MATCH_DUP_FIELD, "a match field occurs twice")                  \
    X(OF_FLOW_MOD_FAILED_TABLE_FULL, "the table is full")                    \
    X(OF_FLOW_MOD_FAILED_BAD_TABLE_ID, "there is no such table")             \
    X(OF_FLOW_MOD_FAILED_OVERLAP, "an entry of the same priority overlaps")  \
    X(OF_FLOW_MOD_FAILED_BAD_TIMEOUT, "unsupported timeout")                 \
    X(OF_FLOW_MOD_FAILED_BAD_FLAGS, "unsupported flags")                     \
    X(OF_FLOW_MOD_FAILED_BAD_PRIORITY, "bad priority")                       \
    X(OF_GROUP_MOD_FAILED_GROUP_EXISTS, "the group exists already")          \
    X(OF_GROUP_MOD_FAILED_INVALID_GROUP, "bad group number")                 \
    X(OF_GROUP_MOD_FAILED_OUT_OF_GROUPS, "the group table is full")          \
    X(OF_GROUP_MOD_FAILED_OUT_OF_BUCKETS, "too many buckets")                \
    X(OF_GROUP_MOD_FAILED_CHAINING_UNSUPPORTED, "chaining not supported")    \
    X(OF_GROUP_MOD_FAILED_WATCH_UNSUPPORTED, "cannot watch that port or "    \
      "group")                                                               \
    X(OF_GROUP_MOD_FAILED_LOOP, "the groups would form a loop")              \
    X(OF_GROUP_MOD_FAILED_UNKNOWN_GROUP, "there is no such group")           \
    X(OF_GROUP_MOD_FAILED_CHAINED_GROUP, "another group leads to it")        \
    X(OF_GROUP_MOD_FAILED_BAD_TYPE, "bad group type")                        \
    X(OF_GROUP_MOD_FAILED_BAD_BUCKET, "bad bucket")                          \
    X(OF_GROUP_MOD_FAILED_BAD_WATCH, "bad watch port or group")              \
    X(OF_GROUP_MOD_FAILED_BUCKET_EXISTS, "the bucket exists already")        \
    X(OF_GROUP_MOD_FAILED_UNKNOWN_BUCKET, "there is no such bucket")         \
    X(OF_METER_MOD_FAILED_METER_EXISTS, "the meter exists already")          \
    X(OF_METER_MOD_FAILED_INVALID_METER, "bad meter number")                 \
    X(OF_METER_MOD_FAILED_UNKNOWN_METER, "there is no such meter")           \
    X(OF_METER_MOD_FAILED_BAD_COMMAND, "bad meter command")                  \
    X(OF_METER_MOD_FAILED_BAD_FLAGS, "bad meter flags")                      \
    X(OF_METER_MOD_FAILED_BAD_RATE, "bad meter rate")                        \
    X(OF_METER_MOD_FAILED_BAD_BURST, "bad burst size")                       \
    X(OF_METER_MOD_FAILED_BAD_BAND, "bad meter band")                        \
    X(OF_METER_MOD_FAILED_OUT_OF_METERS, "the meter table is full")          \
    X(OF_METER_MOD_FAILED_OUT_OF_BANDS, "too many bands")

enum of_error {
#define X(ID, TEXT) ID,
    OF_ERRORS(X)
#undef X
    N_OF_ERRORS
};

const char *of_error_text(enum of_error);
/* "OF_FLOW_MOD_FAILED_OVERLAP" */
const char *of_error_name(enum of_error);

#endif
