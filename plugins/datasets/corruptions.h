/* The corruptions of ImageNet-C and CIFAR-10-C (Hendrycks and Dietterich, "Benchmarking neural network robustness to common
 * corruptions and perturbations", ICLR 2019): fifteen that count, then the four that are for validation. */
#ifndef CORRUPTIONS_H
#define CORRUPTIONS_H

#include "dataset_util.h"

enum { SEVERITIES = 5 };

/* The options of an instance that has these fields. */
#define CORRUPTION_OPTIONS(type_) \
    { .name = "corruption", \
      .type = BIOFT_CHOICE, \
      .offset = offsetof(type_, corruption), \
      .choices = corruptions, \
      .help = "which images; the last four are not in the mean corruption error" }, \
    { \
        .name = "severity", .type = BIOFT_I64, .offset = offsetof(type_, severity), .def = 1, .min = 1, \
        .max = SEVERITIES, .help = "of the corruption" \
    }

static const char *const corruptions[] = { "gaussian_noise",
                                           "shot_noise",
                                           "impulse_noise",
                                           "defocus_blur",
                                           "glass_blur",
                                           "motion_blur",
                                           "zoom_blur",
                                           "snow",
                                           "frost",
                                           "fog",
                                           "brightness",
                                           "contrast",
                                           "elastic_transform",
                                           "pixelate",
                                           "jpeg_compression",
                                           "speckle_noise",
                                           "gaussian_blur",
                                           "spatter",
                                           "saturate",
                                           NULL };

#endif
