/* JSON: a tree that is read, written by us and read again, is the same tree. */
#include "fuzz.h"

#include "formats/json.h"

#include <string.h>

static void write_tree(struct text *t, const struct json *json)
{
    switch (json->type) {
    case JSON_NULL: json_string(t, NULL); break;
    case JSON_BOOL: json_bool(t, json->boolean); break;
    case JSON_NUMBER: json_number(t, json->number); break;
    case JSON_STRING:
        MUST(strlen(json->text) == json->length);
        json_string(t, json->text);
        break;
    case JSON_ARRAY:
        json_begin_array(t);
        for (size_t i = 0; i < json->count; i++)
            write_tree(t, json->items[i]);
        json_end_array(t);
        break;
    case JSON_OBJECT:
        json_begin_object(t);
        for (size_t i = 0; i < json->count; i++) {
            MUST(json_get(json, json->keys[i]) == json->items[i]);
            json_key(t, json->keys[i]);
            write_tree(t, json->items[i]);
        }
        json_end_object(t);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct text first = { .data = NULL }, second = { .data = NULL };
    struct json *json;
    struct error err = { .text = "" };
    MUST(arena);
    if (json_parse("t", (const char *)data, size, arena, &json, &err) == BIOFT_OK) {
        write_tree(&first, json);
        MUST(json_parse("t", first.data, first.length, arena, &json, &err) == BIOFT_OK);
        write_tree(&second, json);
        MUST(strcmp(first.data, second.data) == 0);
    } else {
        MUST(err.text[0] != '\0');
    }
    text_free(&first);
    text_free(&second);
    arena_destroy(arena);
    return 0;
}
