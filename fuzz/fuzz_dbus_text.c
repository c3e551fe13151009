/*
 * Properties from annotations: any text is a value or is refused, a value's text gives the same
 * value again, and what it becomes as a message can be read by the decoder.
 */
#include <string.h>

#include "frame.h"
#include "sys/dbus_text.h"

/* Its message must be one, with the type that the value says. */
static void check_message(const struct dbus_value *value, struct arena *a)
{
	const struct dbus_call call = {.member = "M", .arguments = {value, 1}};
	struct dbus_message message;
	struct str out;
	struct err e;
	size_t length;

	if (dbus_encode_call(&call, 1, a, &out, &e))
		return; /* too long, or no memory is left */
	if (dbus_message_length((const uint8_t *)out.text, &length, &e) || length != out.length ||
	    dbus_decode((const uint8_t *)out.text, length, &message, &e) ||
	    !str_equal(message.signature, value->type))
		fuzz_broken("the message is not what the value says");
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct dbus_value value, again;
	struct str first, second, typed;
	struct err e = {0};

	(void)length;
	if (dbus_parse(text, a, &value, &e)) {
		fuzz_hold_error(&e);
		return;
	}
	check_message(&value, a);
	str_init(&first, a);
	str_init(&second, a);
	str_init(&typed, a);
	dbus_add_text(&first, &value);
	str_addf(&typed, "@%s %s", value.type, first.text);
	/* A double is written with few digits, and control characters without their escape. */
	if (strchr(value.type, 'd') || typed.failed || dbus_parse(typed.text, a, &again, &e))
		return;
	dbus_add_text(&second, &again);
	fuzz_hold(str_equal(value.type, again.type) &&
			  (second.failed || str_equal(first.text, second.text)),
		  "%s is read as %s", first.text, second.text);
}
