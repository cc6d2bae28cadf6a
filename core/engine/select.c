/* Asking engines how well they run here. */
#include "engine/select.h"

#include "base/text.h"
#include <stdio.h>
#include <string.h>

enum { WHY = 192 };

static int32_t score(const struct plugin *p, char why[WHY])
{
    int32_t ret;
    why[0] = '\0';
    ret = p->api.engine.score ? p->api.engine.score(why, WHY) : 0;
    why[WHY - 1] = '\0';
    return ret;
}

/* An engine that would be better than the chosen one here if something were not missing: its reason says what. */
struct wish {
    const char *name;
    int32_t score;
    char why[WHY];
};

static void keep_wish(struct wish *w, const char *name, int32_t points, const char why[WHY])
{
    if (points >= 0 || points == INT32_MIN || -points <= w->score)
        return;
    w->name = name;
    w->score = -points;
    memcpy(w->why, why, WHY);
}

/* Engines by name. */
struct candidates {
    struct registry *registry;
    char **names;
    size_t count;
    const struct log *log;
    struct text refused; /* why the others do not run */
};
/* The highest score, the first by name of equal ones. */
static bioft_status highest(struct candidates *c, const struct plugin **ret, char best_why[WHY], int32_t *ret_score,
                            struct error *err)
{
    const struct log *log = c->log;
    struct wish wish = { 0 };

    *ret = NULL;
    *ret_score = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct plugin *p;
        struct error problem = { 0 };
        char why[WHY];
        int32_t points;

        if (registry_find(c->registry, BIOFT_KIND_ENGINE, c->names[i], &p, &problem) != BIOFT_OK) {
            log_write(log, LOG_WARNING, "%s", problem.text);
            text_printf(&c->refused, "\n  %s: %s", c->names[i], problem.text);
            continue;
        }
        points = score(p, why);
        log_write(log, LOG_DETAIL, "engine '%s': score %d: %s", c->names[i], (int)points, why);
        if (points <= 0)
            text_printf(&c->refused, "\n  %s: %s", c->names[i], why);
        keep_wish(&wish, c->names[i], points, why);
        if (points <= *ret_score)
            continue;
        *ret = p;
        *ret_score = points;
        memcpy(best_why, why, WHY);
    }
    if (!*ret)
        return error_set(err, BIOFT_ERR_UNSUPPORTED, "no compute engine runs on this machine%s%s",
                         c->count == 0 ? ": none was found" : "", c->refused.data ? c->refused.data : "");
    if (wish.score > *ret_score)
        log_write(log, LOG_INFO, "engine '%s' would be faster here: %s", wish.name, wish.why);
    return BIOFT_OK;
}

/* Engines that this build lacks may be faster: said, since everything works without them. */
static void say_absent(struct registry *r, const struct log *log)
{
    struct registry_absence *absent = NULL;
    struct error ignored = { 0 };
    size_t count = 0;

    if (registry_absences(r, BIOFT_KIND_ENGINE, &absent, &count, &ignored) != BIOFT_OK)
        return;
    for (size_t i = 0; i < count; i++)
        log_write(log, LOG_WARNING, "no engine '%s' here: %s", absent[i].name, absent[i].why);
    registry_absences_free(absent, count);
}

/* Options say what score() cannot know, as where a library stands: then the instance says whether it runs. */
static bool has_options(const struct plugin *p, const struct option_value *values)
{
    for (uint32_t i = 0; values && i < p->descriptor.option_count; i++)
        if (values[i].given)
            return true;
    return false;
}

bioft_status engine_select(struct registry *r, const struct plugin *named, const struct option_value *values,
                           const struct log *log, const struct plugin **ret, char *why, size_t size, struct error *err)
{
    struct candidates c = { .registry = r, .log = log };
    char reason[WHY];
    int32_t points;

    if (named) {
        if (score(named, reason) <= 0 && !has_options(named, values))
            return error_set(err, BIOFT_ERR_UNSUPPORTED, "engine '%s' cannot run on this machine: %s",
                             named->descriptor.name, reason);
        snprintf(why, size, "named; %s", reason);
        *ret = named;
        return BIOFT_OK;
    }
    bioft_status st = registry_names(r, BIOFT_KIND_ENGINE, &c.names, &c.count, err);
    if (st != BIOFT_OK)
        return st;
    st = highest(&c, ret, reason, &points, err);
    if (st == BIOFT_OK)
        say_absent(r, log);
    if (st == BIOFT_OK)
        snprintf(why, size, "score %d, the highest of %zu found; %s", (int)points, c.count, reason);
    registry_names_free(c.names, c.count);
    text_free(&c.refused);
    return st;
}
