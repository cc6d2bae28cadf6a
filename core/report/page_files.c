/* report.css and report.js, in the page itself: it needs no other file. */
#include "report/page.h"

#include "page_files.inc"
#include <string.h>

const char *page_file(const char *name)
{
    for (size_t i = 0; i < sizeof embedded_files / sizeof *embedded_files; i++)
        if (strcmp(embedded_files[i].name, name) == 0)
            return embedded_files[i].text;
    return "";
}
