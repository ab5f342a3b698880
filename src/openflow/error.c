#include "openflow/error.h"

#include <stddef.h>

static const struct {
    const char *name, *text;
} errors[N_OF_ERRORS] = {
#define X(ID, TEXT) [ID] = { #ID, TEXT },
    OF_ERRORS(X)
#undef X
};

const char *
of_error_text(enum of_error error)
{
    return (unsigned int) error < N_OF_ERRORS ? errors[error].text
                                              : "unknown error";
}

const char *
of_error_name(enum of_error error)
{
    return (unsigned int) error < N_OF_ERRORS ? errors[error].name
                                              : "OF_UNKNOWN";
}
