/* TensorBoard's event files: TFRecord frames with masked CRC-32C around protobuf messages `Event`, scalars only. */
#ifndef FORMATS_TFEVENTS_H
#define FORMATS_TFEVENTS_H

#include "base/text.h"
#include "formats/scalar.h"

/* Appends the record that a file begins with. */
void tfevents_begin(struct text *t, double time);
void tfevents_add(struct text *t, const struct scalar *s);

#endif
