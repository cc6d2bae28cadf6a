/* The images below a folder, however deep, in the order of torchvision's ImageFolder. */
#ifndef WALK_H
#define WALK_H

#include "image_list.h"

/* What a walk gives its finds to. folder ends in '/' and lives as long as the instance. */
struct walk {
    struct image_list *texts; /* keeps the folders' names */
    void *ctx;
    bioft_status (*image)(void *ctx, const char *folder, const char *name);
    void (*other)(void *ctx, const char *folder, const char *name); /* no image by its name */
};
/* folder: "train/cat/". Links are followed. By folder, then by name, both bytewise. */
bioft_status walk_images(const struct walk *w, const char *folder);

#endif
