#include "api/request.h"

#include <stdlib.h>

const char *
api_request_param(const struct api_request *request, const char *name)
{
    for (unsigned int i = 0; i < request->n_params; i++) {
        if (!strcmp(request->params[i].name, name)) {
            return request->params[i].value;
        }
    }
    return NULL;
}

bool
api_request_number(const struct api_request *request, const char *name,
                   uint64_t max, uint64_t *value, struct api_reply *reply)
{
    const char *text = api_request_param(request, name);
    unsigned long long number;
    char *end;

    if (!text) {
        return true;
    }
    errno = 0;
    number = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number > max) {
        api_fail(reply, API_BAD_REQUEST, name, NULL,
                 "'%s' is not a number up to %llu", text,
                 (unsigned long long) max);
        return false;
    }
    *value = number;
    return true;
}

bool
api_request_bool(const struct api_request *request, const char *name,
                 bool *value, struct api_reply *reply)
{
    const char *text = api_request_param(request, name);

    if (!text) {
        return true;
    }
    if (!strcmp(text, "yes") || !strcmp(text, "true") || !strcmp(text, "1")) {
        *value = true;
    } else if (!strcmp(text, "no") || !strcmp(text, "false")
               || !strcmp(text, "0")) {
        *value = false;
    } else {
        api_fail(reply, API_BAD_REQUEST, name, NULL,
                 "'%s' is neither yes nor no", text);
        return false;
    }
    return true;
}
