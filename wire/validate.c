#include "validate.h"

#include <stddef.h>

#include "bytes.h"
#include "schema.h"

enum {
    TABLE_REFERENCE_BYTES = 4, /* what leads to a table, an offset, takes at least so much */
    ALIGNMENT_MAX = 8,
    CONTENT_SHARING_MAX = 40 /* see decoder.h */
};

struct vtable {
    uint32_t at;
    uint32_t bytes;
    uint32_t table_bytes;
};

/* The vtable last checked for a type of table. Flows share few of them: for the next table that has
 * the same one, only what its offsets lead to is left to check. */
struct known_vtable {
    struct vtable vtable;
    uint32_t phase;   /* of the table it was checked for, modulo the largest alignment */
    uint32_t targets; /* a bit for each field that is there and an offset */
};

/* A table that is being checked, field by field, and the vector of tables in it that is, if any. */
struct frame {
    const struct table_fields *fields;
    struct known_vtable *known; /* of its type */
    struct vtable vtable;
    uint32_t table_at;
    uint32_t field;   /* the next to check */
    uint32_t pending; /* a bit for each field to check */
    uint32_t element_at;
    uint32_t elements_left;
    uint8_t element_table; /* enum table */
};

struct validator {
    const uint8_t *bytes;
    uint32_t size_bytes;
    uint32_t tables_left;
    uint32_t content_left; /* bytes of strings and of vectors of structs */
    uint32_t depth;
    struct frame frames[TABLE_DEPTH_MAX];
    struct known_vtable known[TABLES];
    struct picket_wire_error *error;
};

static bool fail(struct validator *validator, const char *reason, uint32_t offset)
{
    validator->error->reason = reason;
    validator->error->offset = offset;
    return false;
}

/* Follows the offset at a place that is known to be inside: to four bytes inside, aligned. */
static bool follow(struct validator *validator, uint32_t at, uint32_t *target)
{
    uint32_t offset = load_32(validator->bytes + at);
    if (offset == 0)
        return fail(validator, "offset is zero", at);
    if (offset > validator->size_bytes - 4 - at)
        return fail(validator, "offset leads outside the message", at);
    *target = at + offset;
    if ((*target & 3) != 0)
        return fail(validator, "offset leads to an unaligned place", at);
    return true;
}

/* The payload of an unknown type may be anything, of any alignment. */
static bool check_unknown_target(struct validator *validator, uint32_t at)
{
    uint32_t offset = load_32(validator->bytes + at);
    if (offset == 0)
        return fail(validator, "offset is zero", at);
    if (offset >= validator->size_bytes - at)
        return fail(validator, "offset leads outside the message", at);
    return true;
}

static bool check_vector(struct validator *validator, uint32_t at, uint32_t element_bytes)
{
    uint32_t room = validator->size_bytes - at - 4;
    if (load_32(validator->bytes + at) > room / element_bytes)
        return fail(validator, "vector longer than the message", at);
    return true;
}

static bool take_content(struct validator *validator, uint32_t at, uint32_t bytes)
{
    if (bytes > validator->content_left)
        return fail(validator, "strings or vectors shared too often", at);
    validator->content_left -= bytes;
    return true;
}

static bool check_structs(struct validator *validator, uint32_t at, uint32_t element_bytes)
{
    return check_vector(validator, at, element_bytes) &&
           take_content(validator, at, element_bytes * load_32(validator->bytes + at));
}

static bool check_string(struct validator *validator, uint32_t at)
{
    uint32_t room = validator->size_bytes - at - 4;
    uint32_t length = load_32(validator->bytes + at);
    if (length >= room)
        return fail(validator, "string longer than the message", at);
    if (validator->bytes[at + 4 + length] != 0)
        return fail(validator, "string without a terminator", at + 4 + length);
    return take_content(validator, at, length);
}

static bool check_vtable(struct validator *validator, struct vtable *vtable, uint32_t at,
                         uint32_t table_at)
{
    uint32_t size = validator->size_bytes;
    if (at > size - 4)
        return fail(validator, "vtable outside the message", table_at);
    if ((at & 1) != 0)
        return fail(validator, "vtable at an odd place", table_at);
    vtable->at = at;
    vtable->bytes = load_16(validator->bytes + at);
    vtable->table_bytes = load_16(validator->bytes + at + 2);
    if (vtable->bytes < 4 || (vtable->bytes & 1) != 0)
        return fail(validator, "vtable of an impossible size", at);
    if (vtable->bytes > size - at)
        return fail(validator, "vtable longer than the message", at);
    if (vtable->table_bytes < 4)
        return fail(validator, "table of an impossible size", at + 2);
    return true;
}

/* Begins to check the table at a place that follow() has checked. */
static bool enter(struct validator *validator, uint32_t table, uint32_t at)
{
    if (validator->tables_left == 0)
        return fail(validator, "tables shared too often", at);
    validator->tables_left--;
    struct frame *frame = &validator->frames[validator->depth++];
    struct known_vtable *known = &validator->known[table];
    /* Modulo 2^32: what is before the message becomes a large number. */
    uint32_t vtable_at = at - load_32(validator->bytes + at);
    frame->fields = &picket_wire_schema[table];
    frame->known = known;
    frame->table_at = at;
    frame->field = 0;
    frame->elements_left = 0;
    if (known->vtable.at != vtable_at || known->phase != at % ALIGNMENT_MAX || vtable_at == 0) {
        known->phase = at % ALIGNMENT_MAX;
        known->targets = 0;
        frame->pending = (UINT32_C(1) << frame->fields->count) - 1;
        if (!check_vtable(validator, &known->vtable, vtable_at, at))
            return false;
    } else {
        frame->pending = known->targets;
    }
    frame->vtable = known->vtable;
    if (frame->vtable.table_bytes > validator->size_bytes - at)
        return fail(validator, "table longer than the message", at);
    return true;
}

/* Where in its table the vtable has a field; 0: absent. */
static uint32_t field_entry(const struct validator *validator, const struct frame *frame,
                            uint32_t id)
{
    if (4 + 2 * id >= frame->vtable.bytes)
        return 0;
    return load_16(validator->bytes + frame->vtable.at + 4 + 2 * id);
}

static bool check_elements(struct validator *validator, struct frame *frame, uint32_t vector_at,
                           uint8_t table)
{
    if (!check_vector(validator, vector_at, 4))
        return false;
    frame->elements_left = load_32(validator->bytes + vector_at);
    frame->element_at = vector_at + 4;
    frame->element_table = table;
    return true;
}

/* at: of the union's value; 0 for absent. Event's is the only union, so its members stand here. */
static bool check_union(struct validator *validator, struct frame *frame, uint32_t at)
{
    static const uint8_t members[] = {
        [PICKET_WIRE_NETWORK_ACTIVITY] = NETWORK_ACTIVITY,
        [PICKET_WIRE_SYSTEM_INFORMATION] = SYSTEM_INFORMATION,
        [PICKET_WIRE_LISTENING_PORTS] = LISTENING_PORTS,
        [PICKET_WIRE_HEARTBEAT] = HEARTBEAT,
        [PICKET_WIRE_BASELINE] = BASELINE,
        [PICKET_WIRE_PROCESS] = PROCESS,
        [PICKET_WIRE_LOG] = LOG,
    };
    /* The type has been checked: its id is smaller. */
    uint32_t type_entry = field_entry(validator, frame, EVENT_PAYLOAD_TYPE), target;
    uint8_t type = type_entry == 0 ? 0 : validator->bytes[frame->table_at + type_entry];
    if (type == PICKET_WIRE_PAYLOAD_NONE)
        return fail(validator, "payload without a type", at);
    if (type >= sizeof members)
        return check_unknown_target(validator, at);
    return follow(validator, at, &target) && enter(validator, members[type], target);
}

/* at: of an offset field; checks what it leads to, or begins to. */
static bool check_target(struct validator *validator, struct frame *frame,
                         const struct field *field, uint32_t at)
{
    uint32_t target;
    if (field->kind == UNION)
        return check_union(validator, frame, at);
    if (!follow(validator, at, &target))
        return false;
    switch (field->kind) {
    case STRING:
        return check_string(validator, target);
    case STRUCTS:
        return check_structs(validator, target, field->child);
    case CHILDREN:
        return check_elements(validator, frame, target, field->child);
    default:
        return enter(validator, field->child, target);
    }
}

static bool check_field(struct validator *validator, struct frame *frame, uint32_t id)
{
    const struct field *field = &frame->fields->fields[id];
    uint32_t entry = field_entry(validator, frame, id);
    if (entry == 0 && field->missing == NULL)
        return true;
    if (entry == 0)
        return fail(validator, field->missing, frame->table_at);
    if (entry < 4 || entry + field->bytes > frame->vtable.table_bytes)
        return fail(validator, "field outside its table", frame->vtable.at + 4 + 2 * id);
    uint32_t at = frame->table_at + entry;
    if ((at & (field->alignment - 1u)) != 0)
        return fail(validator, "unaligned field", at);
    if (field->kind == INLINE)
        return true;
    frame->known->targets |= UINT32_C(1) << id;
    return check_target(validator, frame, field, at);
}

/* Goes on with the innermost table: into a child, or to its end and out of it. */
static bool step(struct validator *validator)
{
    const uint32_t depth = validator->depth;
    struct frame *frame = &validator->frames[depth - 1];
    if (frame->elements_left > 0) {
        uint32_t target, at = frame->element_at;
        frame->element_at += 4;
        frame->elements_left--;
        return follow(validator, at, &target) && enter(validator, frame->element_table, target);
    }
    while (frame->pending >> frame->field != 0) {
        uint32_t id = frame->field++;
        if ((frame->pending >> id & 1) != 0 && !check_field(validator, frame, id))
            return false;
        if (validator->depth != depth || frame->elements_left > 0)
            return true;
    }
    validator->depth--;
    return true;
}

bool picket_wire_validate(const uint8_t *bytes, uint32_t size_bytes,
                          struct picket_wire_error *error)
{
    struct validator validator = {.bytes = bytes, .size_bytes = size_bytes, .error = error};
    uint32_t root;
    if (size_bytes < 8)
        return fail(&validator, "message too short", 0);
    validator.tables_left = size_bytes / TABLE_REFERENCE_BYTES;
    validator.content_left = size_bytes * CONTENT_SHARING_MAX;
    if (!follow(&validator, 0, &root) || !enter(&validator, MESSAGE, root))
        return false;
    while (validator.depth > 0) {
        if (!step(&validator))
            return false;
    }
    return true;
}
