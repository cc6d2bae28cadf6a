/* The report's files, and gnuplot to draw some of them. */
#include "cli/report_files.h"

#include "base/file.h"
#include "base/memory.h"
#include "manifest/defaults.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MAX_MANIFEST = 16 << 20 };

/* One gnuplot for all scripts, in their folder; what it says, and whether it is there, is no
 * matter. */
static void draw(const char *plots, const char *const *scripts, size_t count)
{
    posix_spawn_file_actions_t actions;
    char **words = mem_array(count + 2, sizeof *words);
    pid_t child;

    if (!words || posix_spawn_file_actions_init(&actions) != 0) {
        free(words);
        return;
    }
    words[0] = (char *)"gnuplot";
    for (size_t i = 0; i < count; i++)
        words[i + 1] = (char *)scripts[i];
    if (posix_spawn_file_actions_addchdir_np(&actions, plots) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawnp(&child, words[0], &actions, NULL, words, environ) == 0)
        waitpid(child, NULL, 0);
    posix_spawn_file_actions_destroy(&actions);
    free(words);
}

/* The rule that the first folder's manifest names as the baseline, a plain line of it; else the default. */
static const char *baseline_of(const char *folder, struct arena *arena)
{
    static const char key[] = "\nbaseline: ";
    char *path = path_join(folder, "manifest.yaml"), *found = NULL;
    const char *ret = DEFAULT_BASELINE;
    uint8_t *bytes = NULL;
    size_t size;

    if (path && file_exists(path) && file_read(path, MAX_MANIFEST, &bytes, &size, NULL) == BIOFT_OK)
        found = strstr((char *)bytes, key);
    if (found) {
        found += sizeof key - 1;
        ret = arena_text_n(arena, found, strcspn(found, "\n"));
    }
    free(bytes);
    free(path);
    return ret;
}

bioft_status report_files(const struct report_order *order, struct error *err)
{
    struct arena *arena = arena_create();
    struct report_order whole = *order;

    whole.draw = draw;
    if (arena && !whole.baseline)
        whole.baseline = baseline_of(order->folders[0], arena);
    bioft_status st = arena ? report_write(&whole, arena, err) : error_memory(err, "a report");
    arena_destroy(arena);
    return st;
}
