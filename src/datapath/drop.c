#include "datapath/drop.h"

static const struct {
    const char *name, *text;
} reasons[] = {
#define X(ID, NAME, TEXT) [ID] = { NAME, TEXT },
    DROP_REASONS(X)
#undef X
};

const char *
drop_reason_name(enum drop_reason reason)
{
    return (unsigned int) reason < N_DROP_REASONS ? reasons[reason].name
                                                  : "unknown";
}

const char *
drop_reason_text(enum drop_reason reason)
{
    return (unsigned int) reason < N_DROP_REASONS ? reasons[reason].text
                                                  : "unknown";
}
