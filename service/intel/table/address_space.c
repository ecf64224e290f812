#include "address_space.h"

#include <stdint.h>
#include <sys/mman.h>

static const size_t huge_page = (size_t)2 << 20;

void *address_space_reserve(size_t bytes)
{
    uint8_t *at = mmap(NULL, bytes + huge_page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)at & (huge_page - 1);
    if (before > 0)
        munmap(at, before);
    munmap(at + before + bytes, huge_page - before);
    return at + before;
}

void address_space_release(void *at, size_t bytes)
{
    if (at != NULL)
        munmap(at, bytes);
}

void address_space_prefer_huge_pages(void *at, size_t bytes)
{
    madvise(at, bytes, MADV_HUGEPAGE);
}
