/* The test programs' working directory. */
#include "workspace.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char workspace[4096];

void workspace_write(const char *path, const char *text)
{
    assert_int_equal(file_write(path, text, strlen(text), NULL), BIOFT_OK);
}

int workspace_open(void **state)
{
    const char *temporary = getenv("TMPDIR");
    char path[1024];

    (void)state;
    snprintf(path, sizeof path, "%s/bioft-manifest-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(path) || !realpath(path, workspace) || chdir(workspace) != 0)
        return 1;
    workspace_write("weights.pth", "weights");
    workspace_write("list.txt", "list");
    return mkdir("data", 0777) || mkdir("sub", 0777);
}

int workspace_close(void **state)
{
    char command[5000];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", workspace);
    return chdir("/") || system(command);
}

bioft_status workspace_read(const char *manifest, const char *const *sets, struct experiment **ret, char **ret_text)
{
    struct experiment_params p = { .path = "m.yaml", .set = sets, .threads = 2 };
    struct error err = { 0 };
    bioft_status st;

    while (sets && sets[p.set_count])
        p.set_count++;
    workspace_write("m.yaml", manifest);
    st = experiment_read(&p, ret, ret_text, &err);
    if (!*ret_text)
        *ret_text = strdup(err.text);
    return st;
}

struct experiment *workspace_good(const char *manifest, const char *const *sets)
{
    struct experiment *e = NULL;
    char *text;

    if (workspace_read(manifest, sets, &e, &text) != BIOFT_OK)
        fail_msg("%s", text);
    assert_string_equal(text, "");
    free(text);
    return e;
}
