/* Every command's function, by file; commands.c puts them in one table. */
#ifndef WEFT_CLI_COMMANDS_H
#define WEFT_CLI_COMMANDS_H

#include "cli/cli.h"

typedef enum cli_status cli_run(struct cli *, const struct cli_args *);

cli_run doctor_command, status_command, switch_show, metrics_command;
cli_run port_list, port_show, port_add, port_set, port_delete;
cli_run flow_list, flow_add, flow_modify, flow_delete;
cli_run group_list, group_add, group_modify, group_delete;
cli_run meter_list, meter_add, meter_modify, meter_delete;
cli_run lease_list, multicast_list, tunnel_list;
cli_run controller_show, controller_list, controller_set, controller_delete;
cli_run openflow_snoop;
cli_run validate_command;
cli_run apply_command, plan_command, confirm_command, rollback_command;
cli_run explain_command, export_command, edit_command;
cli_run host_certificate;
cli_run object_list, object_show, object_create, object_change;
cli_run object_delete;
cli_run forward_add;
cli_run security_group_list, security_group_show, security_group_add_rule;
cli_run security_group_remove_rule;
cli_run fdb_list, fdb_flush;
cli_run connection_list, connection_count, connection_flush;
cli_run cache_list, drops_command, trace_command, capture_command;
cli_run version_command, help_command_run, complete_command_run;

struct noun;

/* Of a command that makes or changes an intent: the noun, whose members are
 * options, too.  NULL for others. */
const struct noun *intent_of_command(const struct cli_command *);

struct answer;

/* Of the object of the command's noun: asks for it; changes its members, which
 * it takes over. */
enum cli_status object_ask(struct cli *, const char *name, struct answer *);
enum cli_status object_patch(struct cli *, const char *name, json_t *members,
                             bool is_dry);

#endif
