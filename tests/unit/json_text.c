/*
 * See json_text.h.
 */
#include "json_text.h"

#include "base/json_write.h"

static int copy_value(struct json *j, struct json_writer *w, const char *key, struct err *e);

static int copy_items(struct json *j, struct json_writer *w, struct err *e)
{
	int more;

	while ((more = json_next(j, e)) > 0)
		if (copy_value(j, w, json_key(j), e))
			return -1;
	json_write_end(w);
	return more;
}

static int copy_number(struct json *j, struct json_writer *w, const char *key, struct err *e)
{
	struct json before = *j;
	uint64_t large;
	int64_t value;

	if (!json_i64(j, INT64_MIN, INT64_MAX, &value, e)) {
		json_write_i64(w, key, value);
		return 0;
	}
	*j = before;
	if (!json_u64(j, UINT64_MAX, &large, e)) {
		json_write_u64(w, key, large);
		return 0;
	}
	*j = before;
	json_write_string(w, key, "another number");
	return json_skip(j, e);
}

static int copy_value(struct json *j, struct json_writer *w, const char *key, struct err *e)
{
	const char *text;
	bool truth;

	switch (json_peek(j)) {
	case JSON_BOOL:
		if (json_bool(j, &truth, e))
			return -1;
		json_write_bool(w, key, truth);
		return 0;
	case JSON_NUMBER:
		return copy_number(j, w, key, e);
	case JSON_STRING:
		if (json_string(j, &text, e))
			return -1;
		json_write_string(w, key, text);
		return 0;
	case JSON_ARRAY:
		json_write_array(w, key);
		return json_enter(j, JSON_ARRAY, "array", e) ? -1 : copy_items(j, w, e);
	case JSON_OBJECT:
		json_write_object(w, key);
		return json_enter(j, JSON_OBJECT, "object", e) ? -1 : copy_items(j, w, e);
	default:
		json_write_null(w, key);
		return json_skip(j, e);
	}
}

const char *json_text(const struct json_input *input, struct err *e)
{
	struct json_writer w;
	struct str out;
	struct json j;

	str_init(&out, input->arena);
	json_write_init(&w, &out, NULL);
	if (json_init(&j, input, e) || copy_value(&j, &w, NULL, e))
		return NULL;
	/* the reader leaves it to its caller to look at what follows */
	if (json_peek(&j) != JSON_NONE || j.at != j.end) {
		err_set(e, ERR_INVALID, "something follows the value");
		return NULL;
	}
	return str_end(&out, e);
}
