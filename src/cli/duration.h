/*
 * Spans of time as Go writes them: 5s, 500ms, 1h30m.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The nanoseconds of a duration: "0", or numbers, perhaps with a fraction, each with its unit (ns,
 * us, µs, ms, s, m, h) behind it, perhaps with a sign in front. False when it is none of these, or
 * more than an int64_t holds. Source: Go's time.ParseDuration.
 */
bool duration_parse(const char *text, int64_t *ret);
