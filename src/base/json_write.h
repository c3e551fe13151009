/*
 * Writing JSON, escaped and laid out as Go's encoding/json does, because users' scripts compare
 * with runc's output: state, list, features, state.json, the state on hooks' stdin, log lines.
 *
 *     json_write_init(&w, &text, "  ");
 *     json_write_object(&w, NULL);
 *     json_write_string(&w, "id", id);
 *     json_write_end(&w);
 *
 * A function's key is the member's name inside an object and NULL inside an array and at the top.
 * Failure to allocate is remembered by the string (str_end tells). The caller is trusted to close
 * what it opens.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/str.h"

#define JSON_WRITE_DEPTH \
	64 /* arrays and objects inside one another; deeper ones are a failure of the string */

struct json_writer {
	struct str *out;
	const char *indent; /* NULL: all on one line without spaces */
	unsigned depth;
	uint64_t arrays; /* bit n: level n is an array */
	bool empty;      /* nothing was written into the innermost level yet */
};

/* Starts writing behind what out already holds. indent is "\t", "  ", … or NULL. */
void json_write_init(struct json_writer *w, struct str *out, const char *indent);

void json_write_object(struct json_writer *w, const char *key);
void json_write_array(struct json_writer *w, const char *key);
/* Closes the innermost array or object; an empty one is {} or [] in any layout. */
void json_write_end(struct json_writer *w);

/* value NULL gives null. Bytes that are not UTF-8 become U+FFFD. */
void json_write_string(struct json_writer *w, const char *key, const char *value);
void json_write_u64(struct json_writer *w, const char *key, uint64_t value);
void json_write_i64(struct json_writer *w, const char *key, int64_t value);
/* value / 100, without zeros at its end: 1250 is 12.5. */
void json_write_hundredths(struct json_writer *w, const char *key, uint64_t value);
void json_write_bool(struct json_writer *w, const char *key, bool value);
void json_write_null(struct json_writer *w, const char *key);

/*
 * A whole array of strings, and a whole object of strings with sorted keys (as Go writes its maps).
 */
void json_write_strings(struct json_writer *w, const char *key, const struct str_list *list);
void json_write_map(struct json_writer *w, const char *key, const struct str_map *map);
