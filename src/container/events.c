/*
 * events: tells what a container uses, and when its memory runs out, until its cgroup is empty.
 *
 * The container is not locked: it lives, and dies, while it is watched.
 */
#include <string.h>
#include <time.h>

#include "cgroup/watch.h"
#include "container/stats_json.h"
#include "container/status.h"

#define INTERVAL 5000000000          /* nanoseconds, unless another one is asked for */
#define INTERVAL_MAX (INT64_MAX / 4) /* more, and the clock could not count to its end */

/* One run of events. */
struct report {
	struct creel *c;
	const struct container *ct;
	const struct creel_events *o;
	struct arena arena; /* of one event */
};

static int64_t now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Hands an event over. 1: nobody wants more of them. */
static int tell(struct report *r, const char *type, const struct cgroup_stats *stats, struct err *e)
{
	struct json_writer w;
	struct str text;

	str_init(&text, &r->arena);
	json_write_init(&w, &text, NULL);
	json_write_object(&w, NULL);
	json_write_string(&w, "type", type);
	json_write_string(&w, "id", r->ct->id);
	if (stats)
		stats_write(&w, "data", stats);
	json_write_end(&w);
	str_add_char(&text, '\n');
	if (!str_end(&text, e))
		return -1;
	return r->o->event(r->o->user, text.text) ? 1 : 0;
}

static int tell_stats(struct report *r, struct err *e)
{
	struct cgroup_stats stats;

	if (arena_reset(&r->arena, e) || cgroup_stats(&r->ct->cgroup, &r->arena, &stats, e))
		return -1;
	return tell(r, "stats", &stats, e);
}

static int tell_oom(struct report *r, struct err *e)
{
	return arena_reset(&r->arena, e) ? -1 : tell(r, "oom", NULL, e);
}

/* What cannot be read now may be readable the next time. */
static int tell_stats_or_why_not(struct report *r)
{
	struct err why;
	int rc = tell_stats(r, &why);

	if (rc >= 0)
		return rc;
	log_add(&r->c->log, LOG_LEVEL_ERROR, "%s", why.text);
	return 0;
}

static int tell_all(struct report *r, struct cgroup_watch *watch, struct err *e)
{
	int64_t interval = INTERVAL, next, left;
	unsigned what = 0;
	int rc = 0;

	if (r->o->interval)
		interval = r->o->interval < INTERVAL_MAX ? (int64_t)r->o->interval : INTERVAL_MAX;
	next = now() + interval;
	while (!rc && !(what & CGROUP_WATCH_END)) {
		left = next - now();
		if (cgroup_watch_wait(watch, left > 0 ? left : 0, &what, e))
			return -1;
		if (what & CGROUP_WATCH_OOM)
			rc = tell_oom(r, e);
		if (rc || what & CGROUP_WATCH_END || now() < next)
			continue;
		rc = tell_stats_or_why_not(r);
		next += interval;
		if (next < now()) /* too slow for it: one is left out */
			next = now() + interval;
	}
	return rc;
}

static int watch_and_tell(struct report *r, struct err *e)
{
	struct cgroup_watch watch;
	int rc;

	if (cgroup_watch_begin(&r->ct->cgroup, r->ct->pidfd, &watch, e))
		return -1;
	rc = tell_all(r, &watch, e);
	cgroup_watch_end(&watch);
	return rc;
}

static int check(const struct container *ct, struct err *e)
{
	if (!ct->pid)
		return err_set(e, ERR_STATE, "container with id %s is not running", ct->id);
	if (!ct->cgroup.count)
		return err_set(e, ERR_UNSUPPORTED,
			       "container %s has no cgroup: nobody counts what it uses", ct->id);
	return 0;
}

static int report_open(struct creel *c, struct container *ct, const struct creel_events *o,
		       struct err *e)
{
	struct report r = {.c = c, .ct = ct, .o = o};
	int rc;

	if (check(ct, e) || container_hold(ct, e) || check(ct, e) ||
	    arena_init(&r.arena, ARENA_LIMIT, e))
		return -1;
	rc = o->stats ? tell_stats(&r, e) : watch_and_tell(&r, e);
	arena_done(&r.arena);
	return rc < 0 ? -1 : 0;
}

int container_events(struct creel *c, const char *id, const struct creel_events *o, struct err *e)
{
	struct container ct;
	int failed;

	if (container_open(c, id, false, &ct, e))
		return -1;
	failed = report_open(c, &ct, o, e);
	container_close(&ct);
	return failed;
}
