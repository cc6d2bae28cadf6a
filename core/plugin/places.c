/* Collects the places where plugins are looked for: what the user names first, then what is known by itself. */
#include "plugin/places.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *place_source_word(enum place_source source)
{
    static const char *const words[] = {
        [PLACE_COMMAND_LINE] = "--plugin-path",     [PLACE_MANIFEST] = "the manifest's plugins",
        [PLACE_ENVIRONMENT] = "BIOFT_PLUGIN_PATH",  [PLACE_BUILD] = "the build tree",
        [PLACE_INSTALLED] = "the installed folder", [PLACE_USER] = "the user's folder",
    };
    return words[source];
}

bool place_is_explicit(const struct place *place) { return place->source <= PLACE_ENVIRONMENT; }

/* Takes `path` over; NULL: out of memory. A place that is there already, by whatever path, stays where it is. */
static bioft_status add(struct places *places, char *path, enum place_source source, struct error *err)
{
    struct place place = { .path = path, .source = source };
    struct stat own, other;
    if (!path)
        return error_memory(err, "the places of plugins");
    place.exists = stat(path, &own) == 0 && (S_ISDIR(own.st_mode) || S_ISREG(own.st_mode));
    place.is_file = place.exists && S_ISREG(own.st_mode);
    if (!place.exists && place_is_explicit(&place)) {
        error_set(err, BIOFT_ERR_INVALID, "%s: %s: no such file or folder", place_source_word(source), path);
        free(path);
        return BIOFT_ERR_INVALID;
    }
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->items[i].path, path) == 0 || (place.exists && stat(places->items[i].path, &other) == 0 &&
                                                         own.st_dev == other.st_dev && own.st_ino == other.st_ino)) {
            places->items[i].named_too = places->items[i].named_too || source != PLACE_MANIFEST;
            free(path);
            return BIOFT_OK;
        }
    if (!mem_grow(&places->items, &places->capacity, places->count + 1, sizeof place)) {
        free(path);
        return error_memory(err, "the places of plugins");
    }
    places->items[places->count++] = place;
    return BIOFT_OK;
}

/* Each FOLDER/NAME.so as a place of its own. */
static bioft_status add_files_in(struct places *places, const char *folder, enum place_source source, struct error *err)
{
    char **entries = NULL;
    size_t count = 0;
    bioft_status st = file_list(folder, &entries, &count, err);

    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        const char *dot = strrchr(entries[i], '.');
        if (dot && strcmp(dot, ".so") == 0)
            st = add(places, path_join(folder, entries[i]), source, err);
    }
    file_list_free(entries, count);
    return st;
}

/* unopened: whoever lists plugins wants the files of a folder without folders of kinds too, whose kinds are not known. */
static bioft_status add_list(struct places *places, const char *const *paths, size_t count, enum place_source source,
                             bool unopened, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!*paths[i])
            return error_set(err, BIOFT_ERR_INVALID, "%s: a place is empty: write . for the current folder",
                             place_source_word(source));
        char *path = path_of_user(NULL, paths[i]), *folder = path && file_is_folder(path) ? strdup(path) : NULL;
        bioft_status st = add(places, path, source, err);
        if (st == BIOFT_OK && folder && unopened)
            st = add_files_in(places, folder, source, err);
        free(folder);
        if (st != BIOFT_OK)
            return st;
    }
    return BIOFT_OK;
}

/* Is `path` in a folder, or the file, that another source named? */
static bool is_named(const struct places *places, const char *path)
{
    char *real = realpath(path, NULL);
    bool named = false;
    for (size_t i = 0; real && !named && i < places->count; i++) {
        char *other = places->items[i].source == PLACE_MANIFEST ? NULL : realpath(places->items[i].path, NULL);
        const size_t n = other ? strlen(other) : 0;
        named = other && strncmp(real, other, n) == 0 && (real[n] == '\0' || real[n] == '/');
        free(other);
    }
    free(real);
    return named;
}

/* A manifest may come from anybody, and a plugin runs with the rights of whoever opens it. */
static bioft_status check_trust(const struct places *places, struct error *err)
{
    for (size_t i = 0; i < places->count; i++)
        if (places->items[i].source == PLACE_MANIFEST && !places->items[i].named_too &&
            !is_named(places, places->items[i].path))
            return error_set(
                err, BIOFT_ERR_INVALID,
                "%s: %s is not opened: a plugin runs with your rights, and only the "
                "manifest names this one; if you trust both, give --trust-plugins, or --plugin-path for its folder",
                place_source_word(PLACE_MANIFEST), places->items[i].path);
    return BIOFT_OK;
}

static bool others_write(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && (s.st_mode & S_IWOTH || (s.st_mode & S_IWGRP && s.st_gid != getegid()));
}

/* The place, the folders of kinds in it or, of a file, its own. */
static void warn_of_others(const struct place *place, const struct log *log)
{
    char *folder = place->is_file ? path_folder(place->path) : strdup(place->path);
    const char *open = others_write(place->path) ? place->path : folder && others_write(folder) ? folder : NULL;
    char *kind = NULL;
    for (uint32_t k = 1; !open && !place->is_file && folder && k <= PLUGIN_KINDS; k++) {
        free(kind);
        kind = path_join(folder, kind_folder(k));
        open = kind && others_write(kind) ? kind : NULL;
    }
    if (open)
        log_write(log, LOG_WARNING,
                  "%s: others can write there, and so choose what runs with your rights as a plugin; chmod "
                  "go-w",
                  open);
    free(kind);
    free(folder);
}

static bioft_status add_environment(struct places *places, bool unopened, const struct log *log, struct error *err)
{
    const char *list = secure_getenv("BIOFT_PLUGIN_PATH");
    bioft_status st = BIOFT_OK;
    if (!list && getenv("BIOFT_PLUGIN_PATH"))
        log_write(log, LOG_WARNING, "BIOFT_PLUGIN_PATH is ignored: this process runs with raised privileges");
    if (!list || !*list)
        return BIOFT_OK;
    for (const char *at = list; st == BIOFT_OK && at;) {
        const char *colon = strchr(at, ':');
        char *path = colon ? strndup(at, (size_t)(colon - at)) : strdup(at);
        if (!path)
            return error_memory(err, "BIOFT_PLUGIN_PATH");
        st = add_list(places, (const char *const[]){ path }, 1, PLACE_ENVIRONMENT, unopened, err);
        free(path);
        at = colon ? colon + 1 : NULL;
    }
    return st;
}

/* The folder of this executable; false: not known. */
static bool executable_folder(char ret[PATH_MAX])
{
    const ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);
    if (n <= 0)
        return false;
    ret[n] = '\0';
    char *slash = strrchr(ret, '/');
    if (slash)
        *slash = '\0';
    return slash;
}

/* BUILD/plugins, where this executable is BUILD/core/cli/PROGRAM; otherwise *ret is NULL. */
static bioft_status build_folder(char **ret, struct error *err)
{
    static const char inside[] = "/core/cli";
    char path[PATH_MAX];
    *ret = NULL;
    if (!executable_folder(path))
        return BIOFT_OK;
    const size_t length = strlen(path), tail = sizeof inside - 1;
    if (length < tail || strcmp(path + length - tail, inside) != 0)
        return BIOFT_OK;
    path[length - tail] = '\0';
    char *folder = path_join(*path ? path : "/", "plugins");
    if (!folder)
        return error_memory(err, "the build tree's plugins");
    if (file_is_folder(folder))
        *ret = folder;
    else
        free(folder);
    return BIOFT_OK;
}

/* The installed plugins where they are beside the executable, wherever both were moved; NULL: they are not there. */
static bioft_status beside_executable(char **ret, struct error *err)
{
    char path[PATH_MAX];
    *ret = NULL;
    if (!executable_folder(path))
        return BIOFT_OK;
    char *joined = path_join(path, PLUGIN_DIR_FROM_BIN), *whole = joined ? realpath(joined, NULL) : NULL;
    const bool fine = joined;
    free(joined);
    *ret = whole;
    return fine ? BIOFT_OK : error_memory(err, "the installed folder of plugins");
}

/* $XDG_DATA_HOME/bioft/plugins, by default ~/.local/share; relative ones are none (XDG base directories, 0.8). */
static bioft_status user_folder(char **ret, struct error *err)
{
    const char *data = secure_getenv("XDG_DATA_HOME"), *home = secure_getenv("HOME");
    const bool has_data = data && data[0] == '/';
    *ret = NULL;
    if (!has_data && (!home || home[0] != '/'))
        return BIOFT_OK;
    char *joined = path_join(has_data ? data : home, has_data ? "bioft/plugins" : ".local/share/bioft/plugins");
    *ret = joined ? path_absolute(NULL, joined) : NULL;
    free(joined);
    return *ret ? BIOFT_OK : error_memory(err, "the user's folder of plugins");
}

static bioft_status add_implicit(struct places *places, struct error *err)
{
    char *folder;
    bioft_status st = build_folder(&folder, err);
    if (st != BIOFT_OK)
        return st;
    if (folder)
        st = add(places, folder, PLACE_BUILD, err);
    if (st != BIOFT_OK)
        return st;
    st = beside_executable(&folder, err);
    if (st != BIOFT_OK)
        return st;
    if (folder)
        st = add(places, folder, PLACE_INSTALLED, err);
    if (st != BIOFT_OK)
        return st;
    st = add(places, path_absolute(NULL, PLUGIN_DIR), PLACE_INSTALLED, err);
    if (st != BIOFT_OK)
        return st;
    st = user_folder(&folder, err);
    if (st != BIOFT_OK)
        return st;
    if (folder)
        return add(places, folder, PLACE_USER, err);
    return BIOFT_OK;
}

bioft_status places_collect(const struct registry_places *p, const struct log *log, struct places *ret,
                            struct error *err)
{
    struct places places = { 0 };
    bioft_status st = add_list(&places, p->command_line, p->command_line_count, PLACE_COMMAND_LINE, p->unopened, err);
    if (st == BIOFT_OK)
        st = add_list(&places, p->manifest, p->manifest_count, PLACE_MANIFEST, p->unopened, err);
    if (st == BIOFT_OK && p->environment)
        st = add_environment(&places, p->unopened, log, err);
    if (st == BIOFT_OK && p->implicit)
        st = add_implicit(&places, err);
    if (st == BIOFT_OK && !p->trust_manifest)
        st = check_trust(&places, err);
    if (st != BIOFT_OK) {
        places_free(&places);
        return st;
    }
    for (size_t i = 0; i < places.count; i++)
        warn_of_others(&places.items[i], log);
    *ret = places;
    return BIOFT_OK;
}

void places_free(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        free(places->items[i].path);
    free(places->items);
    *places = (struct places){ 0 };
}
