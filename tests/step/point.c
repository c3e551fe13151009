/*
 * The words of the command line of step: where, and what. See the head of step.c.
 */
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "step.h"

static bool number_of(const char *text, unsigned *ret)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*ret = (unsigned)value;
	return *text && !*end && value > 0 && value < 1000000;
}

static bool parse_call(struct point *p, const char *text)
{
	const char *nth = strchr(text, '#');
	size_t length = nth ? (size_t)(nth - text) : strlen(text);
	char name[32];

	if (number_of(text, &p->total))
		return true;
	p->total = 0;
	if (length >= sizeof(name) || (nth && !number_of(nth + 1, &p->nth)))
		return false;
	memcpy(name, text, length);
	name[length] = '\0';
	p->call = -1;
	if (!strcmp(name, "*"))
		return true;
	p->call = seccomp_syscall_resolve_name(name);
	return p->call >= 0 && p->call < CALLS;
}

/* −1: nothing has this name. */
static int named(const char *text, const char *(*name)(int))
{
	for (int number = 1; number < 134; number++)
		if (name(number) && !strcmp(text, name(number)))
			return number;
	return -1;
}

static bool parse_action(struct point *p, const char *text)
{
	static const char *const names[] = {
		[KILL] = "kill",    [KILL_ALL] = "kill-all", [SIGNAL] = "signal=",
		[ERRNO] = "errno=", [SHORT] = "short",       [RUN] = "run=",
	};

	p->action_text = text;
	for (int i = 0; i <= RUN; i++) {
		size_t length = strlen(names[i]);
		if (names[i][length - 1] != '=' ? strcmp(text, names[i]) != 0
						: strncmp(text, names[i], length) != 0)
			continue;
		p->action = (enum action)i;
		p->command = text + length;
		if (i == SIGNAL || i == ERRNO)
			p->number = named(p->command, i == SIGNAL ? sigabbrev_np : strerrorname_np);
		return p->number >= 0;
	}
	return false;
}

bool point_parse(struct point *p, const char *where, const char *action)
{
	const char *colon = strchr(where, ':');
	size_t length = colon ? (size_t)(colon - where) : 0;

	*p = (struct point){.call = -1};
	if (!length || length >= sizeof(p->process))
		return false;
	memcpy(p->process, where, length);
	return parse_call(p, colon + 1) && parse_action(p, action);
}

bool point_met(struct point *point, const struct process *p)
{
	unsigned nth;

	if (strcmp(point->process, "*") != 0 && strcmp(point->process, p->name) != 0)
		return false;
	if (!point->total && point->call >= 0 && point->call != p->call)
		return false;
	point->seen++;
	nth = point->total ? point->total : point->nth;
	point->done = nth && point->seen >= nth;
	return !nth || point->seen == nth;
}
