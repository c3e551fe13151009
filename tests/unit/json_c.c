/*
 * See json_c.h.
 */
#include "json_c.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/json_write.h"

static void copy_peer(struct json_object *o, struct json_writer *w, const char *key)
{
	switch (json_object_get_type(o)) {
	case json_type_boolean:
		json_write_bool(w, key, json_object_get_boolean(o));
		break;
	case json_type_int:
		if (json_object_get_int64(o) < 0 || json_object_get_uint64(o) <= INT64_MAX)
			json_write_i64(w, key, json_object_get_int64(o));
		else
			json_write_u64(w, key, json_object_get_uint64(o));
		break;
	case json_type_double:
		json_write_string(w, key, "another number");
		break;
	case json_type_string:
		json_write_string(w, key, json_object_get_string(o));
		break;
	case json_type_array:
		json_write_array(w, key);
		for (size_t i = 0; i < json_object_array_length(o); i++)
			copy_peer(json_object_array_get_idx(o, i), w, NULL);
		json_write_end(w);
		break;
	case json_type_object:
		json_write_object(w, key);
		json_object_object_foreach(o, name, value) copy_peer(value, w, name);
		json_write_end(w);
		break;
	default:
		json_write_null(w, key);
	}
}

const char *json_c_text(const char *text, size_t length, struct arena *a)
{
	struct json_tokener *t = json_tokener_new_ex(128);
	struct json_object *o;
	struct json_writer w;
	const char *result = NULL;
	struct str out;
	struct err e;

	if (!t)
		abort();
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, text, (int)length + 1);
	if (json_tokener_get_error(t) == json_tokener_success) {
		str_init(&out, a);
		json_write_init(&w, &out, NULL);
		copy_peer(o, &w, NULL);
		result = str_end(&out, &e);
	}
	json_object_put(o);
	json_tokener_free(t);
	return result;
}
