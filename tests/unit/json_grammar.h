/*
 * The grammar of JSON as RFC 8259 has it: the oracle of what base/json.h takes and refuses. Plain
 * and recursive on purpose. Of its own it has only what the reader promises beyond the RFC: UTF-8,
 * no lone surrogates, no NUL, and so many levels at most.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct grammar {
	const uint8_t *at, *end;
	unsigned levels; /* that are left */
};

/* The byte here, −1 at the end. */
static inline int grammar_see(const struct grammar *g)
{
	return g->at < g->end ? *g->at : -1;
}

/* Goes over one byte if it is from first to last. */
static inline bool grammar_range(struct grammar *g, int first, int last)
{
	if (grammar_see(g) < first || grammar_see(g) > last)
		return false;
	g->at++;
	return true;
}

/* Goes over one byte if it is among these. */
static inline bool grammar_any(struct grammar *g, const char *these)
{
	int byte = grammar_see(g);

	return byte > 0 && strchr(these, byte) && grammar_range(g, byte, byte);
}

static inline bool grammar_word(struct grammar *g, const char *word)
{
	while (*word)
		if (!grammar_range(g, *word, *word))
			return false;
		else
			word++;
	return true;
}

static inline void grammar_space(struct grammar *g)
{
	while (grammar_any(g, " \t\r\n"))
		continue;
}

static inline bool grammar_digits(struct grammar *g)
{
	const uint8_t *start = g->at;

	while (grammar_range(g, '0', '9'))
		continue;
	return g->at > start;
}

static inline bool grammar_number(struct grammar *g)
{
	(void)grammar_any(g, "-");
	if (!grammar_any(g, "0") && !grammar_digits(g))
		return false;
	if (grammar_any(g, ".") && !grammar_digits(g))
		return false;
	if (!grammar_any(g, "eE"))
		return true;
	(void)grammar_any(g, "+-");
	return grammar_digits(g);
}

static inline bool grammar_hex(struct grammar *g, unsigned *ret)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	*ret = 0;
	for (int i = 0; i < 4; i++) {
		const char *found = grammar_see(g) > 0 ? strchr(digits, grammar_see(g)) : NULL;
		unsigned digit = found ? (unsigned)(found - digits) : 0;

		if (!found)
			return false;
		*ret = *ret * 16 + (digit < 16 ? digit : digit - 6);
		g->at++;
	}
	return true;
}

static inline bool grammar_escape(struct grammar *g)
{
	unsigned unit, low;

	if (grammar_any(g, "\"\\/bfnrt"))
		return true;
	if (!grammar_any(g, "u") || !grammar_hex(g, &unit) || !unit)
		return false;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	return unit < 0xdc00 && grammar_word(g, "\\u") && grammar_hex(g, &low) && low >= 0xdc00 &&
	       low <= 0xdfff;
}

/* One character beyond ASCII, by the table of RFC 3629. */
static inline bool grammar_utf8(struct grammar *g)
{
	static const uint8_t rows[][4] = {
		/* first byte from, to; second byte from, to */
		{0xc2, 0xdf, 0x80, 0xbf}, {0xe0, 0xe0, 0xa0, 0xbf}, {0xe1, 0xec, 0x80, 0xbf},
		{0xed, 0xed, 0x80, 0x9f}, {0xee, 0xef, 0x80, 0xbf}, {0xf0, 0xf0, 0x90, 0xbf},
		{0xf1, 0xf3, 0x80, 0xbf}, {0xf4, 0xf4, 0x80, 0x8f},
	};
	int first = grammar_see(g);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (grammar_range(g, rows[i][0], rows[i][1]))
			return grammar_range(g, rows[i][2], rows[i][3]) &&
			       (first < 0xe0 || grammar_range(g, 0x80, 0xbf)) &&
			       (first < 0xf0 || grammar_range(g, 0x80, 0xbf));
	return false;
}

static inline bool grammar_string(struct grammar *g)
{
	if (!grammar_any(g, "\""))
		return false;
	while (!grammar_any(g, "\""))
		if (grammar_any(g, "\\")) {
			if (!grammar_escape(g))
				return false;
		} else if (!grammar_range(g, 0x20, 0x7f) && !grammar_utf8(g)) {
			return false;
		}
	return true;
}

static inline bool grammar_value(struct grammar *g);

/* What stands between brackets: nothing, or items with commas. */
static inline bool grammar_items(struct grammar *g, bool keys, const char *close)
{
	grammar_space(g);
	if (grammar_any(g, close))
		return true;
	do {
		grammar_space(g);
		if (keys && !grammar_string(g))
			return false;
		grammar_space(g);
		if ((keys && !grammar_any(g, ":")) || !grammar_value(g))
			return false;
	} while (grammar_any(g, ","));
	return grammar_any(g, close);
}

static inline bool grammar_value(struct grammar *g)
{
	bool good;

	grammar_space(g);
	switch (grammar_see(g)) {
	case '{':
	case '[':
		if (!g->levels)
			return false;
		g->levels--;
		good = grammar_any(g, "{") ? grammar_items(g, true, "}")
					   : grammar_any(g, "[") && grammar_items(g, false, "]");
		g->levels++;
		break;
	case '"':
		good = grammar_string(g);
		break;
	case 't':
		good = grammar_word(g, "true");
		break;
	case 'f':
		good = grammar_word(g, "false");
		break;
	case 'n':
		good = grammar_word(g, "null");
		break;
	default:
		good = grammar_number(g);
	}
	grammar_space(g);
	return good;
}

/* Whether the text is one value and nothing else. */
static inline bool grammar_takes(const char *text, size_t length, unsigned levels)
{
	struct grammar g = {(const uint8_t *)text, (const uint8_t *)text + length, levels};

	return grammar_value(&g) && g.at == g.end;
}
