/*
 * See schema_paths.h.
 */
#include "schema_paths.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define DEPTH 24 /* references and members inside one another */

/* A schema, the file it stands in (its references are relative to that), and where it applies. */
struct place {
	const char *folder;
	struct json_object *file;
	struct json_object *schema;
	char path[512];
	unsigned depth;
	void (*found)(const char *path);
};

static void walk(const struct place *p);

/* Files stay open to the end of the test: a handful, read again and again. */
static struct json_object *open_file(const char *folder, const char *name)
{
	static struct {
		char path[512];
		struct json_object *content;
	} files[32];
	char path[512];
	size_t i = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	while (files[i].content && strcmp(files[i].path, path))
		if (++i == sizeof(files) / sizeof(files[0]))
			return NULL;
	if (!files[i].content && (files[i].content = json_object_from_file(path)))
		memcpy(files[i].path, path, sizeof(path));
	return files[i].content;
}

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &value)
		       ? value
		       : NULL;
}

/* "defs.json#/definitions/Mount", or "#/definitions/Mount" in the same file. */
static void follow(const struct place *from, const char *reference)
{
	struct place to = *from;
	char name[256], *pointer;

	(void)snprintf(name, sizeof(name), "%s", reference);
	pointer = strchr(name, '#');
	if (!pointer)
		return;
	*pointer++ = '\0';
	if (*name)
		to.file = open_file(from->folder, name);
	if (to.file && !json_pointer_get(to.file, pointer, &to.schema))
		walk(&to);
}

static void walk_inside(const struct place *p, struct json_object *schema, const char *added)
{
	struct place inside = *p;
	size_t used = strlen(inside.path);

	inside.schema = schema;
	(void)snprintf(inside.path + used, sizeof(inside.path) - used, "%s", added);
	walk(&inside);
}

static void walk_members(const struct place *p, struct json_object *properties)
{
	json_object_object_foreach(properties, key, schema)
	{
		char added[128];

		(void)snprintf(added, sizeof(added), "%s%s", *p->path ? "." : "", key);
		walk_inside(p, schema, added);
	}
}

static void walk_choices(const struct place *p, struct json_object *choices)
{
	for (size_t i = 0; i < json_object_array_length(choices); i++)
		walk_inside(p, json_object_array_get_idx(choices, i), "");
}

static void walk(const struct place *outer)
{
	static const char *const choices[] = {"allOf", "anyOf", "oneOf"};
	struct place p = *outer;
	struct json_object *part;

	if (++p.depth > DEPTH)
		return;
	if (*p.path)
		p.found(p.path);
	if ((part = member(p.schema, "$ref")))
		follow(&p, json_object_get_string(part));
	if ((part = member(p.schema, "properties")))
		walk_members(&p, part);
	if ((part = member(p.schema, "items")))
		walk_inside(&p, part, "[]");
	if ((part = member(p.schema, "additionalProperties")))
		walk_inside(&p, part, "{}");
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		if ((part = member(p.schema, choices[i])))
			walk_choices(&p, part);
}

bool schema_paths(const char *folder, const char *file, void (*found)(const char *path))
{
	struct place top = {.folder = folder, .found = found};

	top.file = top.schema = open_file(folder, file);
	if (top.file)
		walk(&top);
	return top.file;
}
