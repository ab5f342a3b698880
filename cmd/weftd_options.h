/* weftd's command line and environment. */
#ifndef WEFT_CMD_WEFTD_OPTIONS_H
#define WEFT_CMD_WEFTD_OPTIONS_H

#include "api/port_setting.h"
#include "switch/connections.h"

struct weftd_options {
    struct switch_config sw;
    struct switch_limit *limits;  /* also sw's */
    unsigned int n_ports;
    struct port_spec *ports;
    unsigned int n_controllers, n_listeners;
    const char **controllers, **listeners;    /* methods */
    const char *tls_method;       /* one of them that needs TLS; NULL: none */
    uint32_t openflow_versions;   /* bit 1 << version; 0: all */
    struct connection_settings connections;
    struct of_tls_files tls;
    char instance[32];            /* the switch's name as the helper wants
                                     it: without capitals */
    const char *run_dir;
    const char *state_dir;
    msec tunnel_probe_interval;   /* 0: other hosts are not asked */
    uint32_t zone_connections;    /* UINT32_MAX: not given */
    unsigned int save_connections;        /* seconds; 0: at the end only */
    const char *log_level;
    char host[64];                /* what ports' `host:` calls us */
    bool is_switch_only;
    bool is_controller_only;
    const char *ovsdb;            /* controller only: the socket of Open
                                     vSwitch's database; NULL: somebody else
                                     plugs in */
    char drives[128];             /* the same: where the switch listens */
    bool has_fail_mode;           /* it was given */
    bool is_help, is_version;
};

/* `argv` outlives the options.  -EINVAL: `error` has what, why and what next. */
int weftd_options_parse(int argc, char **argv, struct weftd_options *,
                        struct str *error);
void weftd_options_fini(struct weftd_options *);
/* For --help. */
void weftd_options_describe(struct str *);

#endif
