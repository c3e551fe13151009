/*
 * Objects into structs: see json_table.h. One function per kind of field; the arrays and maps share
 * list_* below.
 *
 * Unknown members cost two passes over the table, known ones almost nothing: the search begins
 * where the last member was found, because generators write members in one order.
 */
#include "base/json_table.h"

#include <string.h>

/* Members of all maps of a document: repeated keys are found by comparing all with all. */
#define NAMED_LIMIT 4096

/* ---- a list of anything under construction --------------------------------------------------- */

struct list {
	char *item;
	size_t count, capacity, size;
};

/* Room for one more item, zeroed; NULL on failure. It counts at once. */
static void *list_add(struct list *l, struct json *j, struct err *e)
{
	char *item = arena_grow(j->input->arena, l->item, l->count, &l->capacity, l->size, e);

	if (!item)
		return NULL;
	l->item = item;
	return item + l->count++ * l->size;
}

/* Every list of a struct is a pointer to the items and, behind it, a size_t count. */
static void list_store(const struct list *l, void *field)
{
	memcpy(field, &l->item, sizeof(l->item));
	memcpy((char *)field + sizeof(l->item), &l->count, sizeof(l->count));
}

/*
 * For lists whose items begin with a const char *, the key: moves the last item, when its key was
 * there before, to the place of the first one.
 */
static int list_merge_key(struct list *l, struct json *j, struct err *e)
{
	char *last = l->item + (l->count - 1) * l->size;

	if (++j->named > NAMED_LIMIT)
		return json_fail(j, e, "more than %d named members in all", NAMED_LIMIT);
	for (char *item = l->item; item < last; item += l->size) {
		if (strcmp(*(const char **)(void *)item, *(const char **)(void *)last))
			continue;
		memcpy(item, last, l->size);
		memset(last, 0, l->size);
		l->count--;
		break;
	}
	return 0;
}

/* ---- lists of plain values ------------------------------------------------------------------- */

int json_strings(struct json *j, struct str_list *ret, struct err *e)
{
	struct list l = {.size = sizeof(const char *)};
	int more;

	if (json_enter(j, JSON_ARRAY, "array of strings", e))
		return -1;
	while ((more = json_next(j, e)) > 0) {
		const char **item = list_add(&l, j, e);

		if (!item)
			return -1;
		if (json_null(j))
			*item = "";
		else if (json_string(j, item, e))
			return -1;
	}
	if (more < 0)
		return -1;
	*ret = (struct str_list){(const char **)(void *)l.item, l.count};
	return 0;
}

static int read_u32s(struct json *j, void *field, struct err *e)
{
	struct list l = {.size = sizeof(uint32_t)};
	int more;

	if (json_enter(j, JSON_ARRAY, "array of integers", e))
		return -1;
	while ((more = json_next(j, e)) > 0) {
		uint32_t *item = list_add(&l, j, e);
		uint64_t value = 0;

		if (!item || (!json_null(j) && json_u64(j, UINT32_MAX, &value, e)))
			return -1;
		*item = (uint32_t)value;
	}
	if (more < 0)
		return -1;
	list_store(&l, field);
	return 0;
}

static int read_map(struct json *j, struct str_map *ret, struct err *e)
{
	struct list l = {.size = sizeof(struct str_pair)};
	int more;

	if (json_enter(j, JSON_OBJECT, "object of strings", e))
		return -1;
	while ((more = json_next(j, e)) > 0) {
		struct str_pair *pair = list_add(&l, j, e);

		if (!pair)
			return -1;
		*pair = (struct str_pair){json_key(j), ""};
		if (!json_null(j) && json_string(j, &pair->value, e))
			return -1;
		if (list_merge_key(&l, j, e))
			return -1;
	}
	if (more < 0)
		return -1;
	*ret = (struct str_map){(struct str_pair *)(void *)l.item, l.count};
	return 0;
}

/* ---- words ----------------------------------------------------------------------------------- */

static int fail_word(struct json *j, const struct json_words *words, const char *name,
		     struct err *e)
{
	return json_fail(j, e, "%s%s%s", words->before, name, words->after);
}

static int read_word(struct json *j, const struct json_words *words, uint64_t *ret, struct err *e)
{
	const char *name = "";

	if (!json_null(j) && json_string(j, &name, e))
		return -1;
	return word_number(words->words, name, ret) ? 0 : fail_word(j, words, name, e);
}

static void store_number(void *field, unsigned size, uint64_t number)
{
	if (size == sizeof(uint8_t))
		*(uint8_t *)field = (uint8_t)number;
	else if (size == sizeof(uint32_t))
		*(uint32_t *)field = (uint32_t)number;
	else
		*(uint64_t *)field = number;
}

static int read_words(struct json *j, const struct json_words *words, void *field, struct err *e)
{
	struct list l = {.size = sizeof(uint32_t)};
	int more;

	if (json_enter(j, JSON_ARRAY, "array of strings", e))
		return -1;
	while ((more = json_next(j, e)) > 0) {
		uint32_t *item = list_add(&l, j, e);
		uint64_t number;

		if (!item || read_word(j, words, &number, e))
			return -1;
		*item = (uint32_t)number;
	}
	if (more < 0)
		return -1;
	list_store(&l, field);
	return 0;
}

static int read_bits(struct json *j, const struct json_words *words, uint64_t *ret, struct err *e)
{
	uint64_t bits = 0, number;
	int more;

	if (json_enter(j, JSON_ARRAY, "array of strings", e))
		return -1;
	while ((more = json_next(j, e)) > 0) {
		if (read_word(j, words, &number, e))
			return -1;
		bits |= number;
	}
	if (more < 0)
		return -1;
	*ret = bits;
	return 0;
}

static int read_word_field(struct json *j, const struct json_schema *schema,
			   const struct json_field *f, void *field, struct err *e)
{
	const struct json_words *words = &schema->words[f->of];
	uint64_t number;

	if (f->kind == FIELD_WORDS)
		return read_words(j, words, field, e);
	if (f->kind == FIELD_BITS ? read_bits(j, words, &number, e)
				  : read_word(j, words, &number, e))
		return -1;
	store_number(field, f->size, number);
	return 0;
}

/* ---- numbers and switches -------------------------------------------------------------------- */

static int read_unsigned(struct json *j, uint64_t max, unsigned size, void *field, struct err *e)
{
	uint64_t value;

	if (json_u64(j, max, &value, e))
		return -1;
	if (size == sizeof(uint16_t))
		*(uint16_t *)field = (uint16_t)value;
	else if (size == sizeof(uint32_t))
		*(uint32_t *)field = (uint32_t)value;
	else
		*(uint64_t *)field = value;
	return 0;
}

static int read_i32(struct json *j, int32_t *ret, struct err *e)
{
	int64_t value;

	if (json_i64(j, INT32_MIN, INT32_MAX, &value, e))
		return -1;
	*ret = (int32_t)value;
	return 0;
}

static int read_plain(struct json *j, enum json_kind kind, void *field, struct err *e)
{
	switch (kind) {
	case FIELD_BOOL:
		return json_bool(j, field, e);
	case FIELD_U16:
		return read_unsigned(j, UINT16_MAX, sizeof(uint16_t), field, e);
	case FIELD_U32:
		return read_unsigned(j, UINT32_MAX, sizeof(uint32_t), field, e);
	case FIELD_U64:
		return read_unsigned(j, UINT64_MAX, sizeof(uint64_t), field, e);
	case FIELD_I32:
		return read_i32(j, field, e);
	default:
		return json_i64(j, INT64_MIN, INT64_MAX, field, e);
	}
}

static int read_opt(struct json *j, enum json_kind kind, void *field, struct err *e)
{
	static const uint8_t set_at[] = {
		[FIELD_OPT_BOOL] = offsetof(struct opt_bool, set),
		[FIELD_OPT_U16] = offsetof(struct opt_u16, set),
		[FIELD_OPT_U32] = offsetof(struct opt_u32, set),
		[FIELD_OPT_I32] = offsetof(struct opt_i32, set),
		[FIELD_OPT_U64] = offsetof(struct opt_u64, set),
		[FIELD_OPT_I64] = offsetof(struct opt_i64, set),
	};

	if (read_plain(j, kind - FIELD_OPT_BOOL + FIELD_BOOL, field, e))
		return -1;
	*((bool *)field + set_at[kind]) = true;
	return 0;
}

static int read_text(struct json *j, const char **ret, struct err *e)
{
	const char *text;

	if (json_string(j, &text, e))
		return -1;
	*ret = *text ? text : NULL;
	return 0;
}

/* ---- objects --------------------------------------------------------------------------------- */

/*
 * The members that have to be there are the names that stand for numbers: an absent one would read
 * as number 0.
 */
static int check_words(struct json *j, const struct json_schema *schema, const struct json_table *t,
		       uint64_t seen, struct err *e)
{
	for (unsigned i = 0; i < t->count; i++) {
		const struct json_field *f = &t->field[i];

		if (f->kind == FIELD_WORD && !(seen & UINT64_C(1) << i))
			return fail_word(j, &schema->words[f->of], "", e);
	}
	return 0;
}

/* A new struct, with its defaults. */
static void init(const struct json_table *t, void *object)
{
	if (t->init)
		t->init(object);
}

static int read_pointer(struct json *j, const struct json_schema *schema, unsigned table,
			void *field, struct err *e)
{
	const struct json_table *t = &schema->tables[table];
	void *object;

	/* a repeated member fills the same struct further */
	memcpy(&object, field, sizeof(object));
	if (!object) {
		object = arena_get(j->input->arena, t->size, e);
		if (!object)
			return -1;
		init(t, object);
	}
	if (json_read(j, schema, table, object, e))
		return -1;
	memcpy(field, &object, sizeof(object));
	return 0;
}

/* One item of a list: a null one has nothing in it but the defaults. */
static int read_item(struct json *j, const struct json_schema *schema, unsigned table, void *item,
		     struct err *e)
{
	const struct json_table *t = &schema->tables[table];

	init(t, item);
	if (!json_null(j))
		return json_read(j, schema, table, item, e);
	return check_words(j, schema, t, 0, e);
}

/* An array of objects, or an object of them: the items of the latter begin with their key. */
static int read_list(struct json *j, const struct json_schema *schema, const struct json_field *f,
		     void *field, struct err *e)
{
	struct list l = {.size = schema->tables[f->of].size};
	bool named = f->kind == FIELD_NAMED;
	int more;

	if (json_enter(j, named ? JSON_OBJECT : JSON_ARRAY,
		       named ? "object of objects" : "array of objects", e))
		return -1;
	while ((more = json_next(j, e)) > 0) {
		void *item = list_add(&l, j, e);

		if (!item || read_item(j, schema, f->of, item, e))
			return -1;
		if (!named)
			continue;
		*(const char **)item = json_key(j);
		if (list_merge_key(&l, j, e))
			return -1;
	}
	if (more < 0)
		return -1;
	list_store(&l, field);
	return 0;
}

static int read_field(struct json *j, const struct json_schema *schema, const struct json_field *f,
		      void *object, struct err *e)
{
	void *field = (char *)object + f->offset;

	switch ((enum json_kind)f->kind) {
	case FIELD_BOOL ... FIELD_I64:
		return read_plain(j, f->kind, field, e);
	case FIELD_OPT_BOOL ... FIELD_OPT_I64:
		return read_opt(j, f->kind, field, e);
	case FIELD_TEXT:
		return read_text(j, field, e);
	case FIELD_STRINGS:
		return json_strings(j, field, e);
	case FIELD_U32S:
		return read_u32s(j, field, e);
	case FIELD_MAP:
		return read_map(j, field, e);
	case FIELD_WORD:
	case FIELD_OPT_WORD:
	case FIELD_WORDS:
	case FIELD_BITS:
		return read_word_field(j, schema, f, field, e);
	case FIELD_OBJECT:
		return json_read(j, schema, f->of, field, e);
	case FIELD_POINTER:
		return read_pointer(j, schema, f->of, field, e);
	case FIELD_LIST:
	case FIELD_NAMED:
		return read_list(j, schema, f, field, e);
	case FIELD_ODD:
		return schema->odd[f->of](j, f, object, e);
	}
	return json_fail(j, e, "no way to read a member of kind %d", f->kind);
}

/*
 * The field of a key, beginning at *next, which is moved behind it; NULL when the table has none.
 */
static const struct json_field *find_field(const struct json_table *t, const char *key,
					   unsigned *next)
{
	for (unsigned i = 0, at = *next; i < t->count; i++, at++) {
		const struct json_field *f = &t->field[at < t->count ? at : at - t->count];

		if (f->key[0] != key[0] || strcmp(f->key, key))
			continue;
		*next = (unsigned)(f - t->field) + 1;
		return f;
	}
	for (const struct json_field *f = t->field; f < t->field + t->count; f++)
		if (str_equal_nocase(f->key, key))
			return f;
	return NULL;
}

static int read_member(struct json *j, const struct json_schema *schema, const struct json_field *f,
		       void *object, struct err *e)
{
	if (!f) {
		if (log_wants(j->input->log, LOG_LEVEL_DEBUG))
			json_tell_unknown(j);
		return json_skip(j, e);
	}
	if (json_null(j))
		return 0;
	if (read_field(j, schema, f, object, e))
		return -1;
	if (f->given)
		*((bool *)object + f->given) = true;
	return 0;
}

int json_read(struct json *j, const struct json_schema *schema, unsigned table, void *object,
	      struct err *e)
{
	const struct json_table *t = &schema->tables[table];
	const char *begin;
	unsigned next = 0;
	uint64_t seen = 0;
	int more;

	if (json_enter(j, JSON_OBJECT, "object", e))
		return -1;
	begin = j->value;
	while ((more = json_next(j, e)) > 0) {
		const struct json_field *f = find_field(t, json_key(j), &next);

		if (f && json_peek(j) != JSON_NULL)
			seen |= UINT64_C(1) << (f - t->field);
		if (read_member(j, schema, f, object, e))
			return -1;
	}
	if (more < 0)
		return -1;
	j->value = begin;
	return check_words(j, schema, t, seen, e);
}
