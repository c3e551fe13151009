/*
 * From a JSON pointer back to line and column, for errors that are found after the document was
 * read.
 *
 * The text was checked by the reader, so nothing is checked again. A string ends with its quote or,
 * when the reader gave it out, with the NUL that replaced the quote (json.h, struct json_input).
 */
#include <string.h>
#include <strings.h>

#include "base/json.h"

struct cursor {
	const char *at, *end;
};

static void to_token(struct cursor *c)
{
	while (c->at < c->end && strchr(" \t\r\n,:", *c->at) && *c->at)
		c->at++;
}

/* Moves over the string at c->at. */
static void over_string(struct cursor *c)
{
	for (c->at++; c->at < c->end && *c->at && *c->at != '"'; c->at++)
		if (*c->at == '\\')
			c->at++;
	c->at++;
}

static void over_scalar(struct cursor *c)
{
	while (c->at < c->end && *c->at && !strchr(" \t\r\n,:]}", *c->at))
		c->at++;
}

/* Moves over the value at c->at. */
static void over_value(struct cursor *c)
{
	unsigned depth = 0;

	do {
		to_token(c);
		if (c->at >= c->end)
			return;
		if (*c->at == '"') {
			over_string(c);
		} else if (*c->at == '[' || *c->at == '{') {
			depth++;
			c->at++;
		} else if (*c->at == ']' || *c->at == '}') {
			depth--;
			c->at++;
		} else {
			over_scalar(c);
		}
	} while (depth);
}

/* Whether the key at `key`, behind its opening quote, is the pointer's token of that length. */
static bool key_is(const char *key, const char *token, size_t length)
{
	for (; length; length--, token++, key++) {
		char wanted = *token;

		if (wanted == '~' && length > 1) {
			wanted = *++token == '1' ? '/' : '~';
			length--;
		}
		if (strncasecmp(key, &wanted, 1))
			return false;
	}
	return *key == '"' || !*key;
}

static bool index_is(size_t index, const char *token, size_t length)
{
	size_t wanted = 0;

	for (size_t i = 0; i < length; i++) {
		if (token[i] < '0' || token[i] > '9')
			return false;
		wanted = wanted * 10 + (size_t)(token[i] - '0');
	}
	return length && wanted == index;
}

/*
 * The value of a token in the array or object at `at`: the last that matches, NULL when none does.
 */
static const char *find(const char *at, const char *end, const char *token, size_t length)
{
	struct cursor c = {at + 1, end};
	bool object = *at == '{';
	const char *found = NULL;

	if (*at != '{' && *at != '[')
		return NULL;
	for (size_t index = 0;; index++) {
		bool match;

		to_token(&c);
		if (c.at >= end || *c.at == ']' || *c.at == '}')
			return found;
		match = object ? key_is(c.at + 1, token, length) : index_is(index, token, length);
		if (object)
			over_string(&c);
		to_token(&c);
		if (match)
			found = c.at;
		over_value(&c);
	}
}

struct json_place json_locate(const char *text, size_t length, const char *pointer)
{
	struct cursor c = {text, text + length};

	to_token(&c);
	while (*pointer == '/') {
		size_t token = strcspn(pointer + 1, "/");
		const char *inner = find(c.at, c.end, pointer + 1, token);

		if (!inner)
			break;
		c.at = inner;
		pointer += 1 + token;
	}
	return json_place(text, c.at);
}
