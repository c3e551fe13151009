/*
 * The JSON reader: see json.h. Here is what moves over the text; what is said when it is wrong is
 * in json_fail.c.
 *
 * The NUL at the end of the text stops every loop, so none looks at a length; `at == end` tells it
 * from a NUL inside.
 */
#include "base/json.h"

#include <string.h>

#include "base/utf8.h"

static const char in_value[] = "looking for beginning of value";

static void skip_space(struct json *j)
{
	while (*j->at == ' ' || *j->at == '\n' || *j->at == '\t' || *j->at == '\r')
		j->at++;
}

int json_init(struct json *j, const struct json_input *input, struct err *e)
{
	if (input->length > JSON_LIMIT)
		return err_set(e, ERR_INVALID, "%s is larger than %u MiB", input->name,
			       JSON_LIMIT >> 20);
	j->input = input;
	j->at = input->text;
	j->end = input->text + input->length;
	j->value = j->at;
	j->depth = 0;
	j->unknown = 0;
	j->named = 0;
	return 0;
}

enum json_type json_peek(struct json *j)
{
	skip_space(j);
	j->value = j->at;
	switch (*j->at) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	case '"':
		return JSON_STRING;
	case '[':
		return JSON_ARRAY;
	case '{':
		return JSON_OBJECT;
	case '-':
	case '0' ... '9':
		return JSON_NUMBER;
	default:
		return JSON_NONE;
	}
}

/* ---- literals -------------------------------------------------------------------------------- */

static int read_literal(struct json *j, const char *word, struct err *e)
{
	const char *c = word;

	while (*c && *j->at == *c) {
		j->at++;
		c++;
	}
	return *c ? json_fail_syntax(j, e, "in literal %s", word) : 0;
}

bool json_null(struct json *j)
{
	if (json_peek(j) != JSON_NULL || strncmp(j->at, "null", 4))
		return false;
	j->at += 4;
	return true;
}

int json_bool(struct json *j, bool *ret, struct err *e)
{
	bool value;

	if (json_peek(j) != JSON_BOOL)
		return json_fail_type(j, e, "bool");
	value = *j->at == 't';
	if (read_literal(j, value ? "true" : "false", e))
		return -1;
	*ret = value;
	return 0;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int read_digits(struct json *j, const char *where, struct err *e)
{
	if (!is_digit(*j->at))
		return json_fail_syntax(j, e, "%s", where);
	while (is_digit(*j->at))
		j->at++;
	return 0;
}

/* Moves over a number; *ret_whole tells whether it has neither fraction nor exponent. */
static int read_number(struct json *j, bool *ret_whole, struct err *e)
{
	bool whole = true;

	if (*j->at == '-')
		j->at++;
	if (*j->at == '0')
		j->at++;
	else if (read_digits(j, "in numeric literal", e))
		return -1;
	if (*j->at == '.') {
		j->at++;
		whole = false;
		if (read_digits(j, "after decimal point in numeric literal", e))
			return -1;
	}
	if (*j->at == 'e' || *j->at == 'E') {
		j->at++;
		whole = false;
		if (*j->at == '+' || *j->at == '-')
			j->at++;
		if (read_digits(j, "in exponent of numeric literal", e))
			return -1;
	}
	*ret_whole = whole;
	return 0;
}

/*
 * Reads a whole number as sign and magnitude; false in *ret_fits when the magnitude needs more than
 * 64 bits.
 */
static int read_integer(struct json *j, uint64_t *ret, bool *ret_fits, struct err *e)
{
	uint64_t value = 0;
	bool whole;

	if (json_peek(j) != JSON_NUMBER)
		return json_fail_type(j, e, "integer");
	if (read_number(j, &whole, e))
		return -1;
	if (!whole)
		return json_fail_number(j, e, "is not an integer");
	*ret_fits = true;
	for (const char *c = j->value + (*j->value == '-'); c < j->at; c++)
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
			*ret_fits = false;
	*ret = value;
	return 0;
}

int json_u64(struct json *j, uint64_t max, uint64_t *ret, struct err *e)
{
	uint64_t value;
	bool fits;

	if (read_integer(j, &value, &fits, e))
		return -1;
	if (!fits || *j->value == '-' || value > max)
		return json_fail_number(j, e, "is out of range (0 to %llu)",
					(unsigned long long)max);
	*ret = value;
	return 0;
}

int json_i64(struct json *j, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	uint64_t value;
	bool fits;

	if (read_integer(j, &value, &fits, e))
		return -1;
	if (*j->value == '-') {
		if (fits && value <= 0 - (uint64_t)min) {
			*ret = (int64_t)(0 - value);
			return 0;
		}
	} else if (fits && value <= (uint64_t)max) {
		*ret = (int64_t)value;
		return 0;
	}
	return json_fail_number(j, e, "is out of range (%lld to %lld)", (long long)min,
				(long long)max);
}

/* ---- strings --------------------------------------------------------------------------------- */

/* Bytes that stand for themselves in a string and need no second look. */
static const bool plain[256] = {[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... 0x7f] = true};

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* Reads XXXX of \uXXXX at `at`; −1 and *ret_bad on the wrong character when it is not that. */
static int read_hex4(const char *at, const char **ret_bad)
{
	int unit = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0) {
			*ret_bad = at + i;
			return -1;
		}
		unit = unit << 4 | digit;
	}
	return unit;
}

static bool is_high(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Moves over an escape, checking it. */
static int check_escape(struct json *j, struct err *e)
{
	char *begin = j->at;
	const char *bad = NULL;
	int unit, second;

	if (begin[1] != 'u') {
		j->at++;
		if (!begin[1] || !strchr("\"\\/bfnrt", begin[1]))
			return json_fail_syntax(j, e, "in string escape code");
		j->at++;
		return 0;
	}
	unit = read_hex4(begin + 2, &bad);
	if (unit < 0) {
		j->at += bad - begin;
		return json_fail_syntax(j, e, "in \\u hexadecimal character escape");
	}
	if (!unit)
		return json_fail_here(j, e, "a string may not contain NUL");
	if (is_low(unit))
		return json_fail_here(j, e, "lone surrogate %.6s in string", begin);
	j->at += 6;
	if (!is_high(unit))
		return 0;
	second = j->at[0] == '\\' && j->at[1] == 'u' ? read_hex4(j->at + 2, &bad) : -1;
	if (!is_low(second)) {
		j->at = begin;
		return json_fail_here(j, e, "lone surrogate %.6s in string", begin);
	}
	j->at += 6;
	return 0;
}

/*
 * Moves over a string, checking it; j->at is on its opening quote. *ret_end gets the place of the
 * closing one, *ret_escaped whether anything in it must be decoded.
 */
static int read_string(struct json *j, char **ret_end, bool *ret_escaped, struct err *e)
{
	bool escaped = false;

	for (j->at++; *j->at != '"';) {
		size_t length;

		if (plain[(unsigned char)*j->at]) {
			j->at++;
			continue;
		}
		if (*j->at == '\\') {
			escaped = true;
			if (check_escape(j, e))
				return -1;
			continue;
		}
		if ((unsigned char)*j->at < 0x20)
			return json_fail_syntax(j, e, "in string literal");
		length = utf8_length(j->at);
		if (!length)
			return json_fail_here(j, e, "a string is not valid UTF-8");
		j->at += length;
	}
	*ret_end = j->at++;
	*ret_escaped = escaped;
	return 0;
}

static char unescaped(char c)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *at = strchr(from, c);

	return at ? to[at - from] : c;
}

/* Decodes a checked string with escapes; the result is never longer than the text. */
static char *decode_escapes(struct json *j, const char *from, const char *end, struct err *e)
{
	char *text = arena_get(j->input->arena, (size_t)(end - from) + 1, e);
	char *to = text;
	const char *bad;

	while (text && from < end) {
		uint32_t character;

		if (*from != '\\') {
			*to++ = *from++;
			continue;
		}
		if (from[1] != 'u') {
			*to++ = unescaped(from[1]);
			from += 2;
			continue;
		}
		character = (uint32_t)read_hex4(from + 2, &bad);
		from += 6;
		if (is_high((int)character)) {
			character = 0x10000 + ((character & 0x3ff) << 10) +
				    ((uint32_t)read_hex4(from + 2, &bad) & 0x3ff);
			from += 6;
		}
		to += utf8_put(character, to);
	}
	return text;
}

/* Reads the string at j->at; see struct json_input for what becomes of the text. */
static int take_string(struct json *j, const char **ret, struct err *e)
{
	char *begin = j->at + 1, *end = NULL;
	bool escaped = false;

	if (read_string(j, &end, &escaped, e))
		return -1;
	if (escaped)
		begin = decode_escapes(j, begin, end, e);
	else
		*end = '\0';
	if (!begin)
		return -1;
	*ret = begin;
	return 0;
}

int json_string(struct json *j, const char **ret, struct err *e)
{
	if (json_peek(j) != JSON_STRING)
		return json_fail_type(j, e, "string");
	return take_string(j, ret, e);
}

/* ---- arrays and objects ---------------------------------------------------------------------- */

int json_enter(struct json *j, enum json_type type, const char *wanted, struct err *e)
{
	if (json_peek(j) != type)
		return json_fail_type(j, e, wanted);
	if (j->depth == JSON_DEPTH)
		return json_fail_here(j, e, "arrays and objects are nested deeper than %d",
				      JSON_DEPTH);
	j->path[j->depth++] = (struct json_step){.close = type == JSON_ARRAY ? ']' : '}'};
	j->at++;
	return 0;
}

static int next_member(struct json *j, struct json_step *step, struct err *e)
{
	skip_space(j);
	step->key = NULL; /* until the new one is known, errors point at the object */
	j->value = j->at;
	if (*j->at != '"')
		return json_fail_syntax(j, e, "looking for beginning of object key string");
	if (take_string(j, &step->key, e))
		return -1;
	skip_space(j);
	if (*j->at != ':')
		return json_fail_syntax(j, e, "after object key");
	j->at++;
	return 1;
}

int json_next(struct json *j, struct err *e)
{
	struct json_step *step = &j->path[j->depth - 1];
	bool object = step->close == '}';

	skip_space(j);
	if (*j->at == step->close) {
		j->at++;
		j->depth--;
		return 0;
	}
	if (step->count) {
		if (*j->at != ',')
			return json_fail_syntax(j, e, "after %s",
						object ? "object key:value pair" : "array element");
		j->at++;
	}
	step->count++;
	return object ? next_member(j, step, e) : 1;
}

const char *json_key(const struct json *j)
{
	return j->path[j->depth - 1].key;
}

/* ---- skipping -------------------------------------------------------------------------------- */

static int skip_scalar(struct json *j, enum json_type type, struct err *e)
{
	bool ignored;
	char *end;

	switch (type) {
	case JSON_NULL:
		return read_literal(j, "null", e);
	case JSON_BOOL:
		return read_literal(j, *j->at == 't' ? "true" : "false", e);
	case JSON_NUMBER:
		return read_number(j, &ignored, e);
	case JSON_STRING:
		return read_string(j, &end, &ignored, e);
	default:
		return json_fail_syntax(j, e, "%s", in_value);
	}
}

int json_skip(struct json *j, struct err *e)
{
	unsigned outer = j->depth;

	do {
		enum json_type type = json_peek(j);
		int more = 0;

		if (type == JSON_ARRAY || type == JSON_OBJECT ? json_enter(j, type, "", e)
							      : skip_scalar(j, type, e))
			return -1;
		/* closes what ends here, up to the next value to skip */
		while (j->depth > outer && !more)
			more = json_next(j, e);
		if (more < 0)
			return -1;
	} while (j->depth > outer);
	return 0;
}

int json_fail_type(struct json *j, struct err *e, const char *wanted)
{
	static const char *const names[] = {"nothing", "null",  "bool",  "number",
					    "string",  "array", "object"};
	enum json_type type = json_peek(j);

	if (type == JSON_NONE)
		return json_fail_syntax(j, e, "%s", in_value);
	/* a misspelt literal or number is that first */
	if (type < JSON_STRING && skip_scalar(j, type, e))
		return -1;
	return json_fail_wanted(j, e, names[type], wanted);
}
