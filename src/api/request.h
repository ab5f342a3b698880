/* One request, as handlers see it.
 *
 * The texts are borrowed from whoever received the request and outlive it. */
#ifndef WEFT_API_REQUEST_H
#define WEFT_API_REQUEST_H

#include <jansson.h>

#include "api/reply.h"

enum {
    API_MAX_PARAMS = 8,
    API_MAX_NAME = 128,
};

struct api_request {
    const char *method;
    const char *path;             /* decoded, without the query */
    unsigned int n_params;
    struct api_param {
        const char *name;
        const char *value;
    } params[API_MAX_PARAMS];
    const char *body;             /* NULL: none */
    size_t body_len;

    /* Set by api_dispatch(): the path's variable part, or "". */
    char name[API_MAX_NAME];
};

/* The value, or NULL. */
const char *api_request_param(const struct api_request *, const char *name);
/* The same as a number of at most `max`.  Returns true and leaves `*value` alone
 * when it was not given; false with `reply` failed when it is not one. */
bool api_request_number(const struct api_request *, const char *name,
                        uint64_t max, uint64_t *value, struct api_reply *);
/* The same for yes/no, true/false, 1/0. */
bool api_request_bool(const struct api_request *, const char *name,
                      bool *value, struct api_reply *);

#endif
