/*
 * Signals by name, for kill.
 */
#pragma once

#include <stdbool.h>

/*
 * The number of a signal given as a number (0 to 64), as a name with or without SIG in any case, or
 * as RTMIN, RTMIN+n, RTMAX or RTMAX-n. False when it is none of these. Source: signal(7); RTMIN is
 * 34 as glibc has it, whatever libc this is built with, because that is what the programs in
 * containers take it for.
 */
bool signal_parse(const char *text, int *ret);
