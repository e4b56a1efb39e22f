/* Where the fields of the structs that Python fills in lie: layouts.py is held against it when the library is loaded. */
#include <stddef.h>
#include <string.h>

#include "beam.h"
#include "dual.h"
#include "knapsack.h"
#include "route.h"

typedef struct {
    const char *name;     /* 0 after the last */
    int64_t offset, size; /* bytes */
} Place;

#define PLACE(type, name) {#name, offsetof(Owner, name), sizeof(type)},

/* The struct itself, under its own name, then its fields. */
#define TELL(Struct, FIELDS)                                                                         \
    if (!strcmp(wanted, #Struct)) {                                                                  \
        typedef Struct Owner;                                                                        \
        static const Place places[] = {{#Struct, 0, sizeof(Struct)}, FIELDS(PLACE) {0, 0, 0}};       \
        return places;                                                                               \
    }

/* The places of a struct, 0 when none has that name. */
EXPORT const Place *layout_of(const char *wanted) {
    TELL(Instance, INSTANCE)
    TELL(Ties, TIES)
    TELL(Seen, SEEN)
    TELL(Dual, DUAL)
    TELL(Knapsacks, KNAPSACKS)
    TELL(Candidate, CANDIDATE)
    TELL(Occupant, OCCUPANT)
    TELL(Plan, PLAN)
    TELL(Extension, EXTENSION)
    TELL(Beam, BEAM)
    TELL(Routing, ROUTING)
    TELL(Routes, ROUTES)
    return 0;
}
