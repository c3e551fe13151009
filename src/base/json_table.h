/*
 * A JSON object read straight into a struct: one static table per object says which member goes
 * where, and how.
 *
 * Rules are Go's (see spec/decode.h): keys match in any case, an exact match first; the last of a
 * repeated key wins (an object that is repeated is filled further, an array or map is replaced);
 * unknown members are skipped and told to the document's log at debug level; null leaves the value
 * as it is. Nothing outside the tables knows key names.
 *
 *     static const struct json_field point_fields[] = {
 *             {FIELD("x", struct point, x)}, // its kind follows from the C type
 *             {LIST_FIELD("labels", struct point, labels, LABEL)}, // objects, by table LABEL
 *     };
 *
 * A row holds no pointer: tables, words and functions are named by their index in the schema, so
 * that the rows need no relocation when the program starts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/opt.h"
#include "base/str.h"
#include "base/words.h"

enum json_kind {
	FIELD_BOOL = 1,
	FIELD_U16,
	FIELD_U32,
	FIELD_I32,
	FIELD_U64,
	FIELD_I64,
	/* same order */
	FIELD_OPT_BOOL,
	FIELD_OPT_U16,
	FIELD_OPT_U32,
	FIELD_OPT_I32,
	FIELD_OPT_U64,
	FIELD_OPT_I64,
	/* const char *; "" reads as absent (NULL), since runc cannot tell the two apart */
	FIELD_TEXT,
	FIELD_STRINGS,  /* struct str_list; a null in it is "" */
	FIELD_U32S,     /* { uint32_t *item; size_t count; } from an array of numbers */
	FIELD_MAP,      /* struct str_map */
	FIELD_WORD,     /* a name, stored as its number; the member must be there */
	FIELD_OPT_WORD, /* the same, may be absent */
	FIELD_WORDS,    /* { uint32_t *item; size_t count; } from an array of names */
	FIELD_BITS,     /* an array of names, whose numbers are or-ed */
	FIELD_OBJECT,   /* a struct inside the struct */
	FIELD_POINTER,  /* a pointer to a struct, made when the member is there */
	/* { struct x *item; size_t count; } from an array of objects; a null in it is all zero */
	FIELD_LIST,
	/*
	 * the same from an object of objects; the first member of struct x is const char *, the key
	 */
	FIELD_NAMED,
	FIELD_ODD, /* a function of the schema reads it */
};

struct json_field {
	char key[24];
	uint8_t kind;
	uint8_t size;    /* of the number, for words and bits */
	uint8_t of;      /* index of the table, words or function */
	uint16_t offset; /* in the struct of the object */
	/* offset of a bool that becomes true when the member is there (and not null); 0: none */
	uint16_t given;
};

struct json_table {
	const struct json_field *field;
	uint16_t count;
	uint16_t size; /* of the struct */
	/* defaults of an item or a struct that the reader makes, when they are not zero; or NULL */
	void (*init)(void *object);
};

/* A table of words, and what is written around a name that is not in it. */
struct json_words {
	const struct words *words;
	const char *before, *after;
};

struct json_schema {
	const struct json_table *tables;
	const struct json_words *words;
	int (*const *odd)(struct json *j, const struct json_field *field, void *object,
			  struct err *e);
};

/*
 * Reads one object by a table into *object, which the caller zeroed. Errors: ERR_INVALID with file,
 * line, column and pointer; ERR_NO_MEMORY.
 */
int json_read(struct json *j, const struct json_schema *schema, unsigned table, void *object,
	      struct err *e) must_check;

/* Reads an array of strings, for the functions of a schema. */
int json_strings(struct json *j, struct str_list *ret, struct err *e) must_check;

/* ---- rows and tables ------------------------------------------------------------------------- */

#define JSON_KIND(lvalue) \
	_Generic((lvalue),                                                        \
		 bool: FIELD_BOOL, uint16_t: FIELD_U16,                           \
		 uint32_t: FIELD_U32, int32_t: FIELD_I32,                         \
		 uint64_t: FIELD_U64, int64_t: FIELD_I64,                         \
		 struct opt_bool: FIELD_OPT_BOOL, struct opt_u16: FIELD_OPT_U16,  \
		 struct opt_u32: FIELD_OPT_U32, struct opt_i32: FIELD_OPT_I32,    \
		 struct opt_u64: FIELD_OPT_U64, struct opt_i64: FIELD_OPT_I64,    \
		 const char *: FIELD_TEXT, struct str_list: FIELD_STRINGS,        \
		 struct str_map: FIELD_MAP)

#define JSON_ROW(name, wanted, type, member) \
	.key = name, .kind = wanted, .offset = offsetof(type, member)

/* Whatever follows from the C type. */
#define FIELD(name, type, member) JSON_ROW(name, JSON_KIND(((type *)0)->member), type, member)
#define U32S_FIELD(name, type, member) JSON_ROW(name, FIELD_U32S, type, member)

/* Names that stand for numbers; index says which words. */
#define JSON_WORD_ROW(name, wanted, type, member, index) \
	JSON_ROW(name, wanted, type, member), .size = sizeof(((type *)0)->member), .of = index
#define WORD_FIELD(name, type, member, index) JSON_WORD_ROW(name, FIELD_WORD, type, member, index)
#define OPT_WORD_FIELD(name, type, member, index) \
	JSON_WORD_ROW(name, FIELD_OPT_WORD, type, member, index)
#define WORDS_FIELD(name, type, member, index) JSON_WORD_ROW(name, FIELD_WORDS, type, member, index)
#define BITS_FIELD(name, type, member, index) JSON_WORD_ROW(name, FIELD_BITS, type, member, index)

/* Objects; index says by which table. */
#define OBJECT_FIELD(name, type, member, index) \
	JSON_ROW(name, FIELD_OBJECT, type, member), .of = index
#define POINTER_FIELD(name, type, member, index) \
	JSON_ROW(name, FIELD_POINTER, type, member), .of = index
#define LIST_FIELD(name, type, member, index) JSON_ROW(name, FIELD_LIST, type, member), .of = index
#define NAMED_FIELD(name, type, member, index) \
	JSON_ROW(name, FIELD_NAMED, type, member), .of = index

/* An object whose members belong to the same struct as it does itself. */
#define PART_FIELD(name, index) .key = name, .kind = FIELD_OBJECT, .of = index

/* Read by the function with that index. */
#define ODD_FIELD(name, type, member, index) JSON_ROW(name, FIELD_ODD, type, member), .of = index

/* Behind one of the above: the bool that tells an empty value from an absent one. */
#define GIVEN(type, member) .given = offsetof(type, member)

#define JSON_TABLE(rows, type) .field = rows, .count = array_len(rows), .size = sizeof(type)
