/* What a stage draws is keyed by how many stages before it have the same of what draws: their draws are others. */
#ifndef TRAIN_RANK_H
#define TRAIN_RANK_H

#include "manifest/experiment.h"

uint32_t rank_of_data(const struct trial *t, uint32_t stage);  /* earlier stages that train on the same data */
uint32_t rank_of_loss(const struct trial *t, uint32_t stage);  /* .. with the same loss */
uint32_t rank_of_rules(const struct trial *t, uint32_t stage); /* .. with one of the same rules */
/* The trial's own seed for rank 0. */
uint64_t rank_seed(uint64_t seed, uint32_t rank);

#endif
