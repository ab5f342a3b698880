#include "service/dhcp_verdict.h"

static const struct {
    const char *name, *text;
} verdicts[] = {
#define X(ID, NAME, TEXT) [ID] = { NAME, TEXT },
    DHCP_VERDICTS(X)
#undef X
};

const char *
dhcp_verdict_name(enum dhcp_verdict verdict)
{
    return verdicts[verdict].name;
}

const char *
dhcp_verdict_text(enum dhcp_verdict verdict)
{
    return verdicts[verdict].text;
}
