/* A strip of adversarial images: clean, attacked, and their difference magnified. */
#ifndef REPORT_PICTURES_H
#define REPORT_PICTURES_H

#include "base/memory.h"
#include "report/study.h"

struct strip {
    const char *title, *file; /* in OUT/plots */
    uint32_t width, height;
};
/* Writes PNG files into folder of the dumped images of a panel, a series' first trial each, at most
 * `most` strips of eight images, or four large ones; *ret_count 0 where no attack has dumped any.
 * The difference is drawn around middle grey, from -epsilon (black) to +epsilon (white). */
bioft_status pictures_write(const struct panel *p, size_t number, const char *folder, size_t most,
                            struct arena *arena, struct strip *ret, size_t *ret_count,
                            struct error *err);

#endif
