/* /v1/drops: how many packets were dropped, by reason. */

#include "api/routes.h"

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
    api_list_end(reply);
}
