#include "service/dns_event.h"

static const struct {
    const char *name, *text;
} events[] = {
#define X(ID, NAME, TEXT) [ID] = { NAME, TEXT },
    DNS_EVENTS(X)
#undef X
};

const char *
dns_event_name(enum dns_event event)
{
    return events[event].name;
}

const char *
dns_event_text(enum dns_event event)
{
    return events[event].text;
}
