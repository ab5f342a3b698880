/* Request bodies: from bytes to a struct, or to an error that says where.
 *
 * A body is one JSON object whose members are known by name; an unknown one is
 * an error, with the nearest name.  These functions need neither a socket nor a
 * switch: tests/fuzz feeds them. */
#ifndef WEFT_API_BODY_H
#define WEFT_API_BODY_H

#include "api/request.h"

/* Strings and lists point into `root`. */

/* POST /v1/ports: {"port": "web=tap:web0,netns=web,tag=10", "number": 3} */
struct port_add_body {
    json_t *root;
    const char *port;
    uint32_t number;              /* 0: the lowest free */
};

/* PATCH /v1/ports/NAME: {"tag": 10, "protected": true, ...}; the members are
 * port_setting.h's. */
struct port_set_body {
    json_t *root;
};

/* POST /v1/flows, /v1/groups, /v1/meters: {"command": "add", "flows": [...]}.
 * The name of the list is the noun's. */
struct change_body {
    json_t *root;
    const char *command;          /* default "add" */
    json_t *list;                 /* of strings */
};

/* POST /v1/trace: {"port": "web", "packet": "tcp,...", "learn": false} */
struct trace_body {
    json_t *root;
    const char *port;
    const char *packet;
    bool learn;
};

/* PATCH /v1/controllers: {"controllers": ["tcp:192.0.2.1"], "fail_mode":
 * "secure", "probe_interval": 5, ...}; what is left out stays as the caller put
 * it here. */
struct controllers_body {
    json_t *root;
    json_t *controllers;          /* of strings; NULL: not given */
    const char *fail_mode;        /* NULL: not given */
    uint32_t probe_interval, auxiliary, packet_ins_per_second;
};

/* PUT /v1/intents: {"file": "cloud.yaml", "text": "version: 1\n...",
 * "confirm": 60, "dry_run": false} */
struct intents_body {
    json_t *root;
    const char *file;             /* what errors call it */
    const char *text;
    uint32_t confirm;             /* seconds; 0: for good */
    bool dry_run;
};

/* PUT, PATCH /v1/intent/KIND/NAME: {"members": {...}, ...} */
struct object_body {
    json_t *root;
    json_t *members;
    uint32_t confirm;
    bool dry_run;
};

/* False: `reply` is the refusal and there is nothing to free. */
bool port_add_body_parse(const struct api_request *, struct port_add_body *,
                         struct api_reply *);
bool port_set_body_parse(const struct api_request *, struct port_set_body *,
                         struct api_reply *);
bool change_body_parse(const struct api_request *, const char *noun,
                       struct change_body *, struct api_reply *);
bool trace_body_parse(const struct api_request *, struct trace_body *,
                      struct api_reply *);
bool controllers_body_parse(const struct api_request *,
                            struct controllers_body *, struct api_reply *);
bool intents_body_parse(const struct api_request *, struct intents_body *,
                        struct api_reply *);
bool object_body_parse(const struct api_request *, struct object_body *,
                       struct api_reply *);

#endif
