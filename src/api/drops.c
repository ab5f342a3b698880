/* /v1/drops: how many packets were dropped, by reason. */

#include "api/routes.h"
#include "api/security.h"

/* What a flow entry of security groups dropped: part of drop-action, by who was
 * to hear it, or wanted to send it. */
static void
add_security(struct api *api, const struct switch_port *sp,
             struct api_reply *reply)
{
    static const struct {
        const char *name, *text;
        bool is_in;
    } rows[] = {
        { "security-group-in", "of drop-action: no rule of the port's "
          "security groups lets it in", true },
        { "security-group-out", "of drop-action: no rule of the port's "
          "security groups lets it out", false },
    };
    struct security_counts counts;

    security_counts_read(api, &counts);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t n = 0;

        for (unsigned int k = 0; k < counts.n; k++) {
            const struct security_count *c = &counts.list[k];

            n += !c->rule && !c->is_audit && c->is_in == rows[i].is_in
                 && (!sp || c->port == sp->number) ? c->packets : 0;
        }
        api_list_add(reply, json_pack("{s:s, s:I, s:s}", "reason",
                                      rows[i].name, "packets",
                                      (json_int_t) n, "text", rows[i].text));
    }
    security_counts_fini(&counts);
}

void
drops_show(struct api *api, struct api_request *request, msec now UNUSED,
           struct api_reply *reply)
{
    const char *name = api_request_param(request, "port");
    uint64_t drops[N_DROP_REASONS] = { 0 };
    const struct switch_port *sp = NULL;

    if (name) {
        sp = api_find_port(api, name, "port", reply);
        if (!sp) {
            return;
        }
    }
    datapath_read_drops(switch_datapath(api->sw), sp ? sp->port : NULL,
                        drops);
    api_list_begin(reply, "drops");
    for (unsigned int i = 0; i < N_DROP_REASONS; i++) {
        api_list_add(reply, json_pack("{s:s, s:I, s:s}",
                                      "reason", drop_reason_name(i),
                                      "packets", (json_int_t) drops[i],
                                      "text", drop_reason_text(i)));
    }
    if (api->controller) {
        add_security(api, sp, reply);
    }
    api_list_end(reply);
}
