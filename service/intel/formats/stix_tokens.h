/* The words of a STIX pattern (STIX 2.1, section 9.6).
 *
 * Thread: one at a time.
 */
#ifndef INTEL_STIX_TOKENS_H
#define INTEL_STIX_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

enum stix_token_kind {
    STIX_END,
    STIX_WORD,    /* ipv4-addr, AND, value */
    STIX_STRING,  /* '...', the text between the quotes */
    STIX_INTEGER, /* -12 */
    STIX_LITERAL, /* of another type: 1.5, h'..', b'..', t'..' */
    STIX_SIGN,    /* [ ] ( ) : . , * and = == != <> < > <= >= */
    STIX_NO_TOKEN /* not to be read */
};

struct stix_token {
    enum stix_token_kind kind;
    const char *text;
    size_t size;
};

struct stix_tokens {
    const char *at, *end;
    struct stix_token now; /* the one in front */
};

/* Whole pattern, already without JSON's escapes. */
void stix_tokens_begin(struct stix_tokens *tokens, const char *text, size_t size_bytes);
void stix_tokens_next(struct stix_tokens *tokens);

/* Keywords are taken in any case of letters. */
bool stix_token_is(const struct stix_token *token, const char *text);
/* A string's text with its escapes resolved into out; false: it does not fit. */
bool stix_token_text(const struct stix_token *token, char *out, size_t out_bytes, size_t *size);

#endif
