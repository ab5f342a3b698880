#include "switch/tlv_map.h"

enum { N_TLV_FIELDS = 64, MAX_OPTION_LEN = 124 };

static bool
has_option(const struct tlv_map *map, const struct of_tlv *tlv)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(map->options); i++) {
        if (map->mapped >> i & 1 && map->options[i].class == tlv->class
            && map->options[i].type == tlv->type) {
            return true;
        }
    }
    return false;
}

static enum of_error
check_room(const struct of_tlv *tlv, struct str *why)
{
    if (!tlv->len || tlv->len % 4 || tlv->len > MAX_OPTION_LEN) {
        str_setf(why, "an option of %u bytes", tlv->len);
        return OF_TLV_TABLE_BAD_OPT_LEN;
    }
    if (tlv->index >= N_TLV_FIELDS) {
        str_setf(why, "there is no tun_metadata%u", tlv->index);
        return OF_TLV_TABLE_BAD_FIELD_IDX;
    }
    if (tlv->index >= ARRAY_SIZE(((struct tlv_map *) 0)->options)
        || tlv->len * 8u
               > field_by_id(FIELD_TUN_METADATA0 + tlv->index)->n_bits) {
        str_setf(why, "tun_metadata%u has no room for %u bytes", tlv->index,
                 tlv->len);
        return OF_TLV_TABLE_FULL;
    }
    return OF_OK;
}

static enum of_error
add(struct tlv_map *map, const struct of_tlv *tlv, struct str *why)
{
    enum of_error error = check_room(tlv, why);

    if (error) {
        return error;
    }
    if (map->mapped >> tlv->index & 1) {
        str_setf(why, "tun_metadata%u is an option already", tlv->index);
        return OF_TLV_TABLE_ALREADY_MAPPED;
    }
    if (has_option(map, tlv)) {
        str_setf(why, "the option 0x%x,0x%x is a field already", tlv->class,
                 tlv->type);
        return OF_TLV_TABLE_DUP_ENTRY;
    }
    map->options[tlv->index] = *tlv;
    map->mapped |= UINT32_C(1) << tlv->index;
    return OF_OK;
}

static enum of_error
take_away(struct tlv_map *map, uint32_t fields, uint32_t used,
          struct str *why)
{
    if (map->mapped & fields & used) {
        str_setf(why, "flow entries speak of the field");
        return OF_TLV_TABLE_INVALID_DEL;
    }
    map->mapped &= ~fields;
    return OF_OK;
}

/* Of one that is not mapped, nothing needs to be taken away. */
static uint32_t
field_of(const struct of_tlv *tlv)
{
    return tlv->index < 32 ? UINT32_C(1) << tlv->index : 0;
}

enum of_error
tlv_map_mod(struct tlv_map *map, const struct of_tlv_table *mod,
            uint32_t used, struct str *why)
{
    struct tlv_map next = *map;
    enum of_error error = OF_OK;

    if (mod->command > TLV_CLEAR) {
        str_setf(why, "command %u", mod->command);
        return OF_TLV_TABLE_BAD_COMMAND;
    }
    if (mod->command == TLV_CLEAR) {
        error = take_away(&next, UINT32_MAX, used, why);
    }
    for (unsigned int i = 0; !error && i < mod->n; i++) {
        const struct of_tlv *tlv = &mod->entries[i];

        if (mod->command == TLV_ADD) {
            error = add(&next, tlv, why);
        } else if (mod->command == TLV_DELETE) {
            error = take_away(&next, field_of(tlv), used, why);
        }
    }
    if (!error) {
        *map = next;
    }
    return error;
}

void
tlv_map_read(const struct tlv_map *map, struct of_tlv_table *table)
{
    memset(table, 0, sizeof *table);
    table->max_space = sizeof(((struct flow_key_fields *) 0)->tun_metadata);
    table->max_fields = ARRAY_SIZE(map->options);
    for (unsigned int i = 0; i < ARRAY_SIZE(map->options); i++) {
        if (map->mapped >> i & 1) {
            table->entries[table->n++] = map->options[i];
        }
    }
}

void
tlv_map_options(const struct tlv_map *map, struct tunnel_option_map *options)
{
    memset(options, 0, sizeof *options);
    options->mapped = map->mapped;
    for (uint32_t left = map->mapped; left; left &= left - 1) {
        unsigned int n = (unsigned int) __builtin_ctz(left);
        const struct field *field = field_by_id(FIELD_TUN_METADATA0 + n);
        const struct of_tlv *tlv = &map->options[n];
        size_t end = field->ofs
                     - offsetof(struct flow_key_fields, tun_metadata)
                     + field->n_bytes;

        options->options[n] = (struct tunnel_option) {
            .class = tlv->class, .type = tlv->type, .len = tlv->len,
            .ofs = (uint16_t) (end - tlv->len),
        };
    }
}

enum of_error
tlv_map_check(const struct tlv_map *map, uint32_t fields, struct str *why)
{
    uint32_t unknown = fields & ~map->mapped;

    if (unknown) {
        str_setf(why, "tun_metadata%d is no option of tunnels here",
                 __builtin_ctz(unknown));
        return OF_FLOW_MOD_FAILED_INVALID_TLV_FIELD;
    }
    return OF_OK;
}
