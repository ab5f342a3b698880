#include "cli/commands.h"

static const struct cli_command commands[] = {
    { "status", NULL, status_command, 0, 0, "",
      "whether the daemon runs well", {} },
    { "switch", "show", switch_show, 0, 0, "",
      "the switch, its tables and its cache", {} },

    { "port", "list", port_list, 0, 0, "", "all ports", {} },
    { "port", "show", port_show, 1, 1, "PORT",
      "everything about one port", {} },
    { "port", "add", port_add, 1, 1,
      "[NUMBER=][NAME=]TYPE[:DEVICE][,KEY=VALUE...]", "plug a port in",
      { { "--number", "N", "its OpenFlow number" } } },
    { "port", "set", port_set, 2, -1, "PORT KEY=VALUE...",
      "change VLANs and flags, like tag=10", {} },
    { "port", "delete", port_delete, 1, -1, "PORT...", "unplug ports", {} },

    { "flow", "list", flow_list, 0, 1, "[MATCH]", "flow entries",
      { { "--table", "N", "only of this table" },
        { "--text", NULL, "as 'flow add' reads them" } } },
    { "flow", "add", flow_add, 0, -1, "FLOW...",
      "add flow entries, all or none",
      { { "--file", "FILE", "one entry a line; - is standard input" } } },
    { "flow", "modify", flow_modify, 0, -1, "FLOW...",
      "change the actions of entries",
      { { "--file", "FILE", "one entry a line; - is standard input" },
        { "--strict", NULL, "only with this very match and priority" } } },
    { "flow", "delete", flow_delete, 0, 1, "MATCH", "delete flow entries",
      { { "--strict", NULL, "only with this very match and priority" },
        { "--all", NULL, "every entry" } } },

    { "group", "list", group_list, 0, 0, "", "OpenFlow groups", {} },
    { "group", "add", group_add, 1, -1, "GROUP...", "add groups", {} },
    { "group", "modify", group_modify, 1, -1, "GROUP...",
      "replace groups' buckets", {} },
    { "group", "delete", group_delete, 0, 1, "ID", "delete a group",
      { { "--all", NULL, "every group" } } },

    { "meter", "list", meter_list, 0, 0, "", "meters", {} },
    { "meter", "add", meter_add, 1, -1, "METER...", "add meters", {} },
    { "meter", "modify", meter_modify, 1, -1, "METER...",
      "replace meters' bands", {} },
    { "meter", "delete", meter_delete, 0, 1, "ID", "delete a meter",
      { { "--all", NULL, "every meter" } } },

    { "fdb", "list", fdb_list, 0, 0, "", "stations that NORMAL learned",
      { { "--port", "PORT", "only behind this port" },
        { "--vlan", "VID", "only of this VLAN" } } },
    { "fdb", "flush", fdb_flush, 0, 0, "", "forget learned stations",
      { { "--port", "PORT", "only behind this port" },
        { "--vlan", "VID", "only of this VLAN" } } },

    { "cache", "list", cache_list, 0, 0, "",
      "the cache entries that packets meet",
      { { "--port", "PORT", "only of packets from this port" },
        { "--limit", "N", "at most so many (10000)" } } },
    { "drops", NULL, drops_command, 0, 1, "[PORT]",
      "dropped packets, by reason",
      { { "--all", NULL, "reasons that did not occur, too" } } },
    { "trace", NULL, trace_command, 1, 2, "PORT [PACKET]",
      "what would become of a packet, and why",
      { { "--learn", NULL, "learn its source address, too" } } },
    { "capture", NULL, capture_command, 1, -1, "PORT [FILTER]",
      "what a port receives and sends; FILTER as in pcap-filter(7)",
      { { "-w", "FILE", "write pcap; - is standard output" },
        { "-c", "N", "end after N frames" },
        { "--rx", NULL, "only what it receives" },
        { "--tx", NULL, "only what it sends" } } },
    { "metrics", NULL, metrics_command, 0, 0, "",
      "all counters, as Prometheus reads them", {} },
    { "version", NULL, version_command, 0, 0, "", "which Weft this is", {} },
    { "help", NULL, help_command_run, 0, 2, "[NOUN [VERB]]",
      "this list, or more about one command", {} },
    { 0 },
};

const struct cli_command *
cli_commands(void)
{
    return commands;
}
