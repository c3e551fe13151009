/*
 * UTF-8 as RFC 3629 has it: no surrogates, nothing longer than needed, nothing above U+10FFFF.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4 /* bytes of the longest character */

/*
 * How many bytes the character at `at` has (1–4), 0 when it is not UTF-8. The text ends with a NUL.
 */
size_t utf8_length(const char *at);

/*
 * Writes a character (a valid one) to `to`, which has room for UTF8_MAX bytes; returns how many it
 * took.
 */
size_t utf8_put(uint32_t character, char *to);
