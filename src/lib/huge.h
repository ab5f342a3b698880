/* Large tables that are read at random: zeroed memory, touched when it is used, on
 * huge pages where the kernel gives them for the asking.  With small pages most
 * such reads pay for the page tables, too, and in a virtual machine twice.
 *
 * Both abort instead of failing, as xmalloc() does. */
#ifndef WEFT_LIB_HUGE_H
#define WEFT_LIB_HUGE_H

#include <stddef.h>

enum { HUGE_PAGE = 2 << 20 };

/* Aligned to a page of that size if it is as large. */
void *huge_zalloc(size_t size);
/* Accepts NULL. */
void huge_free(void *, size_t size);

#endif
