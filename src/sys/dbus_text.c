/*
 * Values of D-Bus as text: see dbus_text.h. The text of an annotation may be anybody's, so depth
 * and length are limited.
 */
#include "sys/dbus_text.h"

#include <inttypes.h>
#include <string.h>

#define DEPTH_MAX 8
#define TYPE_MAX 64 /* bytes of a type's signature */

struct parser {
	const char *at;
	struct arena *arena;
	int depth;
};

static int parse_value(struct parser *p, const char *type, struct dbus_value *ret, struct err *e);

static int fail(const struct parser *p, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s at \"%.20s\"", why, p->at);
}

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

static bool skip(struct parser *p, char c)
{
	skip_blanks(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

/* ---- types ----------------------------------------------------------------------------------- */

/* How long the one complete type is that signature begins with; 0: it is none that is known. */
static size_t type_length(const char *signature, int depth)
{
	size_t at = 1, inner;

	if (depth > DEPTH_MAX)
		return 0;
	if (*signature == 'a') {
		inner = type_length(signature + 1, depth + 1);
		return inner ? 1 + inner : 0;
	}
	if (*signature != '(')
		return *signature && strchr("ybnqiuxtdsog", *signature) ? 1 : 0;
	do {
		inner = type_length(signature + at, depth + 1);
		at += inner;
	} while (inner && signature[at] != ')');
	return inner ? at + 1 : 0;
}

static const char *copy_type(struct parser *p, const char *from, size_t length, struct err *e)
{
	if (length && length <= TYPE_MAX)
		return arena_copy(p->arena, from, length, e);
	(void)!fail(p, "no known type", e);
	return NULL;
}

/* "uint64 " → "t", "@as " → "as"; none: *ret stays as it is. */
static int take_type(struct parser *p, const char **ret, struct err *e)
{
	static const struct {
		const char *name, *type;
	} names[] = {
		{"boolean", "b"}, {"byte", "y"},   {"int16", "n"},      {"uint16", "q"},
		{"int32", "i"},   {"uint32", "u"}, {"int64", "x"},      {"uint64", "t"},
		{"double", "d"},  {"string", "s"}, {"objectpath", "o"}, {"signature", "g"},
	};
	size_t length = strcspn(p->at, " \t\n");

	if (*p->at == '@') {
		p->at++;
		*ret = copy_type(p, p->at, type_length(p->at, 0), e);
		if (!*ret)
			return -1;
		p->at += strlen(*ret);
		skip_blanks(p);
		return 0;
	}
	for (size_t i = 0; i < array_len(names); i++)
		if (strlen(names[i].name) == length && !memcmp(p->at, names[i].name, length)) {
			*ret = names[i].type;
			p->at += length;
			skip_blanks(p);
			break;
		}
	return 0;
}

/* ---- single values --------------------------------------------------------------------------- */

/* Ranges of the integers, the lowest as its distance below 0. */
static bool in_range(char type, bool negative, uint64_t size)
{
	static const struct {
		char type;
		uint64_t low, high;
	} ranges[] = {
		{'y', 0, UINT8_MAX},  {'n', (uint64_t)INT16_MAX + 1, INT16_MAX},
		{'q', 0, UINT16_MAX}, {'i', (uint64_t)INT32_MAX + 1, INT32_MAX},
		{'u', 0, UINT32_MAX}, {'x', (uint64_t)INT64_MAX + 1, INT64_MAX},
		{'t', 0, UINT64_MAX},
	};

	for (size_t i = 0; i < array_len(ranges); i++)
		if (ranges[i].type == type)
			return size <= (negative ? ranges[i].low : ranges[i].high);
	return false;
}

/* The digits at the parser's place as a number; they are skipped. */
static bool take_digits(struct parser *p, size_t *ret_length, uint64_t *ret)
{
	size_t length = strspn(p->at, "0123456789");
	char digits[24];

	if (length >= sizeof(digits))
		return false;
	memcpy(digits, p->at, length);
	digits[length] = '\0';
	p->at += length;
	*ret_length = length;
	return str_to_u64(digits, ret);
}

/* What follows the point of a double; without a point it is nothing. */
static bool take_fraction(struct parser *p, double *ret)
{
	size_t length;
	uint64_t digits;
	double fraction;

	*ret = 0;
	if (*p->at != '.')
		return true;
	p->at++;
	if (!take_digits(p, &length, &digits))
		return false;
	for (fraction = (double)digits; length; length--)
		fraction /= 10;
	*ret = fraction;
	return true;
}

/* Digits, a point and digits, without an exponent. */
static int parse_number(struct parser *p, const char *type, struct dbus_value *ret, struct err *e)
{
	bool negative = *p->at == '-';
	double fraction, number;
	size_t length;
	uint64_t size;

	p->at += negative;
	if (!take_digits(p, &length, &size))
		return fail(p, "no number", e);
	ret->type = type ? type : *p->at == '.' ? "d" : "i";
	if (*ret->type != 'd') {
		if (!in_range(*ret->type, negative, size))
			return fail(p, "a number out of range, or of another type,", e);
		ret->number = negative ? 0 - size : size;
		return 0;
	}
	if (!take_fraction(p, &fraction))
		return fail(p, "no number", e);
	number = (double)size + fraction;
	number = negative ? -number : number;
	memcpy(&ret->number, &number, sizeof(number));
	return 0;
}

static int parse_text(struct parser *p, const char *type, struct dbus_value *ret, struct err *e)
{
	static const char escapes[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";
	char quote = *p->at++;
	const char *known;
	struct str text;

	if (type && !strchr("sog", *type))
		return fail(p, "text in place of another type", e);
	str_init(&text, p->arena);
	for (; *p->at != quote; p->at++) {
		char c = *p->at;

		if (c == '\\') {
			c = *++p->at;
			known = c ? strchr(escapes, c) : NULL;
			if (!known && (!c || !strchr("\\'\"", c)))
				return fail(p, "an unknown escape", e);
			c = known ? bytes[known - escapes] : c;
		}
		if (!c)
			return fail(p, "text without an end", e);
		str_add_char(&text, c);
	}
	p->at++;
	ret->type = type ? type : "s";
	ret->text = str_end(&text, e);
	return ret->text ? 0 : -1;
}

static int parse_word(struct parser *p, const char *type, struct dbus_value *ret, struct err *e)
{
	bool yes = str_starts(p->at, "true");

	if ((!yes && !str_starts(p->at, "false")) || (type && *type != 'b'))
		return fail(p, "no value", e);
	p->at += yes ? strlen("true") : strlen("false");
	ret->type = "b";
	ret->number = yes;
	return 0;
}

/* ---- values of values ------------------------------------------------------------------------ */

static int parse_element(struct parser *p, const char *type, struct dbus_list *list,
			 size_t *capacity, struct err *e)
{
	struct dbus_value *item = (struct dbus_value *)(uintptr_t)list->item;

	item = arena_grow(p->arena, item, list->count, capacity, sizeof(*item), e);
	if (!item || parse_value(p, type, &item[list->count], e))
		return -1;
	list->item = item;
	list->count++;
	return 0;
}

static int parse_array(struct parser *p, const char *type, struct dbus_value *ret, struct err *e)
{
	const char *inner = type && *type == 'a' ? type + 1 : NULL;
	struct dbus_list list = {0};
	size_t capacity = 0;

	if (type && !inner)
		return fail(p, "an array in place of another type", e);
	p->at++;
	while (!skip(p, ']')) {
		if (list.count && !skip(p, ','))
			return fail(p, "no comma", e);
		if (parse_element(p, inner, &list, &capacity, e))
			return -1;
		if (inner && !str_equal(inner, list.item[list.count - 1].type))
			return fail(p, "elements of several types", e);
		inner = list.item[0].type;
	}
	if (!inner)
		return fail(p, "an empty array without a type", e);
	ret->type = type ? type : arena_format(p->arena, e, "a%s", inner);
	ret->list = list;
	return ret->type ? 0 : -1;
}

static int parse_tuple(struct parser *p, const char *type, struct dbus_value *ret, struct err *e)
{
	const char *inner = type ? type + 1 : NULL, *wanted = NULL;
	struct dbus_list list = {0};
	size_t capacity = 0;
	struct str made;

	if (type && *type != '(')
		return fail(p, "a tuple in place of another type", e);
	str_init(&made, p->arena);
	str_add_char(&made, '(');
	p->at++;
	while (!skip(p, ')')) {
		if (list.count && !skip(p, ','))
			return fail(p, "no comma", e);
		if (list.count && skip(p, ')'))
			break;
		if (inner) {
			wanted = copy_type(p, inner, type_length(inner, 0), e);
			if (!wanted)
				return -1;
			inner += strlen(wanted);
		}
		if (parse_element(p, wanted, &list, &capacity, e))
			return -1;
		str_add(&made, list.item[list.count - 1].type);
	}
	str_add_char(&made, ')');
	ret->type = str_end(&made, e);
	ret->list = list;
	if (!ret->type)
		return -1;
	if (!list.count || made.length > TYPE_MAX || (type && !str_equal(type, ret->type)))
		return fail(p, "a tuple of another type", e);
	return 0;
}

static int parse_value(struct parser *p, const char *type, struct dbus_value *ret, struct err *e)
{
	int failed;

	skip_blanks(p);
	if (take_type(p, &type, e))
		return -1;
	if (p->depth == DEPTH_MAX)
		return fail(p, "too many values in values", e);
	p->depth++;
	if (*p->at == '[')
		failed = parse_array(p, type, ret, e);
	else if (*p->at == '(')
		failed = parse_tuple(p, type, ret, e);
	else if (*p->at == '"' || *p->at == '\'')
		failed = parse_text(p, type, ret, e);
	else if (*p->at && strchr("-0123456789", *p->at))
		failed = parse_number(p, type, ret, e);
	else
		failed = parse_word(p, type, ret, e);
	p->depth--;
	return failed;
}

int dbus_parse(const char *text, struct arena *a, struct dbus_value *ret, struct err *e)
{
	struct parser p = {.at = text, .arena = a};
	struct dbus_value value = {0};

	if (parse_value(&p, NULL, &value, e))
		return -1;
	skip_blanks(&p);
	if (*p.at)
		return fail(&p, "more than one value", e);
	*ret = value;
	return 0;
}

/* ---- the other way --------------------------------------------------------------------------- */

static void add_list(struct str *out, const struct dbus_list *list, const char *brackets)
{
	str_add_char(out, brackets[0]);
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			str_add(out, ", ");
		dbus_add_text(out, &list->item[i]);
	}
	str_add_char(out, brackets[1]);
}

static void add_quoted(struct str *out, const char *text)
{
	str_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			str_add_char(out, '\\');
		str_add_char(out, *text);
	}
	str_add_char(out, '"');
}

void dbus_add_text(struct str *out, const struct dbus_value *value)
{
	double number;

	switch (*value->type) {
	case 's':
	case 'o':
	case 'g':
		add_quoted(out, value->text);
		break;
	case 'a':
		add_list(out, &value->list, "[]");
		break;
	case '(':
		add_list(out, &value->list, "()");
		break;
	case 'v':
		add_list(out, &value->list, "<>");
		break;
	case 'b':
		str_add(out, value->number ? "true" : "false");
		break;
	case 'd':
		memcpy(&number, &value->number, sizeof(number));
		str_addf(out, "%g", number);
		break;
	case 'n':
	case 'i':
	case 'x':
		str_addf(out, "%" PRId64, (int64_t)value->number);
		break;
	default:
		str_addf(out, "%" PRIu64, value->number);
	}
}
