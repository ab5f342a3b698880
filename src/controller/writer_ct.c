#include "controller/writer_ct.h"

#include "packet/address.h"

uint32_t
writer_begin_ct(struct writer *w, uint16_t zone, uint8_t table,
                enum writer_ct what)
{
    uint32_t mark = w->actions.len;
    struct action_ct *ct = actions_add(&w->actions, ACTION_CT, sizeof *ct);

    ct->zone = zone;
    ct->table = table;
    ct->commit = what == CT_COMMIT;
    return mark;
}

uint32_t
writer_begin_ct_again(struct writer *w, uint8_t table, enum writer_ct what)
{
    uint32_t mark = writer_begin_ct(w, 0, table, what);
    struct action_ct *ct = (struct action_ct *) (w->actions.data + mark);

    ct->zone_src = (struct subfield) { FIELD_CT_ZONE, 0, 16 };
    return mark;
}

void
writer_end_ct(struct writer *w, uint32_t mark)
{
    actions_end(&w->actions, mark);
}

void
writer_nat_again(struct writer *w)
{
    actions_add(&w->actions, ACTION_NAT, sizeof(struct action_nat));
}

void
writer_nat(struct writer *w, enum nat_flags flags,
           const struct ip6_addr *address, const struct port_range *ports)
{
    struct action_nat *nat = actions_add(&w->actions, ACTION_NAT,
                                         sizeof *nat);

    nat->flags = (uint16_t) flags;
    if (ip6_is_mapped4(address)) {
        nat->family = 4;
        memcpy(nat->addr_min.b, &address->b[12], sizeof(be32));
    } else {
        nat->family = 6;
        nat->addr_min = *address;
    }
    nat->addr_max = nat->addr_min;
    if (ports && ports->first) {
        nat->has_ports = true;
        nat->port_min = ports->first;
        nat->port_max = ports->last;
    }
}

void
writer_ct_clear(struct writer *w)
{
    actions_add(&w->actions, ACTION_CT_CLEAR, sizeof(struct action_plain));
}
