/*
 * The containers that a pattern means: for kill and delete, when they are given a regular
 * expression in place of an id, as crun's are.
 */
#include <regex.h>

#include "container/runtime.h"
#include "state/store.h"

static int fail_pattern(const regex_t *compiled, int why, const char *pattern, struct err *e)
{
	char words[120];

	(void)regerror(why, compiled, words, sizeof(words));
	return err_set(e, ERR_USAGE, "invalid regular expression \"%s\": %s", pattern, words);
}

int container_match(struct creel *c, const char *pattern, struct str_list *ret, struct err *e)
{
	struct str_list ids;
	regex_t compiled;
	size_t kept = 0;
	int why;

	if (store_list(c->root, false, &c->arena, &ids, e))
		return -1;
	why = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
	if (why)
		return fail_pattern(&compiled, why, pattern, e);
	for (size_t i = 0; i < ids.count; i++)
		if (!regexec(&compiled, ids.item[i], 0, NULL, 0))
			ids.item[kept++] = ids.item[i];
	regfree(&compiled);
	ids.count = kept;
	*ret = ids;
	return 0;
}
