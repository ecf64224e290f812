#include "stix_tokens.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word_part(char c)
{
    return is_word_start(c) || is_digit(c) || c == '-';
}

static bool comes(const struct stix_tokens *tokens, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(tokens->end - tokens->at) >= size && memcmp(tokens->at, text, size) == 0;
}

/* False: a comment is not closed. */
static bool skip_comment(struct stix_tokens *tokens)
{
    const char *closing = comes(tokens, "/*") ? "*/" : "\n";
    size_t left = (size_t)(tokens->end - tokens->at) - 2;
    const char *end = memmem(tokens->at + 2, left, closing, strlen(closing));
    if (end == NULL && *closing == '*')
        return false;
    tokens->at = end != NULL ? end + strlen(closing) : tokens->end;
    return true;
}

static bool skip_blanks(struct stix_tokens *tokens)
{
    while (tokens->at < tokens->end) {
        if (comes(tokens, "/*") || comes(tokens, "//")) {
            if (!skip_comment(tokens))
                return false;
        } else if (memchr(" \t\r\n\v\f", *tokens->at, 6) != NULL) {
            tokens->at++;
        } else {
            break;
        }
    }
    return true;
}

static void take(struct stix_tokens *tokens, enum stix_token_kind kind, size_t size)
{
    tokens->now = (struct stix_token){kind, tokens->at, size};
    tokens->at += size;
}

/* At a quote. Only \' and \\ are escapes. */
static void take_string(struct stix_tokens *tokens, enum stix_token_kind kind)
{
    for (const char *at = tokens->at + 1; at < tokens->end; at++) {
        if (*at == '\'') {
            tokens->now = (struct stix_token){kind, tokens->at + 1, (size_t)(at - tokens->at - 1)};
            tokens->at = at + 1;
            return;
        }
        if (*at == '\\' && ++at < tokens->end && *at != '\'' && *at != '\\')
            break;
    }
    tokens->now = (struct stix_token){STIX_NO_TOKEN, tokens->at, 0};
}

static void take_number(struct stix_tokens *tokens)
{
    const char *at = tokens->at + 1;
    while (at < tokens->end && is_digit(*at))
        at++;
    enum stix_token_kind kind = STIX_INTEGER;
    if (at < tokens->end && *at == '.') {
        kind = STIX_LITERAL;
        do
            at++;
        while (at < tokens->end && is_digit(*at));
    }
    take(tokens, kind, (size_t)(at - tokens->at));
}

static void take_word(struct stix_tokens *tokens)
{
    const char *at = tokens->at + 1;
    if (at < tokens->end && *at == '\'' && strchr("hbt", tokens->at[0]) != NULL) {
        tokens->at = at;
        take_string(tokens, STIX_LITERAL);
        return;
    }
    while (at < tokens->end && is_word_part(*at))
        at++;
    take(tokens, STIX_WORD, (size_t)(at - tokens->at));
}

static void take_sign(struct stix_tokens *tokens)
{
    static const char *const signs[] = {"==", "!=", "<>", "<=", ">=", "=", "<", ">",
                                        "[",  "]",  "(",  ")",  ":",  ".", ",", "*"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (comes(tokens, signs[i])) {
            take(tokens, STIX_SIGN, strlen(signs[i]));
            return;
        }
    tokens->now = (struct stix_token){STIX_NO_TOKEN, tokens->at, 0};
}

void stix_tokens_next(struct stix_tokens *tokens)
{
    if (!skip_blanks(tokens)) {
        tokens->now = (struct stix_token){STIX_NO_TOKEN, tokens->at, 0};
        return;
    }
    if (tokens->at == tokens->end) {
        tokens->now = (struct stix_token){STIX_END, tokens->at, 0};
        return;
    }
    char c = *tokens->at;
    bool is_negative = c == '-' && tokens->end - tokens->at > 1 && is_digit(tokens->at[1]);
    if (c == '\'')
        take_string(tokens, STIX_STRING);
    else if (is_digit(c) || is_negative)
        take_number(tokens);
    else if (is_word_start(c))
        take_word(tokens);
    else
        take_sign(tokens);
}

void stix_tokens_begin(struct stix_tokens *tokens, const char *text, size_t size)
{
    *tokens = (struct stix_tokens){.at = text, .end = text + size};
    stix_tokens_next(tokens);
}

bool stix_token_is(const struct stix_token *token, const char *text)
{
    return (token->kind == STIX_WORD || token->kind == STIX_SIGN) && strlen(text) == token->size &&
           strncasecmp(token->text, text, token->size) == 0;
}

bool stix_token_text(const struct stix_token *token, char *out, size_t out_bytes, size_t *size)
{
    size_t written = 0;
    for (size_t i = 0; i < token->size; i++) {
        i += token->text[i] == '\\';
        if (written == out_bytes)
            return false;
        out[written++] = token->text[i];
    }
    *size = written;
    return true;
}
