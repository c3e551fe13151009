/*
 * Sizes as users write them: 64M, 1.5g, -1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The bytes of a size: a decimal number, perhaps with a fraction, and perhaps a unit behind it or
 * behind one blank: b, or k, m, g, t, p with b or ib behind them, in any case, all counted in
 * powers of 1024. What is behind the byte is cut off. False when it is none of these, or more than
 * an int64_t holds. "-1" is no size: who takes it for "unlimited" looks for it before.
 */
bool size_parse(const char *text, int64_t *ret);
