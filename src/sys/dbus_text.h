/*
 * Values of D-Bus as text, in the format of GVariant: `true`, `uint64 10`, `'text'`, `["a", "b"]`,
 * `@a(ss) []`. That is how annotations give systemd properties, and how a plan shows them. Pure.
 */
#pragma once

#include "base/str.h"
#include "sys/dbus_message.h"

/*
 * Reads all of text as one value. Known are booleans, numbers, strings, arrays and tuples of them;
 * variants, dictionaries and byte strings are not. A number without a type is an int32, as it is to
 * others. Errors: ERR_INVALID.
 */
int dbus_parse(const char *text, struct arena *a, struct dbus_value *ret, struct err *e) must_check;

/* Adds a value as text, without its type. */
void dbus_add_text(struct str *out, const struct dbus_value *value);
