/*
 * Names and numbers: see words.h.
 */
#include "base/words.h"

#include <string.h>

/*
 * Where the name ends, and its last letter, tell nearly all names apart before memcmp has to be
 * called: the names of one table begin alike (CAP_, SCMP_ACT_).
 */
bool word_number(const struct words *w, const char *name, uint64_t *ret)
{
	size_t length = strlen(name);

	if (length >= sizeof(w->item->name))
		return false;
	for (size_t i = 0; i < w->count; i++) {
		const char *item = w->item[i].name;

		if (item[length] || (length && item[length - 1] != name[length - 1]))
			continue;
		if (!memcmp(item, name, length)) {
			*ret = w->item[i].number;
			return true;
		}
	}
	return false;
}

const char *word_name(const struct words *w, uint64_t number)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->item[i].number == number)
			return w->item[i].name;
	return NULL;
}
