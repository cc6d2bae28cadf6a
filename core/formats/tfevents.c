/* TensorBoard's event files (tensorflow/core/util/event.proto, lib/io/record_writer.h). */
#include "formats/tfevents.h"

#include <string.h>

/* Fields of the messages, and how protobuf marks what follows: field << 3 | kind. */
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
enum {
    EVENT_TIME = 1 << 3 | FIXED64,
    EVENT_STEP = 2 << 3 | VARINT,
    EVENT_VERSION = 3 << 3 | BYTES,
    EVENT_SUMMARY = 5 << 3 | BYTES,
    SUMMARY_VALUE = 1 << 3 | BYTES,
    VALUE_TAG = 1 << 3 | BYTES,
    VALUE_SIMPLE = 2 << 3 | FIXED32
};

static uint32_t crc32c(const char *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint8_t)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void add_little(struct text *t, uint64_t value, size_t size)
{
    char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(uint8_t)(value >> 8 * i);
    text_add_n(t, bytes, size);
}

static void add_byte(struct text *t, uint8_t byte) { add_little(t, byte, 1); }

static void add_varint(struct text *t, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        add_byte(t, (uint8_t)(value | 0x80));
    add_byte(t, (uint8_t)value);
}

static void add_double(struct text *t, uint8_t field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_byte(t, field);
    add_little(t, bits, sizeof bits);
}

static void add_float(struct text *t, uint8_t field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_byte(t, field);
    add_little(t, bits, sizeof bits);
}

static void add_bytes(struct text *t, uint8_t field, const char *bytes, size_t size)
{
    add_byte(t, field);
    add_varint(t, size);
    text_add_n(t, bytes, size);
}

static void add_masked(struct text *t, const char *bytes, size_t size)
{
    const uint32_t crc = crc32c(bytes, size);
    add_little(t, (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8), 4);
}

/* A record: its length, the length's sum, itself, its own sum. */
static void add_record(struct text *t, struct text *event)
{
    struct text length = { 0 };

    add_little(&length, event->length, 8);
    t->failed = t->failed || event->failed || length.failed;
    if (!t->failed) {
        text_add_n(t, length.data, length.length);
        add_masked(t, length.data, length.length);
        text_add_n(t, event->data, event->length);
        add_masked(t, event->data, event->length);
    }
    text_free(&length);
    text_free(event);
}

void tfevents_begin(struct text *t, double time)
{
    static const char version[] = "brain.Event:2";
    struct text event = { 0 };

    add_double(&event, EVENT_TIME, time);
    add_bytes(&event, EVENT_VERSION, version, strlen(version));
    add_record(t, &event);
}

void tfevents_add(struct text *t, const struct scalar *s)
{
    struct text event = { 0 }, summary = { 0 }, value = { 0 };

    add_bytes(&value, VALUE_TAG, s->name, strlen(s->name));
    add_float(&value, VALUE_SIMPLE, (float)s->value);
    if (!value.failed)
        add_bytes(&summary, SUMMARY_VALUE, value.data, value.length);
    add_double(&event, EVENT_TIME, s->time);
    add_byte(&event, EVENT_STEP);
    add_varint(&event, s->step < 0 ? 0 : (uint64_t)s->step);
    if (!summary.failed && !value.failed)
        add_bytes(&event, EVENT_SUMMARY, summary.data, summary.length);
    event.failed = event.failed || summary.failed || value.failed;
    add_record(t, &event);
    text_free(&value);
    text_free(&summary);
}
