/*
 * The JSON reader against json-c: the same documents are taken and refused, and the same values are
 * read from them.
 *
 * Each valid document is also damaged in every place. The two may only disagree where json-c is
 * lenient.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "document.h"
#include "json_c.h"
#include "json_text.h"

static const char *const documents[] = {
	"null",
	"true",
	"false",
	"0",
	"-1",
	"12345678901234567890",
	"1.5e-7",
	"\"text\"",
	"[]",
	"{}",
	"[1,2,[3,[4]],{}]",
	"{\"a\":{\"b\":[true,false,null]},\"c\":\"d\"}",
	"\t{ \"number\" :-9223372036854775807,\r\n\"list\":[18446744073709551615, 0.1 ] } ",
	"[\"\\u0041\\u00e9\\ud83d\\ude00\\n\\t\\\\\\/\\\"\",\"\xc3\xa9\xf0\x9f\x98\x80\"]",
	("{\"process\":{\"args\":[\"sh\",\"-c\",\"echo \\\"hi\\\"\"],"
	 "\"cwd\":\"/\",\"user\":{\"uid\":0}}}"),
};

static struct err our_error;

/* What the reader makes of a text; NULL and our_error when it refuses it. */
static const char *ours(const char *text, size_t length)
{
	struct json_input input = document_bytes(text, length);

	our_error = (struct err){0};
	return json_text(&input, &our_error);
}

/*
 * Where RFC 8259 is on our side: json-c takes some bad UTF-8 and control characters in strings,
 * numbers such as "-.5", "1." and "01", and makes U+FFFD of lone surrogates (of which the RFC only
 * says that nobody knows what to do with them).
 */
static bool json_c_is_lenient(const char *text)
{
	static const char *const complaints[] = {
		"in string literal", "not valid UTF-8", "lone surrogate",
		"numeric literal",   "character '0'",   "character '2'",
	};

	for (size_t i = 0; i < array_len(complaints); i++)
		if (strstr(our_error.text, complaints[i]))
			return true;
	return str_ends(text, ".");
}

static void compare(const char *text, size_t length)
{
	const char *a, *b;

	document_arena.used = 0;
	memset(document_arena.start, 0, 16384);
	a = ours(text, length);
	b = json_c_text(text, length, &document_arena);
	if (a ? !b || strcmp(a, b) : b && !json_c_is_lenient(text))
		fail_msg("%s\nours: %s\njson-c: %s", text, a ? a : "refused", b ? b : "refused");
}

/* json-c 0.18 takes characters beyond ASCII for damage: it is no judge then. */
static void needs_a_judge(void)
{
	if (json_c_text("[\"\xc3\xa9\"]", 6, &document_arena))
		return;
	print_message("skipped: this json-c refuses valid UTF-8\n");
	skip();
}

static void valid_documents_have_the_same_values(void **state)
{
	(void)state;
	needs_a_judge();
	for (size_t i = 0; i < array_len(documents); i++) {
		compare(documents[i], strlen(documents[i]));
		assert_non_null(ours(documents[i], strlen(documents[i])));
	}
}

static void shortened_documents_are_judged_alike(void **state)
{
	(void)state;
	needs_a_judge();
	for (size_t i = 0; i < array_len(documents); i++)
		for (size_t length = strlen(documents[i]); length > 0; length--) {
			char text[128] = "";

			memcpy(text, documents[i], length);
			compare(text, length);
		}
}

static void damaged_documents_are_judged_alike(void **state)
{
	static const char damage[] = "x0-.eE,:[]{}\"\\ \n\x01\x80\xc3t";

	(void)state;
	needs_a_judge();
	for (size_t i = 0; i < array_len(documents); i++)
		for (size_t at = 0; documents[i][at]; at++)
			for (const char *c = damage; *c; c++) {
				char text[128] = "";

				memcpy(text, documents[i], strlen(documents[i]));
				text[at] = *c;
				compare(text, strlen(text));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_documents_have_the_same_values),
		cmocka_unit_test(shortened_documents_are_judged_alike),
		cmocka_unit_test(damaged_documents_are_judged_alike),
	};

	return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
