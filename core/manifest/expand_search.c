/* `search` beside `sweep`: what may be chosen on the validation split. */
#include "manifest/expand.h"

#include <string.h>

/* Is one path the other, or does it lead through it? */
static bool overlap(const char *a, const char *b)
{
    const size_t n = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    return strncmp(a, b, n) == 0 && strchr(".", a[n]) && strchr(".", b[n]);
}

/* A key of a stage or of the model, and not of its data: all candidates are measured on the same images. */
static bool may_be_searched(const char *path)
{
    const size_t length = strlen(path);

    if (strncmp(path, "stages.", 7) != 0 && strncmp(path, "model.", 6) != 0)
        return false;
    return !strstr(path, ".dataset.") && (length < 8 || strcmp(path + length - 8, ".dataset") != 0);
}

void search_check(const struct sweep *search, const struct sweep *sweep, struct diagnostics *d)
{
    for (size_t i = 0; i < search->count; i++) {
        const struct path *p = &search->paths[i];
        if (!may_be_searched(p->text))
            diagnose_error(d, p->mark, strlen(p->text),
                           "'%s': a search chooses keys of 'model' and of stages, but for their "
                           "'dataset': all candidates are compared on the same images",
                           p->text);
        for (size_t k = 0; k < sweep->count; k++)
            if (overlap(p->text, sweep->paths[k].text))
                diagnose_error(d, p->mark, strlen(p->text), "'%s': the sweep has '%s'", p->text, sweep->paths[k].text);
    }
    if (search->trials > SWEEP_TRIALS / sweep->trials)
        diagnose_error(d, search->mark, 0, "the search makes more than %d candidates of all trials", (int)SWEEP_TRIALS);
}
