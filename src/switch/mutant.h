/* Faults on purpose.
 *
 * The property test of cache against tables is only worth something if it finds
 * faults: meson builds it again with WEFT_MUTANT set to each row and expects it
 * to fail.  In the product WEFT_MUTANT is 0 and nothing of this is compiled. */
#ifndef WEFT_SWITCH_MUTANT_H
#define WEFT_SWITCH_MUTANT_H

#ifndef WEFT_MUTANT
#define WEFT_MUTANT 0
#endif

enum mutant {
    MUTANT_NONE,
    MUTANT_FORGOTTEN_FIELD,       /* an accessor forgets nw_dst's wildcard */
    MUTANT_PARTLY_SET_IS_KNOWN,   /* a masked set_field counts as a whole one */
    MUTANT_TTL_NOT_DERIVED,       /* a decremented TTL is taken as known */
    MUTANT_PREREQ_NOT_LOOKED_AT,  /* "is it TCP?" leaves no mark */
    MUTANT_LOOKUP_NOT_LOOKED_AT,  /* later tables' lookups leave no mark */
    MUTANT_STALE_VERSION,         /* answers pretend to be newer than they are */
    MUTANT_POP_KEEPS_INNER,       /* what a pop uncovers leaves no mark */
};

#define MUTANT(NAME) (WEFT_MUTANT == MUTANT_##NAME)

#endif
