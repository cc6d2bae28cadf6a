/* A folder of its own for a test program, which becomes its working directory, and manifests read in it. */
#ifndef TEST_WORKSPACE_H
#define TEST_WORKSPACE_H

#include "manifest/experiment.h"

/* Makes the folder with data/ (a folder), weights.pth and list.txt in it, and goes there. 0: done. For cmocka. */
int workspace_open(void **state);
int workspace_close(void **state);
extern char workspace[4096];

void workspace_write(const char *path, const char *text);
/* Reads "m.yaml" with this text; *ret_text is never NULL. sets: NULL-terminated, or NULL. */
bioft_status workspace_read(const char *manifest, const char *const *sets, struct experiment **ret, char **ret_text);
/* The same where all must go well. */
struct experiment *workspace_good(const char *manifest, const char *const *sets);

/* A manifest with nothing wrong and little in it; and its parts. */
#define HEADER  "bioft: 1\nname: small\n"
#define DATASET "dataset: pictures\n"
#define MODEL   "model: {backbone: lenet5}\n"
#define STAGES  "stages:\n  - {name: train, rule: bp, epochs: 1}\n"
#define SMALL   HEADER DATASET MODEL STAGES

#endif
