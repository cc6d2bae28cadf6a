/* What the network takes: the size that a transform gives to the images of a dataset. */
#ifndef DATA_INPUT_H
#define DATA_INPUT_H

#include "data/dataset.h"

/* What the network takes. */
struct image_format {
    uint32_t channels, height, width;
    float mean[4], std[4]; /* by channel */
};
/* The input that a transform gives for a backbone whose published image has `channels` and height x width: fills in
 * ret->channels, height and width. Grey data become three equal channels where the backbone takes three; colour is not
 * made grey.
 *
 * none: the data's own size. map: `size` (the published one where it is not given). auto: the published one, to which
 *  - a set of images none of which is larger is resized straight (a no-op where they have its size);
 *  - other images are resized so that the shorter side is 256/224 of the input's, then the centre is cut out.
 * In training auto mirrors half of the images and cuts at random instead of in the centre, but only natural
 * ones: encoded files and 3-channel bytes. Grey bytes and floats are arrays whose mirror image may mean something else.
 * Floats are never resized. */
bioft_status input_size(const struct dataset *d, const struct transform_spec *t, uint32_t channels, uint32_t height,
                        uint32_t width, struct image_format *ret, struct error *err);

#endif
