#include "lib/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

struct hash_key
hash_key_random(void)
{
    struct hash_key key;

    if (getrandom(&key, sizeof key, 0) != sizeof key) {
        fputs("weft: the kernel gives no random numbers\n", stderr);
        abort();
    }
    return key;
}
