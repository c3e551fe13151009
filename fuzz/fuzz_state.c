/*
 * state.json of any bytes, as another creel, a full disk or an editor may have left it: it is a
 * record or is refused, and a record that is written reads as what it was.
 */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "frame.h"
#include "state/record.h"
#include "state/store.h"

/* The file that a record becomes. */
static const char *write_record(int directory, const struct state_record *record, struct arena *a)
{
	struct err e;
	size_t length;
	char *text;

	if (state_record_write(directory, record, a, &e)) {
		fuzz_hold(e.code == ERR_NO_MEMORY, "%s", e.text);
		return NULL;
	}
	fuzz_hold(!file_read(directory, STORE_STATE, FUZZ_MEMORY, a, &text, &length, &e) ||
			  e.code == ERR_NO_MEMORY,
		  "%s", e.text);
	return text;
}

static void check_again(int directory, const struct state_record *record, struct arena *a)
{
	const char *first = write_record(directory, record, a), *second;
	struct state_record *again;
	struct err e;

	if (!first)
		return;
	if (state_record_read(directory, a, &again, &e)) {
		fuzz_hold(e.code == ERR_NO_MEMORY, "what was written is refused: %s\n%s", e.text,
			  first);
		return;
	}
	fuzz_hold(str_equal(record->id, again->id) && str_equal(record->bundle, again->bundle) &&
			  record->pid == again->pid && record->start == again->start &&
			  record->cgroup_paths.count == again->cgroup_paths.count,
		  "what was written is another record\n%s", first);
	second = write_record(directory, again, a);
	fuzz_hold(!second || str_equal(first, second), "%s\nis written anew as\n%s", first, second);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct state_record *record;
	int directory = fuzz_directory();
	struct err e;

	fuzz_write(directory, STORE_STATE, text, length);
	if (state_record_read(directory, a, &record, &e))
		fuzz_hold_error(&e);
	else
		check_again(directory, record, a);
	(void)unlinkat(directory, STORE_STATE, 0);
}
