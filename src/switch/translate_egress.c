/* The egress tables (egress.h): what becomes of a packet between the choice of
 * a port and the port. */
#include "switch/translate_ctx.h"

/* Is the packet in the egress tables because it leaves by this port?  Then an
 * output to it is done at once.  So the action set's output ends egress
 * processing, and mirrors that send to each other come to an end. */
bool
translate_is_leaving(const struct translation *t, uint32_t number)
{
    for (unsigned int i = 0; i < t->n_leaving; i++) {
        if (t->leaving[i] == number) {
            return true;
        }
    }
    return false;
}

struct leaving {
    uint32_t port, max_len;
};

static void
egress_body(struct translation *t, const void *aux)
{
    const struct leaving *leaving = aux;
    struct action_output *output;

    t->leaving[t->n_leaving++] = leaving->port;
    t->no_action_set = false;
    t->set_table = t->table;
    t->set_cookie = t->cookie;
    output = actions_add(&t->set, ACTION_OUTPUT, sizeof *output);
    output->port = leaving->port;
    output->trunc = leaving->max_len;
    translate_from_table(t, (uint8_t) t->first_egress);
    translate_end(t);
}

void
translate_egress(struct translation *t, const struct port_settings *port,
                 uint32_t max_len)
{
    struct leaving leaving = { port->number, max_len };

    if (t->n_leaving == TRANSLATE_MAX_LEAVING) {
        translate_limit(t, "egress tables output too deeply");
        return;
    }
    t->indent++;
    SAY(t, "egress processing for port %s (%s)", port->name,
        port_number_text(port->number).text);
    translate_in_clone(t, egress_body, &leaving);
    t->indent--;
}
