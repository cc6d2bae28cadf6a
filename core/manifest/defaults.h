/* What a manifest gets where it does not say. The names of plugins that are defaults stand here and nowhere else in
 * core: they are the user's words, which the registry looks up like any other. */
#ifndef MANIFEST_DEFAULTS_H
#define MANIFEST_DEFAULTS_H

#define DEFAULT_LOSS              "cross_entropy"
#define DEFAULT_SEED              1
#define DEFAULT_LR                1e-3
#define DEFAULT_BETA1             0.9
#define DEFAULT_BETA2             0.999
#define DEFAULT_EPS               1e-8
#define DEFAULT_BATCH_SIZE        32
#define DEFAULT_K                 5000 /* of rankings */
#define DEFAULT_BASELINE          "bp" /* what other rules are compared with */
#define DEFAULT_SMOOTHING_SAMPLES 100  /* of a gradient by differences: Ilyas et al. 2018 take 50 to 100 */
#define DEFAULT_SMOOTHING_SIGMA   0.01
#define DEFAULT_SPLIT             "test" /* of attacks */

#endif
