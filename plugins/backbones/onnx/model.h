/* An ONNX file in memory: unpacked within bounds, every name resolved once, nodes in an order that computes. */
#ifndef ONNX_MODEL_H
#define ONNX_MODEL_H

#include <bioft/plugin.h>

#include <stdbool.h>

#include "onnx.pb-c.h"

typedef Onnx__NodeProto onnx_node;
typedef Onnx__TensorProto onnx_array;

enum { FAULT_TEXT = 900, SHOWN = 200 };

/* The first failure; status BIOFT_OK: none. */
struct fault {
    bioft_status status;
    char text[FAULT_TEXT];
};
bioft_status fault_set(struct fault *f, bioft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A name of the file as a message may show it, in ret of SHOWN bytes. */
const char *shown(char ret[SHOWN], const char *name);

#define NOWHERE UINT32_MAX

/* A name that the graph defines. */
struct named {
    const char *name;
    const onnx_array *array; /* of an initialiser, else NULL */
    uint32_t node;           /* that computes it, else NOWHERE */
    uint32_t order;          /* among all definitions, in the file's order */
};

struct model {
    const char *path;
    Onnx__ModelProto *proto;
    const Onnx__GraphProto *graph;
    struct named *names; /* [name_count], sorted by name */
    size_t name_count;
    uint32_t input; /* index in names of the one input */
    const Onnx__TypeProto__Tensor *input_type;
    size_t memory, memory_limit; /* bytes that unpacking took, and may take */
};
/* Reads a file: a few bytes of memory for each of the file. Zero, with a fault, after a failure. */
bioft_status model_read(struct model *m, const char *path, struct fault *f);
/* The same of bytes, which need not outlive the call; path is for messages. */
bioft_status model_parse(struct model *m, const char *path, const uint8_t *bytes, size_t size, struct fault *f);
void model_free(struct model *m); /* zero is fine */

/* Index in names; NOWHERE: no such name. */
uint32_t model_find(const struct model *m, const char *name);

/* Attributes, with the value where there is none. */
const Onnx__AttributeProto *attribute(const onnx_node *n, const char *name);
int64_t attribute_int(const onnx_node *n, const char *name, int64_t usual);
double attribute_float(const onnx_node *n, const char *name, double usual);
/* The text of a string; "" where there is none; in ret of SHOWN bytes. */
const char *attribute_text(const onnx_node *n, const char *name, char ret[SHOWN]);

#endif
