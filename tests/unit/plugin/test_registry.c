/* Where plugins are looked for, in which order, and what is refused. */
#include "test.h"

#include <errno.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* From the built samples: a file's bytes to a new file, its folders made. */
static void put(const char *sample, const char *to)
{
    char from[4096], part[4096], buffer[65536];
    size_t n;
    snprintf(from, sizeof from, "%s/%s.so", SAMPLES, sample);
    for (const char *slash = strchr(to + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - to), to);
        assert_true(mkdir(part, 0755) == 0 || errno == EEXIST);
    }
    FILE *in = fopen(strcmp(sample, "self") == 0 ? "/proc/self/exe" : from, "rb"), *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0)
        assert_int_equal(fwrite(buffer, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(to, 0755), 0);
}

struct notes {
    char text[4096];
};

static void note(void *ctx, enum log_level level, const char *text)
{
    struct notes *n = ctx;
    strncat(n->text, level == LOG_WARNING ? "warning: " : "", sizeof n->text - strlen(n->text) - 1);
    strncat(n->text, text, sizeof n->text - strlen(n->text) - 1);
    strncat(n->text, "\n", sizeof n->text - strlen(n->text) - 1);
}

static bool distrust; /* the manifest's places count only where somebody else names them */

/* A registry of these --plugin-paths (up to three, NULL ends them) and manifest places. */
static bioft_status open_places(const char *const paths[3], const char *manifest, struct notes *notes,
                                struct registry **ret, struct error *err)
{
    static struct log log;
    struct registry_places places = {
        .command_line = paths, .manifest = &manifest, .manifest_count = manifest != NULL, .trust_manifest = !distrust
    };
    log = (struct log){ .write = note, .ctx = notes };
    while (places.command_line_count < 3 && paths[places.command_line_count])
        places.command_line_count++;
    return registry_create(&places, notes ? &log : NULL, ret, err);
}

static struct registry *opened(const char *const paths[3])
{
    struct registry *r = NULL;
    struct error err = { 0 };
    if (open_places(paths, NULL, NULL, &r, &err) != BIOFT_OK)
        test_fail("%s\n", err.text);
    return r;
}

static void finds_and_remembers(void **state)
{
    const struct plugin *p, *again;
    struct error err;
    size_t count;
    char want[4200];
    put("alpha_1", "d/learning_rules/alpha.so");
    struct registry *r = opened((const char *const[3]){ "d" });
    registry_loaded(r, &count);
    assert_int_equal(count, 0);
    assert_int_equal(registry_find(r, BIOFT_KIND_RULE, "alpha", &p, &err), BIOFT_OK);
    assert_int_equal(registry_find(r, BIOFT_KIND_RULE, "alpha", &again, &err), BIOFT_OK);
    assert_ptr_equal(p, again);
    assert_string_equal(p->descriptor.version, "1");
    snprintf(want, sizeof want, "%s/d/learning_rules/alpha.so", (const char *)*state);
    assert_string_equal(p->path, want);
    assert_true(p->explicit_place);
    assert_ptr_equal(registry_loaded(r, &count)[0], p);
    assert_int_equal(count, 1);
    registry_destroy(r);
    registry_destroy(NULL);
}

static void finds_a_nested_file(void **state)
{
    const struct plugin *p;
    struct error err;
    (void)state;
    put("alpha_1", "d/learning_rules/alpha/alpha.so");
    struct registry *r = opened((const char *const[3]){ "d" });
    assert_int_equal(registry_find(r, BIOFT_KIND_RULE, "alpha", &p, &err), BIOFT_OK);
    assert_contains(p->path, "/d/learning_rules/alpha/alpha.so");
    registry_destroy(r);
}

static void says_where_it_looked(void **state)
{
    const struct plugin *p = NULL;
    struct error err;
    char want[3][4200];
    put("alpha_1", "d/learning_rules/alpha.so");
    put("beta", "e/learning_rules/beta.so");
    put("alpha_1", "e/learning_rules/Alpha-2.so");
    struct registry *r = opened((const char *const[3]){ "d", "e" });
    snprintf(want[0], sizeof want[0], "no rule 'alpah'; did you mean 'alpha'? Looked in %s/d, %s/e",
             (const char *)*state, (const char *)*state);
    assert_int_equal(registry_find(r, BIOFT_KIND_RULE, "alpah", &p, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, want[0]);
    snprintf(want[1], sizeof want[1], "no loss 'alpha': looked in %s/d, %s/e", (const char *)*state,
             (const char *)*state);
    assert_int_equal(registry_find(r, BIOFT_KIND_LOSS, "alpha", &p, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, want[1]);
    /* A name is no way out of the folder. */
    snprintf(want[2], sizeof want[2], "no rule '../learning_rules/alpha': looked in %s/d, %s/e", (const char *)*state,
             (const char *)*state);
    assert_int_equal(registry_find(r, BIOFT_KIND_RULE, "../learning_rules/alpha", &p, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, want[2]);
    assert_int_equal(registry_find(r, BIOFT_KIND_RULE, "Alpha-2", &p, &err), BIOFT_ERR_INVALID);
    assert_null(p);
    assert_int_equal(registry_find(r, 17, "alpha", &p, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, "17 is not a kind of plugin");
    registry_destroy(r);
}

static void lists_names_and_files(void **state)
{
    char **names;
    struct registry_file *files;
    size_t count;
    struct error err;
    (void)state;
    put("beta", "d/learning_rules/beta.so");
    put("alpha_1", "d/learning_rules/alpha.so");
    put("alpha_1", "d/learning_rules/alpha/alpha.so"); /* the same name in the same place: not seen */
    put("beta", "d/losses/gamma.so");
    put("beta", "d/learning_rules/notes.txt");
    put("beta", "d/learning_rules/Alpha-2.so");
    put("beta", "d/learning_rules/lib.so.1");
    put("beta", "d/learning_rules/empty/other.so");
    put("pair", "pair.so");
    struct registry *r = opened((const char *const[3]){ "d", "pair.so" });
    assert_int_equal(registry_names(r, BIOFT_KIND_RULE, &names, &count, &err), BIOFT_OK);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "alpha");
    assert_string_equal(names[1], "beta");
    assert_string_equal(names[2], "pair");
    registry_names_free(names, count);
    assert_int_equal(registry_names(r, BIOFT_KIND_ENGINE, &names, &count, &err), BIOFT_OK);
    assert_int_equal(count, 0);
    registry_names_free(names, count);
    assert_int_equal(registry_files(r, &files, &count, &err), BIOFT_OK);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        static const char *const want[] = { "alpha", "beta", "pair", "gamma", "pair" };
        assert_string_equal(files[i].name, want[i]);
        assert_int_equal(files[i].kind, i < 3 ? BIOFT_KIND_RULE : BIOFT_KIND_LOSS);
        assert_false(files[i].overridden);
    }
    assert_contains(files[0].path, "/d/learning_rules/alpha.so");
    registry_files_free(files, count);
    registry_destroy(r);
}

static void takes_files_as_places(void **state)
{
    const struct plugin *rule, *loss;
    struct registry *r;
    struct error err;
    size_t count;
    (void)state;
    put("pair", "lab/pair.so");
    r = opened((const char *const[3]){ "lab/pair.so" });
    registry_loaded(r, &count);
    assert_int_equal(count, 2);
    assert_int_equal(registry_find(r, BIOFT_KIND_RULE, "pair", &rule, &err), BIOFT_OK);
    assert_int_equal(registry_find(r, BIOFT_KIND_LOSS, "pair", &loss, &err), BIOFT_OK);
    assert_ptr_not_equal(rule, loss);
    assert_int_equal(loss->descriptor.kind, BIOFT_KIND_LOSS);
    registry_destroy(r);

    /* By one of its names it cannot be found. */
    put("two", "d/learning_rules/two.so");
    r = opened((const char *const[3]){ "d" });
    assert_int_equal(registry_find(r, BIOFT_KIND_RULE, "two", &rule, &err), BIOFT_ERR_FORMAT);
    assert_contains(err.text, "/d/learning_rules/two.so: it holds 2 plugins, so it must be named as a file");
    registry_destroy(r);
}

static void leaves_files_closed_for_lists(void **state)
{
    static const char text[] = "not a library";
    const char *const paths[3] = { "broken.so" };
    const struct registry_places places = { .command_line = paths, .command_line_count = 1, .unopened = true };
    struct registry *r;
    struct registry_file *files;
    struct error err;
    size_t count;
    (void)state;
    FILE *f = fopen("broken.so", "w");
    fputs(text, f);
    fclose(f);
    assert_int_equal(registry_create(&places, NULL, &r, &err), BIOFT_OK);
    assert_int_equal(registry_files(r, &files, &count, &err), BIOFT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(files[0].kind, 0);
    assert_string_equal(files[0].name, "broken");
    assert_true(files[0].explicit_place);
    registry_files_free(files, count);
    registry_destroy(r);
    r = NULL;
    assert_int_equal(open_places(paths, NULL, NULL, &r, &err), BIOFT_ERR_FORMAT);
    assert_contains(err.text, "/broken.so: not a loadable library: ");
    assert_null(r);
}

static void refuses_bad_places(void **state)
{
    struct registry *r = NULL;
    struct error err;
    char want[4200];
    (void)state;
    assert_int_equal(open_places((const char *const[3]){ "" }, NULL, NULL, &r, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, "--plugin-path: a place is empty: write . for the current folder");
    assert_int_equal(open_places((const char *const[3]){ "nowhere" }, NULL, NULL, &r, &err), BIOFT_ERR_INVALID);
    snprintf(want, sizeof want, "--plugin-path: %s/nowhere: no such file or folder", (const char *)*state);
    assert_string_equal(err.text, want);
    assert_int_equal(open_places((const char *const[3]){ 0 }, "/no/such", NULL, &r, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, "the manifest's plugins: /no/such: no such file or folder");
    assert_null(r);
}

/* What only a manifest names is not even looked at. */
static void opens_what_the_user_names(void **state)
{
    struct registry *r = NULL;
    struct error err;
    char want[4300];
    put("alpha_1", "d/learning_rules/alpha.so");
    assert_int_equal(symlink("../d", "d/out"), 0);
    distrust = true;
    assert_int_equal(open_places((const char *const[3]){ 0 }, "d", NULL, &r, &err), BIOFT_ERR_INVALID);
    snprintf(want, sizeof want, "the manifest's plugins: %s/d is not opened: ", (const char *)*state);
    assert_contains(err.text, want);
    assert_contains(err.text, "--trust-plugins");
    assert_int_equal(mkdir("e", 0777), 0);
    assert_int_equal(symlink("../d", "e/link"), 0); /* out of the folder that was named */
    assert_int_equal(open_places((const char *const[3]){ "e" }, "e/link", NULL, &r, &err), BIOFT_ERR_INVALID);
    static const char *const below[] = { "d", "d/learning_rules/alpha.so" };
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        assert_int_equal(open_places((const char *const[3]){ "d" }, below[i], NULL, &r, &err), BIOFT_OK);
        registry_destroy(r);
    }
    distrust = false;
    assert_int_equal(open_places((const char *const[3]){ 0 }, "d", NULL, &r, &err), BIOFT_OK);
    registry_destroy(r);
}

static void warns_where_others_write(void **state)
{
    struct notes notes = { 0 };
    struct registry *r = NULL;
    struct error err;
    (void)state;
    put("alpha_1", "d/learning_rules/alpha.so");
    assert_int_equal(chmod("d", 0755), 0);
    assert_int_equal(chmod("d/learning_rules", 0755), 0);
    assert_int_equal(open_places((const char *const[3]){ "d" }, NULL, &notes, &r, &err), BIOFT_OK);
    registry_destroy(r);
    assert_string_equal(notes.text, "");
    assert_int_equal(chmod("d/learning_rules", 0777), 0);
    assert_int_equal(open_places((const char *const[3]){ "d" }, NULL, &notes, &r, &err), BIOFT_OK);
    registry_destroy(r);
    assert_contains(notes.text, "warning: ");
    assert_contains(notes.text, "d/learning_rules: others can write there");
}

static void refuses_two_explicit_files(void **state)
{
    struct registry_file *files;
    struct registry *r = NULL;
    struct error err;
    size_t count;
    char want[9000];
    put("alpha_1", "d/learning_rules/alpha.so");
    put("alpha_2", "e/learning_rules/alpha.so");
    put("alpha_2", "alpha.so");
    assert_int_equal(open_places((const char *const[3]){ "d", "e" }, NULL, NULL, &r, &err), BIOFT_ERR_INVALID);
    snprintf(want, sizeof want,
             "rule 'alpha' is given twice, by %s/d/learning_rules/alpha.so and by "
             "%s/e/learning_rules/alpha.so: name one of them",
             (const char *)*state, (const char *)*state);
    assert_string_equal(err.text, want);
    assert_int_equal(open_places((const char *const[3]){ "alpha.so" }, "d", NULL, &r, &err), BIOFT_ERR_INVALID);
    assert_contains(err.text, "rule 'alpha' is given twice, by ");
    assert_null(r);
    /* One file by two ways is one file. */
    assert_int_equal(symlink("d", "link"), 0);
    assert_int_equal(open_places((const char *const[3]){ "d", "link", "./d" }, "d", NULL, &r, &err), BIOFT_OK);
    assert_int_equal(registry_files(r, &files, &count, &err), BIOFT_OK);
    assert_int_equal(count, 1);
    registry_files_free(files, count);
    registry_destroy(r);
    assert_int_equal(open_places((const char *const[3]){ "d", "link/learning_rules/alpha.so" }, NULL, NULL, &r, &err),
                     BIOFT_OK);
    registry_destroy(r);
}

/* An explicit file over one of the user's folder: both are seen, one counts. */
static void marks_what_is_overridden(void **state)
{
    const char *const paths[] = { "d" };
    const struct registry_places places = { .command_line = paths, .command_line_count = 1, .implicit = true };
    char data[4200], *path, **names;
    struct registry *r;
    struct registry_file *files;
    struct error err;
    size_t count, seen = 0;
    put("alpha_1", "d/learning_rules/alpha.so");
    put("alpha_2", "data/bioft/plugins/learning_rules/alpha.so");
    snprintf(data, sizeof data, "%s/data", (const char *)*state);
    assert_int_equal(setenv("XDG_DATA_HOME", data, 1), 0);
    assert_int_equal(registry_create(&places, NULL, &r, &err), BIOFT_OK);
    unsetenv("XDG_DATA_HOME");
    assert_int_equal(registry_files(r, &files, &count, &err), BIOFT_OK);
    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i].name, "alpha") == 0) {
            assert_int_equal(files[i].explicit_place, seen == 0);
            assert_int_equal(files[i].overridden, seen > 0);
            seen++;
        }
    assert_int_equal(seen, 2);
    registry_files_free(files, count);
    assert_int_equal(registry_names(r, BIOFT_KIND_RULE, &names, &count, &err), BIOFT_OK);
    for (size_t i = 0; i < count; i++)
        seen -= strcmp(names[i], "alpha") == 0;
    assert_int_equal(seen, 1);
    registry_names_free(names, count);
    assert_int_equal(registry_locate(r, BIOFT_KIND_RULE, "alpha", &path, &err), BIOFT_OK);
    assert_contains(path, "/d/learning_rules/alpha.so");
    free(path);
    assert_int_equal(registry_locate(r, BIOFT_KIND_RULE, "no_such_rule", &path, &err), BIOFT_ERR_INVALID);
    registry_loaded(r, &count);
    assert_int_equal(count, 0); /* locating opens nothing */
    registry_destroy(r);
}

/* Two plugins of a kind and name in one file, or a plugin of another kind than its folder's. */
static void refuses_what_a_file_is_not(void **state)
{
    const struct plugin *p = NULL;
    struct error err;
    (void)state;
    put("alpha_1", "d/losses/alpha.so");
    put("alpha_1", "d/learning_rules/beta.so");
    put("alpha_1", "d/engines/alpha/alpha.so");
    struct registry *r = opened((const char *const[3]){ "d" });
    assert_int_equal(registry_find(r, BIOFT_KIND_LOSS, "alpha", &p, &err), BIOFT_ERR_FORMAT);
    assert_contains(err.text, "/d/losses/alpha.so: kind is rule, but it lies in the folder losses");
    assert_int_equal(registry_find(r, BIOFT_KIND_RULE, "beta", &p, &err), BIOFT_ERR_FORMAT);
    assert_contains(err.text, "/beta.so: name 'alpha' differs from the file's: rename the file to alpha.so");
    assert_int_equal(registry_find(r, BIOFT_KIND_ENGINE, "alpha", &p, &err), BIOFT_ERR_FORMAT);
    assert_contains(err.text, "its kind is rule, where a plugin of kind engine is looked for");
    assert_null(p);
    registry_destroy(r);
}

/* What a copy of this program, put where a built bioft lies, says: see probe(). */
static void ask(const char *program, const char *name, const char *const environment[], const char *want)
{
    char got[8192];
    size_t n = 0;
    ssize_t more;
    int fds[2], status;
    pid_t pid;
    posix_spawn_file_actions_t actions;
    char *const argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t) "probe", (char *)(uintptr_t)name, NULL };
    assert_int_equal(pipe(fds), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
    posix_spawn_file_actions_addclose(&actions, fds[0]);
    posix_spawn_file_actions_addclose(&actions, fds[1]);
    assert_int_equal(posix_spawn(&pid, program, &actions, NULL, argv, (char *const *)(uintptr_t)environment), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    while (n < sizeof got - 1 && (more = read(fds[0], got + n, sizeof got - 1 - n)) > 0)
        n += (size_t)more;
    close(fds[0]);
    got[n] = '\0';
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_contains(got, want);
}

/* In the copy: everything but the command line is looked at; prints version, whether explicit, and path. */
static int probe(const char *name)
{
    const struct registry_places places = { .environment = true, .implicit = true };
    struct notes notes = { "" };
    const struct log log = { .write = note, .ctx = &notes };
    const struct plugin *p;
    struct registry *r = NULL;
    struct error err;
    bioft_status st = registry_create(&places, &log, &r, &err);
    if (st == BIOFT_OK)
        st = registry_find(r, BIOFT_KIND_RULE, name, &p, &err);
    if (st == BIOFT_OK)
        printf("version %s%s %s\n%s", p->descriptor.version, p->explicit_place ? " explicit" : "", p->path, notes.text);
    else
        printf("%s\n%s", err.text, notes.text);
    registry_destroy(r);
    fflush(stdout);
    if (getauxval(AT_SECURE))
        _exit(0); /* no sanitizer may look for leaks in such a process */
    return 0;
}

static const char *const empty[] = { "XDG_DATA_HOME=/nonexistent", NULL };

static void knows_its_build_tree(void **state)
{
    (void)state;
    put("self", "build/core/cli/bioft");
    put("self", "elsewhere/bin/bioft");
    put("alpha_1", "build/plugins/learning_rules/alpha.so");
    put("alpha_1", "elsewhere/plugins/learning_rules/alpha.so");
    ask("build/core/cli/bioft", "alpha", empty, "/build/plugins/learning_rules/alpha.so\n");
    ask("build/core/cli/bioft", "gamma", empty, "/build/plugins, " PLUGIN_DIR);
    ask("build/core/cli/bioft", "gamma", empty, ", /nonexistent/bioft/plugins (not there)\n");
    ask("elsewhere/bin/bioft", "alpha", empty, "ooked in " PLUGIN_DIR);
}

/* An installation that was moved as a whole. */
static void knows_what_is_beside_it(void **state)
{
    (void)state;
    put("self", "moved/usr/bin/bioft");
    put("alpha_1", "moved/usr/bin/" PLUGIN_DIR_FROM_BIN "/learning_rules/alpha.so");
    ask("moved/usr/bin/bioft", "alpha", empty, "/bioft/learning_rules/alpha.so\n");
    ask("moved/usr/bin/bioft", "gamma", empty, "/bioft, " PLUGIN_DIR);
}

static void looks_into_the_users_folder(void **state)
{
    char data[4200], home[4200], want[4300];
    put("self", "build/core/cli/bioft");
    put("alpha_1", "build/plugins/learning_rules/alpha.so");
    put("beta", "data/bioft/plugins/learning_rules/beta.so");
    put("beta", ".local/share/bioft/plugins/learning_rules/beta.so");
    snprintf(data, sizeof data, "XDG_DATA_HOME=%s/data", (const char *)*state);
    snprintf(home, sizeof home, "HOME=%s", (const char *)*state);
    snprintf(want, sizeof want, "version 1 %s/data/bioft/plugins/learning_rules/beta.so\n", (const char *)*state);
    ask("build/core/cli/bioft", "beta", (const char *const[]){ data, home, NULL }, want);
    snprintf(want, sizeof want, "version 1 %s/.local/share/bioft/plugins/learning_rules/beta.so\n",
             (const char *)*state);
    ask("build/core/cli/bioft", "beta", (const char *const[]){ home, NULL }, want);
    /* A relative one is none, and the current folder is never looked into. */
    ask("build/core/cli/bioft", "beta", (const char *const[]){ "XDG_DATA_HOME=data", "HOME=.", NULL },
        "no rule 'beta'");

    put("alpha_2", "data/bioft/plugins/learning_rules/alpha.so");
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ data, NULL }, "rule 'alpha' is there twice, as ");
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ data, NULL },
        "data/bioft/plugins/learning_rules/alpha.so, which may only add");
}

static void reads_the_environment(void **state)
{
    char one[4200], two[9000], want[4300];
    put("self", "build/core/cli/bioft");
    put("alpha_1", "build/plugins/learning_rules/alpha.so");
    put("alpha_2", "d/learning_rules/alpha.so");
    put("beta", "e/learning_rules/beta.so");
    snprintf(one, sizeof one, "BIOFT_PLUGIN_PATH=%s/d", (const char *)*state);
    snprintf(two, sizeof two, "BIOFT_PLUGIN_PATH=d:%s/e", (const char *)*state);
    snprintf(want, sizeof want, "version 2 explicit %s/d/learning_rules/alpha.so\n", (const char *)*state);
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ empty[0], one, NULL }, want);
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ empty[0], one, NULL },
        "alpha.so, named by BIOFT_PLUGIN_PATH, overrides ");
    ask("build/core/cli/bioft", "beta", (const char *const[]){ empty[0], two, NULL }, "version 1 explicit ");
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ empty[0], two, NULL }, want);
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ empty[0], "BIOFT_PLUGIN_PATH=d::e", NULL },
        "BIOFT_PLUGIN_PATH: a place is empty");
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ empty[0], "BIOFT_PLUGIN_PATH=d:", NULL },
        "BIOFT_PLUGIN_PATH: a place is empty");
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ empty[0], "BIOFT_PLUGIN_PATH=", NULL }, "version 1 ");
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ empty[0], "BIOFT_PLUGIN_PATH=/no/such", NULL },
        "BIOFT_PLUGIN_PATH: /no/such: no such file or folder");
}

/* A program with raised privileges takes no plugin from its user's environment. */
static void ignores_the_environment_when_privileged(void **state)
{
    char variable[4200];
    enum { NOBODY = 65534 };
    if (geteuid() != 0)
        skip(); /* only root can give a file another owner */
    assert_int_equal(chmod(*state, 0755), 0);
    put("self", "build/core/cli/bioft");
    put("alpha_1", "build/plugins/learning_rules/alpha.so");
    put("alpha_2", "d/learning_rules/alpha.so");
    if (chown("build/core/cli/bioft", NOBODY, NOBODY) != 0)
        skip();
    assert_int_equal(chmod("build/core/cli/bioft", 04755), 0);
    snprintf(variable, sizeof variable, "BIOFT_PLUGIN_PATH=%s/d", (const char *)*state);
    ask("build/core/cli/bioft", "alpha", (const char *const[]){ variable, NULL },
        "warning: BIOFT_PLUGIN_PATH is ignored");
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, test_enter_folder, test_leave_folder)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        in_folder(finds_and_remembers),
        in_folder(finds_a_nested_file),
        in_folder(says_where_it_looked),
        in_folder(lists_names_and_files),
        in_folder(takes_files_as_places),
        in_folder(leaves_files_closed_for_lists),
        in_folder(refuses_bad_places),
        in_folder(refuses_two_explicit_files),
        in_folder(opens_what_the_user_names),
        in_folder(warns_where_others_write),
        in_folder(marks_what_is_overridden),
        in_folder(refuses_what_a_file_is_not),
        in_folder(knows_its_build_tree),
        in_folder(knows_what_is_beside_it),
        in_folder(looks_into_the_users_folder),
        in_folder(reads_the_environment),
        in_folder(ignores_the_environment_when_privileged),
    };
    if (argc == 3 && strcmp(argv[1], "probe") == 0)
        return probe(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
