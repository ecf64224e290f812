#include "check.h"

#include "byte_ring.h"

enum { CAPACITY = 1000, BLOCKS_MAX = 256 };

struct block {
    uint8_t *bytes;
    size_t size;
    uint8_t mark;
};

/* The blocks in use, oldest first. */
struct twin {
    struct block blocks[BLOCKS_MAX];
    size_t count;
};

static void put(struct byte_ring *ring, struct twin *twin, size_t size, uint8_t mark)
{
    uint8_t *bytes = byte_ring_take(ring, size);
    if (bytes == NULL) {
        assert_true(twin->count > 0 || size > CAPACITY);
        return;
    }
    assert_true(bytes >= ring->bytes && bytes + size <= ring->bytes + CAPACITY);
    memset(bytes, mark, size);
    assert_true(twin->count < BLOCKS_MAX);
    twin->blocks[twin->count++] = (struct block){bytes, size, mark};
}

/* Had a later block been given the same bytes, the mark would be gone. */
static void take_oldest(struct byte_ring *ring, struct twin *twin)
{
    struct block oldest = twin->blocks[0];
    for (size_t i = 0; i < oldest.size; i++)
        assert_int_equal(oldest.bytes[i], oldest.mark);
    twin->count--;
    memmove(twin->blocks, twin->blocks + 1, twin->count * sizeof twin->blocks[0]);
    byte_ring_give_back(ring, twin->count > 0 ? twin->blocks[0].bytes : NULL);
}

static void blocks_in_use_never_overlap(void **state)
{
    (void)state;
    struct byte_ring ring;
    struct twin twin = {.count = 0};
    assert_true(byte_ring_open(&ring, CAPACITY));
    uint64_t seed = 1;
    for (int i = 0; i < 500000; i++) {
        size_t size_max = next_random(&seed) % 64 == 0 ? CAPACITY + 2 : 90;
        if (next_random(&seed) % 2 == 0)
            put(&ring, &twin, 1 + next_random(&seed) % size_max, (uint8_t)i);
        else if (twin.count > 0)
            take_oldest(&ring, &twin);
    }
    byte_ring_close(&ring);
}

static void an_empty_ring_takes_a_block_of_its_whole_size(void **state)
{
    (void)state;
    struct byte_ring ring;
    assert_true(byte_ring_open(&ring, CAPACITY));
    assert_non_null(byte_ring_take(&ring, 700));
    byte_ring_give_back(&ring, NULL);
    assert_ptr_equal(byte_ring_take(&ring, CAPACITY), ring.bytes);
    assert_null(byte_ring_take(&ring, 1));
    byte_ring_close(&ring);
}

static void a_block_larger_than_the_ring_is_refused(void **state)
{
    (void)state;
    struct byte_ring ring;
    assert_true(byte_ring_open(&ring, CAPACITY));
    assert_null(byte_ring_take(&ring, CAPACITY + 1));
    assert_null(byte_ring_take(&ring, SIZE_MAX));
    byte_ring_close(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_in_use_never_overlap),
        cmocka_unit_test(an_empty_ring_takes_a_block_of_its_whole_size),
        cmocka_unit_test(a_block_larger_than_the_ring_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
