#include "packet/address.h"
#include "switch/translate_ctx.h"

/* Where only the IPv4 address was written, the rest may be another's. */
static void
map_address(struct ip6_addr *address)
{
    be32 ip4 = get_be32(&address->b[12]);

    *address = ip4 ? ip6_of_ip4(ip4) : (struct ip6_addr) { { 0 } };
}

static void
say(struct translation *t, const struct tunnel_key *key)
{
    struct str text = STR_INIT;

    if (UNLIKELY(t->opt->trace != NULL)) {
        tunnel_key_format(key, &text);
        SAY(t, "tunnel: %s", str_text(&text));
        str_fini(&text);
    }
}

void
translate_tunnel(struct translation *t)
{
    const struct tunnel_option_map *map
        = t->env->dp ? datapath_tunnel_options(t->env->dp) : NULL;
    struct dp_action_set_tunnel *set;
    struct flow_key_fields fields;
    struct tunnel_key key;
    uint32_t present = flow_view_tunnel(&t->view, &t->looks, map, &fields);

    if (fields.tun_family == 4) {
        map_address(&fields.tun_src);
        map_address(&fields.tun_dst);
    }
    tunnel_key_from_fields(&fields, map, present, &key);
    say(t, &key);
    set = translate_emit(t, DP_ACTION_SET_TUNNEL,
                         offsetof(struct dp_action_set_tunnel, key)
                         + tunnel_key_len(&key));
    tunnel_key_copy(&set->key, &key);
}
