/* A machine with an operating system: the edge is a page that cannot be touched. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emulation.h"

void board_print(const char *text)
{
    fputs(text, stdout);
}

void board_end(bool passed)
{
    exit(passed ? EXIT_SUCCESS : EXIT_FAILURE);
}

uint8_t *board_edge(void)
{
    static uint8_t *edge;
    if (edge != NULL)
        return edge;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t before_bytes = (EDGE_BYTES + page_bytes - 1) / page_bytes * page_bytes;
    uint8_t *pages = mmap(NULL, before_bytes + page_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(pages != MAP_FAILED && mprotect(pages + before_bytes, page_bytes, PROT_NONE) == 0,
          "memory with an edge");
    edge = pages + before_bytes;
    return edge;
}
