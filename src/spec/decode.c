/*
 * The decoder's entry points, and the members that the tables cannot express: see decode.h.
 */
#include "spec/decode.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "spec/decode_tables.h"

static int append(struct str_list *list, const struct str_list *more, struct arena *a,
		  struct err *e)
{
	const char **item = arena_get_array(a, list->count + more->count, sizeof(*item), e);

	if (!item)
		return -1;
	for (size_t i = 0; i < list->count; i++)
		item[i] = list->item[i];
	for (size_t i = 0; i < more->count; i++)
		item[list->count + i] = more->item[i];
	*list = (struct str_list){item, list->count + more->count};
	return 0;
}

int spec_read_capabilities(struct json *j, const struct json_field *field, void *object,
			   struct err *e)
{
	struct spec_capabilities *c = object;
	struct str_list names, unknown = {0};
	uint64_t mask = 0, number;

	if (json_strings(j, &names, e))
		return -1;
	unknown.item = names.item; /* the unknown ones move to the front of their own list */
	for (size_t i = 0; i < names.count; i++) {
		if (word_number(&words_capabilities, names.item[i], &number))
			mask |= UINT64_C(1) << number;
		else
			unknown.item[unknown.count++] = names.item[i];
	}
	*(uint64_t *)((char *)object + field->offset) = mask;
	return unknown.count ? append(&c->unknown, &unknown, j->input->arena, e) : 0;
}

/* Reads a document whose top is the object of a table. */
static int decode(const struct json_input *input, enum spec_table table, void *object,
		  const char *null_text, struct err *e)
{
	struct json j;

	if (json_init(&j, input, e))
		return -1;
	if (json_null(&j))
		return err_set(e, ERR_INVALID, "%s", null_text);
	return json_read(&j, &spec_schema, table, object, e);
}

int spec_decode(const struct json_input *input, struct spec **ret, struct err *e)
{
	struct spec *spec = arena_get(input->arena, sizeof(*spec), e);

	if (!spec || decode(input, TABLE_SPEC, spec, "config cannot be null", e))
		return -1;
	*ret = spec;
	return 0;
}

int spec_decode_process(const struct json_input *input, struct spec_process **ret, struct err *e)
{
	struct spec_process *process = arena_get(input->arena, sizeof(*process), e);

	if (!process ||
	    decode(input, TABLE_PROCESS, process, "process property must not be empty", e))
		return -1;
	*ret = process;
	return 0;
}

int spec_decode_resources(const struct json_input *input, struct spec_resources **ret,
			  struct err *e)
{
	struct spec_resources *resources = arena_get(input->arena, sizeof(*resources), e);

	if (!resources || decode(input, TABLE_RESOURCES, resources, "resources cannot be null", e))
		return -1;
	*ret = resources;
	return 0;
}

int spec_load(int bundle, const char *name, struct arena *a, const struct log *log,
	      struct spec **ret, struct json_input *ret_input, struct err *e)
{
	struct json_input input = {.name = name, .arena = a, .log = log};

	if (file_read(bundle, name, JSON_LIMIT, a, &input.text, &input.length, e)) {
		if (e->sys != ENOENT)
			return -1;
		err_set(e, ERR_INVALID, "JSON specification file %s not found", name);
		e->sys = ENOENT;
		return -1;
	}
	if (spec_decode(&input, ret, e))
		return -1;
	if (ret_input)
		*ret_input = input;
	return 0;
}

void spec_point(const struct json_input *input, struct err *e)
{
	size_t name = input->name ? strlen(input->name) : 0;
	struct json_place place;

	if (!name || !e->pointer[0] ||
	    (!strncmp(e->text, input->name, name) && e->text[name] == ':'))
		return;
	place = json_locate(input->text, input->length, e->pointer);
	err_wrap(e, "%s:%u:%u", input->name, place.line, place.column);
}
