/* Which trials are repetitions of one another, and what tells the others apart. */
#ifndef REPORT_IDENTITY_H
#define REPORT_IDENTITY_H

#include "report/study.h"

/* Gives series of a panel that have one name but not one identity names that say in which settings they differ, from
 * trials/ID/settings.csv; where that is missing, the identity. In the arena. */
bioft_status identity_names(struct panel *p, struct arena *arena, struct error *err);

/* The value of a setting of a trial; NULL: not known. */
struct trial_settings {
    char ***field; /* rows of key and value */
    size_t count;
};
bioft_status identity_settings(const struct study_trial *t, struct arena *arena, struct trial_settings *ret,
                               struct error *err);
const char *identity_setting(const struct trial_settings *s, const char *key);

#endif
