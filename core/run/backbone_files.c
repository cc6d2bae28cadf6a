/* Files that a backbone reads. */
#include "run/backbone_files.h"

#include "base/file.h"

const char *backbone_file_next(const struct trial *t, uint32_t *at, const char **ret_path)
{
    const bioft_plugin *d = &t->backbone.plugin->descriptor;

    while (t->backbone.values && *at < d->option_count) {
        const uint32_t i = (*at)++;
        const char *path = t->backbone.values[i].text;
        if (d->options[i].type != BIOFT_PATH || !path || file_is_folder(path))
            continue;
        *ret_path = path;
        return d->options[i].name;
    }
    return NULL;
}
