/*
 * UTF-8: see utf8.h.
 */
#include "base/utf8.h"

#include <stdbool.h>

static bool follows(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * The ranges of the second byte are those of RFC 3629 section 4; a NUL is in none, so no read
 * passes the end.
 */
size_t utf8_length(const char *at)
{
	const unsigned char *c = (const unsigned char *)at;
	unsigned char low = 0x80, high = 0xbf;

	if (c[0] < 0x80)
		return 1;
	if (c[0] >= 0xc2 && c[0] <= 0xdf)
		return follows(c[1]) ? 2 : 0;
	if (c[0] == 0xe0 || c[0] == 0xf0)
		low = c[0] == 0xe0 ? 0xa0 : 0x90;
	if (c[0] == 0xed || c[0] == 0xf4)
		high = c[0] == 0xed ? 0x9f : 0x8f;
	if (c[0] < 0xe0 || c[0] > 0xf4 || c[1] < low || c[1] > high || !follows(c[2]))
		return 0;
	if (c[0] < 0xf0)
		return 3;
	return follows(c[3]) ? 4 : 0;
}

size_t utf8_put(uint32_t character, char *to)
{
	static const unsigned char lead[UTF8_MAX + 1] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

	for (size_t i = length; i-- > 1; character >>= 6)
		to[i] = (char)(0x80 | (character & 0x3f));
	to[0] = (char)(lead[length] | character);
	return length;
}
