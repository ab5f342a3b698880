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
    X(OF_HELLO_FAILED_INCOMPATIBLE, "no version of OpenFlow in common")      \
    X(OF_HELLO_FAILED_EPERM, "not permitted to connect")                     \
    X(OF_BAD_REQUEST_BAD_VERSION,                                            \
      "another version of OpenFlow was agreed on")                           \
    X(OF_BAD_REQUEST_BAD_TYPE, "unknown message type")                       \
    X(OF_BAD_REQUEST_BAD_MULTIPART, "unknown kind of statistics")            \
    X(OF_BAD_REQUEST_BAD_EXPERIMENTER, "unknown experimenter")               \
    X(OF_BAD_REQUEST_BAD_EXP_TYPE, "unknown message of the experimenter")    \
    X(OF_BAD_REQUEST_EPERM, "not permitted")                                 \
    X(OF_BAD_REQUEST_BAD_LEN, "the message's length is wrong")               \
    X(OF_BAD_REQUEST_BUFFER_EMPTY, "the buffer was used already")            \
    X(OF_BAD_REQUEST_BUFFER_UNKNOWN, "there is no such buffer")              \
    X(OF_BAD_REQUEST_BAD_TABLE_ID, "there is no such table")                 \
    X(OF_BAD_REQUEST_IS_SLAVE, "a slave may not do that")                    \
    X(OF_BAD_REQUEST_BAD_PORT, "there is no such port")                      \
    X(OF_BAD_REQUEST_BAD_PACKET, "the packet is malformed")                  \
    X(OF_BAD_REQUEST_MULTIPART_OVERFLOW, "the request's parts are too many") \
    X(OF_BAD_REQUEST_MULTIPART_TIMEOUT,                                      \
      "the request's other parts did not come")                              \
    X(OF_BAD_REQUEST_PIPELINE_FIELDS_ONLY,                                   \
      "a packet-out takes pipeline fields only")                             \
    X(OF_BAD_ACTION_BAD_TYPE, "unknown action")                              \
    X(OF_BAD_ACTION_BAD_LEN, "an action's length is wrong")                  \
    X(OF_BAD_ACTION_BAD_EXPERIMENTER, "unknown experimenter of an action")   \
    X(OF_BAD_ACTION_BAD_EXP_TYPE, "unknown action of the experimenter")      \
    X(OF_BAD_ACTION_BAD_OUT_PORT, "no such output port")                     \
    X(OF_BAD_ACTION_BAD_ARGUMENT, "bad action argument")                     \
    X(OF_BAD_ACTION_EPERM, "the action is not permitted")                    \
    X(OF_BAD_ACTION_TOO_MANY, "too many actions")                            \
    X(OF_BAD_ACTION_BAD_QUEUE, "no such queue")                              \
    X(OF_BAD_ACTION_BAD_OUT_GROUP, "no such output group")                   \
    X(OF_BAD_ACTION_MATCH_INCONSISTENT,                                      \
      "the action does not fit what the entry matches")                      \
    X(OF_BAD_ACTION_UNSUPPORTED_ORDER,                                       \
      "the actions' order is not supported")                                 \
    X(OF_BAD_ACTION_BAD_TAG, "the action pushes an unknown tag")             \
    X(OF_BAD_ACTION_BAD_SET_TYPE, "the action sets an unknown field")        \
    X(OF_BAD_ACTION_BAD_SET_LEN, "the value's length is not the field's")    \
    X(OF_BAD_ACTION_BAD_SET_ARGUMENT, "the value does not fit the field")    \
    X(OF_BAD_ACTION_BAD_SET_MASK, "the field cannot be set under that mask") \
    X(OF_BAD_ACTION_BAD_CONJUNCTION, "a conjunction that cannot be")         \
    X(OF_BAD_ACTION_BAD_METER,                                               \
      "the action names a meter that does not exist")                        \
    X(OF_BAD_INSTRUCTION_UNKNOWN_INST, "unknown instruction")                \
    X(OF_BAD_INSTRUCTION_UNSUP_INST, "the instruction is not supported")     \
    X(OF_BAD_INSTRUCTION_BAD_TABLE_ID,                                       \
      "goto_table must lead to a later table")                               \
    X(OF_BAD_INSTRUCTION_UNSUP_METADATA, "metadata value not supported")     \
    X(OF_BAD_INSTRUCTION_UNSUP_METADATA_MASK, "metadata mask not supported") \
    X(OF_BAD_INSTRUCTION_BAD_EXPERIMENTER,                                   \
      "unknown experimenter of an instruction")                              \
    X(OF_BAD_INSTRUCTION_BAD_EXP_TYPE,                                       \
      "unknown instruction of the experimenter")                             \
    X(OF_BAD_INSTRUCTION_BAD_LEN, "an instruction's length is wrong")        \
    X(OF_BAD_INSTRUCTION_DUP_INST, "an instruction occurs twice")            \
    X(OF_BAD_MATCH_BAD_TYPE, "unknown kind of match")                        \
    X(OF_BAD_MATCH_BAD_LEN, "the match's length is wrong")                   \
    X(OF_BAD_MATCH_BAD_WILDCARDS, "fields that cannot be left out together") \
    X(OF_BAD_MATCH_BAD_FIELD, "unknown match field")                         \
    X(OF_BAD_MATCH_BAD_VALUE, "a match value does not fit its field")        \
    X(OF_BAD_MATCH_BAD_MASK, "a match field cannot be masked like that")     \
    X(OF_BAD_MATCH_BAD_PREREQ, "a match field lacks its prerequisite")       \
    X(OF_BAD_MATCH_DUP_FIELD, "a match field occurs twice")                  \
    X(OF_FLOW_MOD_FAILED_TABLE_FULL, "the table is full")                    \
    X(OF_FLOW_MOD_FAILED_BAD_TABLE_ID, "there is no such table")             \
    X(OF_FLOW_MOD_FAILED_OVERLAP, "an entry of the same priority overlaps")  \
    X(OF_FLOW_MOD_FAILED_EPERM, "changing entries is not permitted")         \
    X(OF_FLOW_MOD_FAILED_BAD_TIMEOUT, "unsupported timeout")                 \
    X(OF_FLOW_MOD_FAILED_BAD_COMMAND, "unknown flow-mod command")            \
    X(OF_FLOW_MOD_FAILED_BAD_FLAGS, "unsupported flags")                     \
    X(OF_FLOW_MOD_FAILED_BAD_PRIORITY, "bad priority")                       \
    X(OF_GROUP_MOD_FAILED_GROUP_EXISTS, "the group exists already")          \
    X(OF_GROUP_MOD_FAILED_INVALID_GROUP, "bad group number")                 \
    X(OF_GROUP_MOD_FAILED_WEIGHT_UNSUPPORTED,                                \
      "weights are not supported there")                                     \
    X(OF_GROUP_MOD_FAILED_OUT_OF_GROUPS, "the group table is full")          \
    X(OF_GROUP_MOD_FAILED_OUT_OF_BUCKETS, "too many buckets")                \
    X(OF_GROUP_MOD_FAILED_CHAINING_UNSUPPORTED, "chaining not supported")    \
    X(OF_GROUP_MOD_FAILED_WATCH_UNSUPPORTED,                                 \
      "cannot watch that port or group")                                     \
    X(OF_GROUP_MOD_FAILED_LOOP, "the groups would form a loop")              \
    X(OF_GROUP_MOD_FAILED_UNKNOWN_GROUP, "there is no such group")           \
    X(OF_GROUP_MOD_FAILED_CHAINED_GROUP, "another group leads to it")        \
    X(OF_GROUP_MOD_FAILED_BAD_TYPE, "bad group type")                        \
    X(OF_GROUP_MOD_FAILED_BAD_COMMAND, "unknown group-mod command")          \
    X(OF_GROUP_MOD_FAILED_BAD_BUCKET, "bad bucket")                          \
    X(OF_GROUP_MOD_FAILED_BAD_WATCH, "bad watch port or group")              \
    X(OF_GROUP_MOD_FAILED_BUCKET_EXISTS, "the bucket exists already")        \
    X(OF_GROUP_MOD_FAILED_UNKNOWN_BUCKET, "there is no such bucket")         \
    X(OF_PORT_MOD_FAILED_BAD_PORT, "there is no such port")                  \
    X(OF_PORT_MOD_FAILED_BAD_HW_ADDR, "that is not the port's address")      \
    X(OF_PORT_MOD_FAILED_BAD_CONFIG, "unsupported port setting")             \
    X(OF_PORT_MOD_FAILED_BAD_ADVERTISE, "the port cannot advertise that")    \
    X(OF_TABLE_MOD_FAILED_BAD_TABLE, "there is no such table")               \
    X(OF_TABLE_MOD_FAILED_BAD_CONFIG, "unsupported table setting")           \
    X(OF_QUEUE_OP_FAILED_BAD_PORT, "there is no such port")                  \
    X(OF_QUEUE_OP_FAILED_BAD_QUEUE, "there is no such queue")                \
    X(OF_SWITCH_CONFIG_FAILED_BAD_FLAGS, "unsupported switch flags")         \
    X(OF_SWITCH_CONFIG_FAILED_BAD_LEN, "unsupported miss_send_len")          \
    X(OF_ROLE_REQUEST_FAILED_STALE,                                          \
      "the generation id is older than one seen")                            \
    X(OF_ROLE_REQUEST_FAILED_UNSUP, "roles cannot be changed")               \
    X(OF_ROLE_REQUEST_FAILED_BAD_ROLE, "unknown role")                       \
    X(OF_ROLE_REQUEST_FAILED_ID_IN_USE,                                      \
      "another controller has that short id")                                \
    X(OF_METER_MOD_FAILED_METER_EXISTS, "the meter exists already")          \
    X(OF_METER_MOD_FAILED_INVALID_METER, "bad meter number")                 \
    X(OF_METER_MOD_FAILED_UNKNOWN_METER, "there is no such meter")           \
    X(OF_METER_MOD_FAILED_BAD_COMMAND, "bad meter command")                  \
    X(OF_METER_MOD_FAILED_BAD_FLAGS, "bad meter flags")                      \
    X(OF_METER_MOD_FAILED_BAD_RATE, "bad meter rate")                        \
    X(OF_METER_MOD_FAILED_BAD_BURST, "bad burst size")                       \
    X(OF_METER_MOD_FAILED_BAD_BAND, "bad meter band")                        \
    X(OF_METER_MOD_FAILED_BAD_BAND_VALUE, "bad value of a meter band")       \
    X(OF_METER_MOD_FAILED_OUT_OF_METERS, "the meter table is full")          \
    X(OF_METER_MOD_FAILED_OUT_OF_BANDS, "too many bands")                    \
    X(OF_TABLE_FEATURES_FAILED_BAD_TABLE, "there is no such table")          \
    X(OF_TABLE_FEATURES_FAILED_BAD_METADATA, "unsupported metadata bits")    \
    X(OF_TABLE_FEATURES_FAILED_BAD_CAPABILITIES,                             \
      "unsupported capabilities of a table")                                 \
    X(OF_TABLE_FEATURES_FAILED_BAD_MAX_ENTRIES,                              \
      "a table cannot have that many entries")                               \
    X(OF_TABLE_FEATURES_FAILED_BAD_FEATURES, "unsupported table features")   \
    X(OF_TABLE_FEATURES_FAILED_BAD_COMMAND, "unknown table command")         \
    X(OF_TABLE_FEATURES_FAILED_EPERM, "the tables cannot be so now")         \
    X(OF_BAD_PROPERTY_BAD_TYPE, "unknown property")                          \
    X(OF_BAD_PROPERTY_BAD_LEN, "a property's length is wrong")               \
    X(OF_BAD_PROPERTY_BAD_VALUE, "a property's value is not supported")      \
    X(OF_BAD_PROPERTY_DUP_TYPE, "a property occurs twice")                   \
    X(OF_BAD_PROPERTY_BAD_EXPERIMENTER,                                      \
      "unknown experimenter of a property")                                  \
    X(OF_BAD_PROPERTY_BAD_EXP_TYPE, "unknown property of the experimenter")  \
    X(OF_ASYNC_CONFIG_FAILED_INVALID,                                        \
      "a bad choice of asynchronous messages")                               \
    X(OF_ASYNC_CONFIG_FAILED_UNSUPPORTED,                                    \
      "that choice of asynchronous messages is not supported")               \
    X(OF_FLOW_MONITOR_FAILED_MONITOR_EXISTS, "the monitor exists already")   \
    X(OF_FLOW_MONITOR_FAILED_INVALID_MONITOR, "bad flow monitor")            \
    X(OF_FLOW_MONITOR_FAILED_UNKNOWN_MONITOR,                                \
      "there is no such flow monitor")                                       \
    X(OF_FLOW_MONITOR_FAILED_BAD_COMMAND, "unknown flow monitor command")    \
    X(OF_FLOW_MONITOR_FAILED_BAD_FLAGS, "bad flow monitor flags")            \
    X(OF_FLOW_MONITOR_FAILED_BAD_TABLE_ID,                                   \
      "there is no such table to monitor")                                   \
    X(OF_FLOW_MONITOR_FAILED_BAD_OUT, "a flow monitor of a bad output")      \
    X(OF_BUNDLE_FAILED_BAD_ID, "there is no such bundle")                    \
    X(OF_BUNDLE_FAILED_BUNDLE_EXIST, "the bundle is open already")           \
    X(OF_BUNDLE_FAILED_BUNDLE_CLOSED, "the bundle is closed")                \
    X(OF_BUNDLE_FAILED_OUT_OF_BUNDLES, "too many bundles")                   \
    X(OF_BUNDLE_FAILED_BAD_TYPE, "unknown bundle command")                   \
    X(OF_BUNDLE_FAILED_BAD_FLAGS,                                            \
      "the bundle's flags are not those it was opened with")                 \
    X(OF_BUNDLE_FAILED_MSG_BAD_LEN, "a bundled message's length is wrong")   \
    X(OF_BUNDLE_FAILED_MSG_BAD_XID,                                          \
      "a bundled message's xid is not the outer one")                        \
    X(OF_BUNDLE_FAILED_MSG_UNSUP, "that message cannot be bundled")          \
    X(OF_BUNDLE_FAILED_MSG_CONFLICT,                                         \
      "bundled messages contradict each other")                              \
    X(OF_BUNDLE_FAILED_MSG_TOO_MANY, "too many messages in the bundle")      \
    X(OF_BUNDLE_FAILED_MSG_FAILED, "a bundled message failed")               \
    X(OF_BUNDLE_FAILED_TIMEOUT, "the bundle was open for too long")          \
    X(OF_BUNDLE_FAILED_SCHED_NOT_SUPPORTED,                                  \
      "bundles are not scheduled here")                                      \
    X(OF_RESUME_STALE, "the paused packet's state is gone")                  \
    X(OF_NX_MUST_BE_ZERO, "bits that must be zero are not")                  \
    X(OF_FLOW_MOD_FAILED_INVALID_TLV_FIELD,                                  \
      "no option of tunnels is mapped to the field")                         \
    X(OF_TLV_TABLE_BAD_COMMAND, "unknown command for the options' table")    \
    X(OF_TLV_TABLE_BAD_OPT_LEN, "an option has 4 to 124 bytes")              \
    X(OF_TLV_TABLE_BAD_FIELD_IDX, "no such field for an option")             \
    X(OF_TLV_TABLE_FULL, "the field has no room for the option")             \
    X(OF_TLV_TABLE_ALREADY_MAPPED, "the field is an option already")         \
    X(OF_TLV_TABLE_DUP_ENTRY, "the option is a field already")               \
    X(OF_TLV_TABLE_INVALID_DEL, "flow entries speak of the option")

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
