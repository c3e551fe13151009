/*
 * The steps of build_process.c in words: see print.h.
 */
#include <string.h>

#include "base/str.h"
#include "plan/print.h"

static void add_caps(struct str *out, const char *name, uint64_t set)
{
	str_addf(out, "%s", name);
	if (!set)
		str_add(out, " none");
	for (unsigned cap = 0; cap < 64; cap++) {
		const char *word = set >> cap & 1 ? word_name(&words_capabilities, cap) : NULL;

		if (set >> cap & 1)
			str_addf(out, " %s", word ? word + strlen("CAP_") : "?");
	}
}

static void describe_user(const struct step *step, struct str *out)
{
	const struct spec_user *user = step->user.item;

	str_addf(out, "become user %u group %u", user->uid, user->gid);
	for (size_t i = 0; i < user->additional_gid_count; i++)
		str_addf(out, "%s%u", i ? " " : ", also ", user->additional_gids[i]);
	if (!step->user.setgroups)
		str_add(out, ", groups unchanged");
	str_addf(out, ", umask %04o", step->user.umask);
}

static void describe_caps(const struct step *step, struct str *out)
{
	add_caps(out, "capabilities: effective", step->caps->effective);
	add_caps(out, "; permitted", step->caps->permitted);
	add_caps(out, "; inheritable", step->caps->inheritable);
	add_caps(out, "; ambient", step->caps->ambient);
}

static void add_words(struct str *out, const struct words *words, uint64_t bits)
{
	for (size_t i = 0; i < words->count; i++)
		if (bits & words->item[i].number)
			str_addf(out, " %s", words->item[i].name);
}

static void describe_scheduler(const struct spec_scheduler *scheduler, struct str *out)
{
	str_addf(out, "schedule by %s",
		 word_name(&words_sched_policies, (uint64_t)scheduler->policy));
	if (scheduler->nice.set)
		str_addf(out, ", nice %d", scheduler->nice.value);
	if (scheduler->priority.set)
		str_addf(out, ", priority %d", scheduler->priority.value);
	if (scheduler->runtime.set || scheduler->deadline.set || scheduler->period.set)
		str_addf(out, ", runtime %llu deadline %llu period %llu ns",
			 (unsigned long long)scheduler->runtime.value,
			 (unsigned long long)scheduler->deadline.value,
			 (unsigned long long)scheduler->period.value);
	if (scheduler->flags)
		str_add_char(out, ',');
	add_words(out, &words_sched_flags, scheduler->flags);
}

static void describe_memory_policy(const struct spec_memory_policy *policy, struct str *out)
{
	str_addf(out, "memory by %s", word_name(&words_memory_modes, policy->mode));
	if (policy->nodes)
		str_addf(out, ", nodes %s", policy->nodes);
	if (policy->flags)
		str_add_char(out, ',');
	add_words(out, &words_memory_flags, policy->flags);
}

static void describe_rlimit(const struct spec_rlimit *limit, struct str *out)
{
	const char *name = word_name(&words_rlimits, (uint64_t)limit->type);

	str_addf(out, "limit %s soft %llu hard %llu", name ? name : "?",
		 (unsigned long long)limit->soft, (unsigned long long)limit->hard);
}

bool print_process(const struct step *step, struct str *out)
{
	switch (step->kind) {
	case STEP_RLIMIT:
		describe_rlimit(&step->rlimit, out);
		break;
	case STEP_SCHEDULER:
		describe_scheduler(step->scheduler, out);
		break;
	case STEP_IO_PRIORITY:
		str_addf(out, "I/O priority %d of %s", step->io_priority->priority,
			 word_name(&words_io_classes, (uint64_t)step->io_priority->class));
		break;
	case STEP_PERSONALITY:
		str_addf(out, "personality %s", word_name(&words_personalities, step->personality));
		break;
	case STEP_MEMORY_POLICY:
		describe_memory_policy(step->memory_policy, out);
		break;
	case STEP_BOUNDING:
		add_caps(out, "bounding capabilities:", step->bounding);
		break;
	case STEP_USER:
		describe_user(step, out);
		break;
	case STEP_CAPS:
		describe_caps(step, out);
		break;
	default:
		return false;
	}
	return true;
}
