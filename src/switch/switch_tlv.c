/* Options of tunnels: which fields they are, and who speaks of those. */
#include "openflow/tun_options.h"
#include "switch/switch_impl.h"

enum of_error
switch_check_options(const struct switch_ *sw, const struct flow_mod *mod,
                     struct str *why)
{
    uint32_t fields = match_tun_options(&mod->match)
                      | action_list_tun_options(mod->instructions.apply)
                      | action_list_tun_options(mod->instructions.write);

    return tlv_map_check(&sw->tlv_map, fields, why);
}

enum of_error
switch_check_bucket_options(const struct switch_ *sw,
                            const struct group_mod *mod, struct str *why)
{
    uint32_t fields = 0;

    for (unsigned int i = 0; i < mod->n_buckets; i++) {
        fields |= action_list_tun_options(
            actions_list(&mod->buckets[i].actions));
    }
    return tlv_map_check(&sw->tlv_map, fields, why);
}

static bool
note_entry(void *fields, const struct flow_entry *entry)
{
    struct match match;

    flow_entry_match(entry, &match);
    *(uint32_t *) fields
        |= match_tun_options(&match)
           | action_list_tun_options(entry->instructions.apply)
           | action_list_tun_options(entry->instructions.write);
    return true;
}

static bool
note_group(void *fields, const struct group *group)
{
    for (unsigned int i = 0; i < group->n_buckets; i++) {
        *(uint32_t *) fields
            |= action_list_tun_options(group->buckets[i].actions);
    }
    return true;
}

enum of_error
switch_tlv_mod(struct switch_ *sw, const struct of_tlv_table *mod,
               struct str *why)
{
    struct tunnel_option_map options;
    enum of_error error;
    uint32_t used = 0;

    if (mod->command != TLV_ADD) {
        switch_barrier(sw);
        tables_visit(sw->tables, OFPTT_ALL, NULL, note_entry, &used);
        tables_visit_groups(sw->tables, note_group, &used);
    }
    error = tlv_map_mod(&sw->tlv_map, mod, used, why);
    if (!error) {
        tlv_map_options(&sw->tlv_map, &options);
        pipeline_new_epoch(&sw->pipeline);
        datapath_set_tunnel_options(sw->dp, &options);
    }
    return error;
}

const struct tlv_map *
switch_tlv_map(const struct switch_ *sw)
{
    return &sw->tlv_map;
}
